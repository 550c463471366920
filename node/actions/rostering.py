"""What the hub publishes and what each node says of itself: the makers of the signed roster.

The hub lists the members its operator accepted, each with the entry that the member signed; keys
that are revoked in its own roster file; members removed there. It signs with an online key that the
root names (`keys/roster.pem`), at each change and once a day. A node signs its own entry anew
whenever it changes, and brings it to the hub until the roster has it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from federation.call import Call
from federation.errors import BadTrustError, TransportError
from federation.gossip import ENTRIES_PATH
from federation.members import (
    MEMBER_TYPE,
    Facts,
    SignedEntry,
    judge,
    read_entry,
    remove,
    revocations_of,
    sign_entry,
)
from federation.trust import Removal, Revocation, Roster, next_roster, public_entry, write_roster
from node.actions.carrier import Carrier
from node.actions.errors import BadInputError, ConflictError, NotFoundError
from node.actions.keys import endorsed
from node.actions.roster import PROGRAM, keep_roster, kids_besides, read_entries, trusted
from node.errors import SettingsError
from node.keys import make_signer, read_signer
from node.node import Node
from node.roster import change_members, entries_of, keys_of, own_entry, put_keys
from node.storage import audit
from node.storage.roster import find_entry, list_entries, put_entry

ONLINE_FILE = "roster.pem"
DAILY = timedelta(days=1)
_WHY_CHARS = 200
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Content:
    """What a roster says, without when and by whom."""

    members: tuple[bytes, ...]
    revoked: tuple[Revocation, ...]
    removed: tuple[Removal, ...]


# ── Our own entry ────────────────────────────────────────────────────────────────────────────────


def own_signed(node: Node) -> bytes:
    """Give our own signed entry; in a new version where anything of it has changed.

    Raises:
        SettingsError: our roster file does not hold this node.
    """
    settings = node.settings
    listed = keys_of(settings.roster_file, node.org)
    keys = endorsed(settings, listed)
    if keys != listed:
        put_keys(settings.roster_file, node.org, keys)
    facts = own_entry(settings, node.keys)
    with node.store.read() as unit:
        envelope = find_entry(unit.connection, node.org)
    held = None if envelope is None else read_entry(envelope)
    signers = [signer.kid for signer in node.signers]
    if envelope is not None and held is not None and _is_same(held, facts, signers):
        return envelope
    fresh = sign_entry(facts, (0 if held is None else held.version) + 1, node.signers)
    with node.store.write() as unit:
        put_entry(unit.connection, node.org, fresh, node.wall())
    return fresh


def _is_same(held: SignedEntry, facts: Facts, signers: list[str]) -> bool:
    said = {name: value for name, value in held.facts.items() if name != "version"}
    return said == facts and [one.keyid for one in held.signed] == signers


def bring_entry(node: Node, transport: Carrier) -> None:
    """Bring our own entry to the hub, if its newest roster does not have it."""
    held = trusted(node)
    if held is None or held.roster is None or node.is_hub:
        return
    listed = read_entries(held.roster).get(node.org)
    ours = own_signed(node)
    if listed is not None and listed.payload == read_entry(ours).payload:
        return
    call = Call("POST", ENTRIES_PATH, {"content-type": MEMBER_TYPE}, ours, 64 * 1024)
    for hub in (peer for peer in node.peers if peer.role == "hub"):
        try:
            status = transport.send(call, hub).status
        except TransportError as error:
            _log.warning("our entry not brought to the hub", why=str(error))
        else:
            if status != 204:
                _log.warning("the hub does not take our entry", status=status)


# ── The hub ──────────────────────────────────────────────────────────────────────────────────────


def make_online_key(node: Node) -> dict[str, str]:
    """Make the hub's online key where there is none; gives its public half for the root."""
    public = make_signer(node.settings.data / "keys" / ONLINE_FILE)
    return public_entry(public, "ed25519")


def publish_due(node: Node) -> int | None:
    """Publish a roster where anything has changed or the last one is a day old; gives its version.

    Raises:
        KeyFileError: the online key cannot be used.
    """
    path = node.settings.data / "keys" / ONLINE_FILE
    if not node.is_hub or not path.exists():
        return None
    held = trusted(node)
    signer = read_signer(path)
    if held is None or signer.kid not in held.root.online:
        return None
    # A roster by a key that the root has taken away binds nobody: a thief may have run ahead.
    last = held.roster if held.roster and held.roster.signers & held.root.online.keys() else None
    content, now = _content(node, last), node.wall()
    if last is not None and _content_of(last) == content and now - last.issued < DAILY:
        return None
    envelope = write_roster(
        version=1 if last is None else last.version + 1,
        issued=now,
        members=content.members,
        revoked=content.revoked,
        removed=content.removed,
        signers=[signer],
    )
    roster = next_roster(held.root, held.roster, envelope, now)
    keep_roster(node, held, roster, PROGRAM, node.org)
    return roster.version


