"""Whom the signed roster lists, and whom our operator accepts of them.

Nobody who is only listed gets anything here or is believed: to accept a member, or what a member
may not change of itself, a person compares its fingerprint with the member's operator.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from federation.fingerprint import is_same
from federation.members import (
    Facts,
    SignedEntry,
    accepted,
    check_possession,
    differences,
    read_entry,
    revoke,
)
from federation.trust import Standing
from node.actions.errors import BadInputError, ConflictError, NotFoundError
from node.actions.roster import (
    Trusted,
    kids_besides,
    kids_of,
    read_entries,
    standing_of,
    trusted,
)
from node.errors import SettingsError
from node.node import Node
from node.roster import change_members, entries_of
from node.storage import audit
from node.storage.peers import begin_anew
from node.storage.quarantine import sources_refused_for
from node.storage.roster import find_entry

_LINES = 500  # of the audit, looked through
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Listed:
    """A member as the signed roster lists it, and what our operator would accept with it.

    `state` is one of accepted, new, changed, removed; `differs` what is not as we hold it.
    """

    org: str
    name: str
    role: str
    country: str
    base_urls: tuple[str, ...]
    fingerprint: str
    state: str
    differs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """What the roster changed of a member here, in words."""

    at: datetime
    org: str
    told: str


@dataclass(frozen=True, slots=True)
class RosterTold:
    """The signed roster for people: its version, its end, what it changed last, who waits for us.

    `version` 0: there is a root, and no roster yet.
    """

    version: int
    expires_at: datetime
    changes: tuple[Changed, ...]
    waiting: tuple[Listed, ...]


def roster_told(node: Node) -> RosterTold | None:
    """Give how the signed roster stands here; None: no root is trusted."""
    held = trusted(node)
    if held is None:
        return None
    with node.store.read() as unit:
        lines = audit.latest(unit.connection, _LINES)
    changes = [
        Changed(line.at, str(line.detail["of"]), ", ".join(map(str, told)))
        for line in lines
        if line.action == "roster.change" and isinstance(told := line.detail["changes"], list)
    ]
    waiting = tuple(one for one in list_members(node) if one.state != "accepted")
    version = 0 if held.roster is None else held.roster.version
    expires_at = held.root.expires if held.roster is None else held.roster.expires
    return RosterTold(version, expires_at, tuple(changes[:_SHOWN]), waiting)


def list_members(node: Node) -> tuple[Listed, ...]:
    """Give every member that the signed roster lists, but ourselves."""
    held = trusted(node)
    if held is None or held.roster is None:
        return ()
    ours = entries_of(node.settings.roster_file)
    entries = read_entries(held.roster)
    return tuple(
        _listed(entry, ours.get(org)) for org, entry in sorted(entries.items()) if org != node.org
    )


def accept_listed(node: Node, actor: str, org: str, typed: str) -> SignedEntry:
    """Accept a member, or what changed of it, whose operator read its fingerprint to us.

    Raises:
        NotFoundError: neither the roster nor, at the hub, the members' entries have it.
        BadInputError: the fingerprint is another one; the entry is our own.
        ConflictError: our roster is too old for new members.
        BadTrustError: the member does not hold its keys.
    """
    held = trusted(node)
    if held is None:
        raise ConflictError("no root is trusted here: `isac roster trust`")
    if org == node.org:
        raise BadInputError("org", "this is our own entry")
    entry = None if held.roster is None else read_entries(held.roster).get(org)
    if entry is None and node.is_hub:
        entry = _published(node, org)
    if entry is None:
        raise NotFoundError(f"member {org} in the signed roster")
    known = entries_of(node.settings.roster_file).get(org)
    stage = standing_of(node)
    if known is None and stage in (Standing.FROZEN, Standing.READ_ONLY):
        raise ConflictError("our roster has expired long ago: no new members until a new one came")
    check_possession(entry)
    if not is_same(typed, entry.fingerprint):
        raise BadInputError("fingerprint", f"this entry's is {entry.fingerprint}: do not accept it")
    put_accepted(node, actor, entry, held, node.wall())
    return entry


def put_accepted(node: Node, actor: str, entry: SignedEntry, held: Trusted, at: datetime) -> None:
    """Write an entry that a person has compared into the roster file, revocations heeded.

    Raises:
        SettingsError: one of its keys is another member's.
    """
    before: Facts | None = None

    def change(members: Mapping[str, Facts]) -> list[Facts]:
        nonlocal before
        before = members.get(entry.org)
        if kids_besides(members, entry.org) & kids_of(entry.facts):
            raise SettingsError(f"member {entry.org} lists a key of another member")
        facts = accepted(entry, before, at)
        return [facts if held.roster is None else revoke(facts, held.roster.revoked).facts]

    change_members(node.settings.roster_file, change)
    with node.store.write() as unit:
        conn = unit.connection
        fresh = sorted(kids_of(entry.facts) - kids_of(before or {}))
        for kid in fresh:
            for src in sources_refused_for(conn, kid):
                begin_anew(conn, src)
        detail: dict[str, object] = {
            "of": entry.org,
            "fingerprint": entry.fingerprint,
            "new_keys": fresh,
        }
        audit.append(conn, node.clock(), actor, "roster.accept", detail=detail)


def _published(node: Node, org: str) -> SignedEntry | None:
    with node.store.read() as unit:
        envelope = find_entry(unit.connection, org)
    return None if envelope is None else read_entry(envelope)


def _listed(entry: SignedEntry, ours: Facts | None) -> Listed:
    differs = () if ours is None else differences(entry, ours)
    if ours is None:
        state = "new"
    elif "removed_at" in ours:
        state = "removed"
    else:
        state = "changed" if differs else "accepted"
    return Listed(
        org=entry.org,
        name=str(entry.facts.get("name", "")),
        role=entry.member.role,
        country=entry.member.country,
        base_urls=entry.member.base_urls,
        fingerprint=entry.fingerprint,
        state=state,
        differs=differs,
    )