def remove_member(node: Node, actor: str, org: str, why: str) -> None:
    """Remove a member from the federation; the next roster says so to all.

    Raises:
        NotFoundError: no such member here; BadInputError: no reason, or it is ourselves.
    """
    if not node.is_hub:
        raise ConflictError("only the hub removes members")
    if org == node.org:
        raise BadInputError("org", "the hub does not remove itself")
    if not why.strip() or len(why) > _WHY_CHARS or not why.isprintable():
        raise BadInputError("why", f"say why, in at most {_WHY_CHARS} characters")
    removal = Removal(org, node.wall(), why)

    def change(members: Mapping[str, Facts]) -> list[Facts]:
        if org not in members:
            raise NotFoundError(f"member {org}")
        return [remove(members[org], removal).facts]

    change_members(node.settings.roster_file, change)
    with node.store.write() as unit:
        detail: dict[str, object] = {"of": org, "why": why}
        audit.append(unit.connection, node.clock(), actor, "roster.remove", detail=detail)


def take_entry(node: Node, envelope: bytes) -> None:
    """Take a member's own new entry at the hub, signed by a key of its own that counts here.

    Raises:
        ConflictError: this is not the hub, or no root is trusted.
        BadTrustError: `form`; `member`: no member here; `version`: an older one; `refused`: it
            changes what the member cannot say of itself, or is not signed as it must be.
    """
    held = trusted(node)
    if held is None or not node.is_hub:
        raise ConflictError("only the hub of a signed roster takes entries")
    entry = read_entry(envelope)
    now = node.wall()
    told: tuple[str, ...] = ()

    def change(members: Mapping[str, Facts]) -> list[Facts]:
        nonlocal told
        facts = members.get(entry.org)
        if facts is None or "removed_at" in facts or entry.org == node.org:
            raise BadTrustError("member", f"{entry.org} is no member here")
        if _version(facts) == entry.version and _is_kept(node, entry):
            return []
        taken = kids_besides(members, entry.org)
        judged = judge(entry, facts, root=held.root, taken=taken)
        if judged.waits:
            raise BadTrustError("refused", "; ".join(judged.waits))
        if _version(judged.facts) != entry.version or _version(facts) == entry.version:
            raise BadTrustError("version", f"entry {entry.version} is not newer than ours")
        told = judged.told
        return [judged.facts]

    change_members(node.settings.roster_file, change)
    with node.store.write() as unit:
        put_entry(unit.connection, entry.org, envelope, now)
        if told:
            detail: dict[str, object] = {"of": entry.org, "changes": list(told)}
            audit.append(unit.connection, node.clock(), PROGRAM, "roster.change", detail=detail)


def _is_kept(node: Node, entry: SignedEntry) -> bool:
    with node.store.read() as unit:
        envelope = find_entry(unit.connection, entry.org)
    return envelope is not None and read_entry(envelope).payload == entry.payload


def _version(facts: Facts) -> object:
    return facts.get("version", 0)


def _content(node: Node, last: Roster | None) -> _Content:
    """What the hub would publish now; what was revoked or removed once stays so."""
    ours = entries_of(node.settings.roster_file)
    with node.store.read() as unit:
        entries = dict(list_entries(unit.connection))
    entries[node.org] = own_signed(node)
    active = {org for org, facts in ours.items() if "removed_at" not in facts}
    members = tuple(entries[org] for org in sorted(active & entries.keys()))
    revoked = {} if last is None else {one.kid: one for one in last.revoked}
    for facts in ours.values():
        for one in revocations_of(facts):
            revoked[one.kid] = _stricter(one, revoked.get(one.kid))
    removed = {} if last is None else {one.org: one for one in last.removed}
    removed |= {one.org: one for one in _removals(ours.values())}
    return _Content(
        members,
        tuple(revoked[kid] for kid in sorted(revoked)),
        tuple(removed[org] for org in sorted(removed.keys() - active)),
    )


def _stricter(one: Revocation, other: Revocation | None) -> Revocation:
    if other is None:
        return one
    return min(one, other, key=lambda each: (each.compromised_since, each.revoked_at))


def _removals(entries: Iterable[Facts]) -> list[Removal]:
    return [
        Removal(str(facts["org"]), _instant(facts["removed_at"]), str(facts.get("removed_why", "")))
        for facts in entries
        if "removed_at" in facts
    ]


def _instant(text: object) -> datetime:
    if not isinstance(text, str):
        raise SettingsError("roster: removed_at is no instant")
    return datetime.fromisoformat(text)


def _content_of(roster: Roster) -> _Content:
    return _Content(roster.members, roster.revoked, roster.removed)
