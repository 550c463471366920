"""The signed roster, at every node: trusted, fetched, taken up, told, and what its age stops.

A root is trusted once, by an operator who compared its fingerprint; after that documents come from
the hub or any peer, and count by their signatures alone. What a roster changes of members who were
accepted here is written into the roster file (`node.roster`), as far as `federation.members` lets
it; a new member waits there for nobody: it is no member here until our operator accepts it.

Documents are checked before a unit is opened; the file is written before the documents are kept,
and writing it again changes nothing, so a crash in between loses nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import structlog

from federation.auth import Requester
from federation.call import Reply
from federation.errors import BadReplyError, BadTrustError, TransportError
from federation.fingerprint import is_same
from federation.gossip import ROOTS_CAP, Gossip, Held, ask_roster, read_gossip
from federation.members import (
    Facts,
    Judged,
    SignedEntry,
    judge,
    read_entry,
    remove,
    revoke,
)
from federation.peer import Peer
from federation.trust import (
    Root,
    Roster,
    Standing,
    first_root,
    next_root,
    next_roster,
    standing,
    unchecked_root,
    unchecked_roster,
)
from node.actions.carrier import Carrier
from node.actions.errors import BadInputError, ConflictError
from node.node import Node
from node.roster import change_members
from node.storage import audit
from node.storage.peers import begin_anew, set_basis
from node.storage.quarantine import sources_refused_for
from node.storage.roster import (
    ROOT,
    ROSTER,
    Document,
    expiries,
    lock_trust,
    newest,
    put_document,
    roots_after,
    roster_version,
)
from node.storage.store import Unit

PROGRAM = "program"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Trusted:
    """What this node holds of the signed roster."""

    root: Root
    roster: Roster | None


# ── What we hold ─────────────────────────────────────────────────────────────────────────────────


def trusted(node: Node) -> Trusted | None:
    """Give the newest root and roster; None: no root is trusted, the operator's file is all."""
    with node.store.read() as unit:
        root, roster = newest(unit.connection, ROOT), newest(unit.connection, ROSTER)
    if root is None:
        return None
    return Trusted(
        unchecked_root(root.envelope),
        None if roster is None else unchecked_roster(roster.envelope),
    )


def standing_of(node: Node) -> Standing | None:
    """Give how old what we hold is; None: no root is trusted, nothing grows old."""
    with node.store.read() as unit:
        told = expiries(unit.connection)
    return standing(told[ROOT], told.get(ROSTER), node.wall()) if ROOT in told else None


def may_exchange(node: Node) -> bool:
    """Whether this node still takes from peers and gives to them."""
    return standing_of(node) is not Standing.READ_ONLY


class Barred(StrEnum):
    """Why a proven request is not answered."""

    STRANGER = "no peer"
    BAD_KEY = "its key is good no more"
    OLD_ROSTER = "our roster expired long ago"


def barred(node: Node, asker: Requester) -> Barred | None:
    """Why who signed a request is not answered at this moment; None: it is."""
    if all(peer.org != asker.org for peer in node.peers):
        return Barred.STRANGER
    key = node.registry.keys.get(asker.kid)
    if key is None or not key.valid_at(node.wall()):
        return Barred.BAD_KEY
    return None if may_exchange(node) else Barred.OLD_ROSTER


@dataclass(frozen=True, slots=True)
class Warned:
    """What staff is told while the roster is old; `is_red` where something does not work."""

    told: str
    is_red: bool


def warning_of(node: Node) -> Warned | None:
    """Give what staff must know of the roster's age; None: all is well."""
    match standing_of(node):
        case Standing.EXPIRED:
            return Warned("The roster has expired: no changes of members reach us.", is_red=False)
        case Standing.FROZEN:
            return Warned(
                "The roster expired more than 7 days ago: no new members are accepted. "
                "Ask the hub; from 30 days on nothing is exchanged.",
                is_red=True,
            )
        case Standing.READ_ONLY:
            return Warned(
                "The roster expired more than 30 days ago: nothing is exchanged with peers until "
                "a new one comes. Ask the hub.",
                is_red=True,
            )
        case _:
            return None


def gossip(node: Node, held: Held) -> Gossip:
    """Give whoever asks what is newer than what it holds."""
    with node.store.read() as unit:
        conn = unit.connection
        roots = roots_after(conn, held.root, ROOTS_CAP)
        roster = newest(conn, ROSTER) if roster_version(conn) != held.roster else None
    return Gossip(roots, None if roster is None else roster.envelope)


# ── Trusting and taking ──────────────────────────────────────────────────────────────────────────


def trust_root(node: Node, actor: str, envelope: bytes, typed: str) -> Root:
    """Take a root from an operator's hand: the first by its fingerprint, others by the rules.

    Raises:
        BadTrustError: it lacks signatures, or does not follow the one we hold.
        BadInputError: the fingerprint is another one.
    """
    held = trusted(node)
    if held is not None:
        root = next_root(held.root, envelope)
    else:
        root = first_root(envelope)
        if not is_same(typed, root.fingerprint):
            raise BadInputError("fingerprint", f"this root's is {root.fingerprint}")
    _keep(node, held, [root], None, actor, "by hand")
    return root


def take(node: Node, brought: Gossip, source: str) -> bool:
    """Take documents that somebody brought; gives whether anything was news.

    Raises:
        BadTrustError: a document does not count; what came before it is kept.
        ConflictError: another process took some meanwhile.
    """
    held = trusted(node)
    if held is None:
        return False
    root, roots, fault = held.root, list[Root](), None
    for envelope in brought.roots:
        try:
            root = next_root(root, envelope)
        except BadTrustError as error:
            fault = error
            break
        roots.append(root)
    roster = None
    if brought.roster is not None and fault is None:
        try:
            roster = next_roster(root, held.roster, brought.roster, node.wall())
        except BadTrustError as error:
            fault = error
    is_news = roster is not None and (held.roster is None or roster.digest != held.roster.digest)
    if roots or is_news:
        _keep(node, held, roots, roster if is_news else None, PROGRAM, source)
    if fault is not None:
        raise fault
    return bool(roots) or is_news


def keep_roster(node: Node, held: Trusted, roster: Roster, actor: str, source: str) -> None:
    """Hold this roster from now on, which was checked against what we held.

    Raises:
        ConflictError: another process took something meanwhile.
    """
    _keep(node, held, [], roster, actor, source)


def _keep(
    node: Node,
    held: Trusted | None,
    roots: list[Root],
    roster: Roster | None,
    actor: str,
    source: str,
) -> None:
    root = roots[-1] if roots else held.root if held else None
    if roster is not None and root is not None:
        settle(node, Trusted(root, roster))
    now = node.wall()
    with node.store.write() as unit:
        conn = unit.connection
        lock_trust(conn)
        _check_unchanged(unit, held)
        for one in roots:
            put_document(conn, ROOT, Document(one.version, one.expires, one.envelope, now))
            detail: dict[str, object] = {
                "version": one.version,
                "threshold": one.threshold,
                "online": sorted(one.online),
                "from": source,
            }
            audit.append(conn, node.clock(), actor, "root.take", detail=detail)
        if roster is not None:
            document = Document(roster.version, roster.expires, roster.envelope, now)
            put_document(conn, ROSTER, document)
            detail = {
                "version": roster.version,
                "members": len(roster.members),
                "from": source,
            }
            audit.append(conn, node.clock(), actor, "roster.take", detail=detail)


def _check_unchanged(unit: Unit, held: Trusted | None) -> None:
    root, roster = newest(unit.connection, ROOT), newest(unit.connection, ROSTER)
    before = (
        None if held is None else held.root.envelope,
        None if held is None or held.roster is None else held.roster.envelope,
    )
    now = (None if root is None else root.envelope, None if roster is None else roster.envelope)
    if now != before:
        raise ConflictError("the roster was changed meanwhile: again")


def fetch(node: Node, peer: Peer, transport: Carrier) -> str | None:
    """Ask one peer for newer documents and take them; gives what went wrong, in words."""
    held = trusted(node)
    if held is None:
        return None
    versions = Held(held.root.version, 0 if held.roster is None else held.roster.version)
    try:
        reply: Reply = transport.send(ask_roster(versions), peer)
        take(node, read_gossip(reply), peer.org)
    except (TransportError, BadReplyError, ConflictError) as error:
        return str(error)
    except BadTrustError as error:
        if error.reason == "rollback":  # a peer may not have heard yet what the hub has written
            return str(error) if peer.role == "hub" else None
        _refused(node, peer, error)
        return str(error)
    return None


def fetch_due(node: Node, transport: Carrier) -> None:
    """Ask the hub, and one other peer by chance; then see that the file says what we hold."""
    peers = list(node.peers)
    hubs = [peer for peer in peers if peer.role == "hub"]
    others = [peer for peer in peers if peer.role != "hub"]
    if trusted(node) is None:
        return
    chosen = [others[int.from_bytes(node.rng(4)) % len(others)]] if others else []
    for peer in [*hubs, *chosen]:
        if (why := fetch(node, peer, transport)) is not None:
            _log.warning("roster not fetched", peer=peer.org, why=why)
    if (held := trusted(node)) is not None:
        settle(node, held)


def _refused(node: Node, peer: Peer, error: BadTrustError) -> None:
    """Tell the audit of a roster that somebody should not have brought."""
    with node.store.write() as unit:
        detail: dict[str, object] = {"from": peer.org, "why": str(error)}
        audit.append(unit.connection, node.clock(), PROGRAM, "roster.refuse", detail=detail)


# ── What it changes here ─────────────────────────────────────────────────────────────────────────


def settle(node: Node, held: Trusted) -> Mapping[str, tuple[str, ...]]:
    """Write into the roster file what the roster changes of accepted members; gives it in words.

    Our own entry stays as it is: only we say what our keys are.
    """
    root, roster = held.root, held.roster
    if roster is None:
        return {}
    changed = dict[str, Judged]()
    offered = read_entries(roster)
    before: Mapping[str, Facts] = {}

    def change(members: Mapping[str, Facts]) -> list[Facts]:
        nonlocal before
        before = members
        changed.clear()
        for org, facts in members.items():
            if org != node.org:
                taken = kids_besides(members, org)
                judged = _judged(facts, offered.get(org), root, roster, taken)
                if judged.facts != facts:
                    changed[org] = judged
        return [one.facts for one in changed.values()]

    change_members(node.settings.roster_file, change)
    if changed:
        _note(node, roster, before, changed)
    return {org: one.told for org, one in changed.items()}


def _judged(
    facts: Facts, entry: SignedEntry | None, root: Root, roster: Roster, taken: frozenset[str]
) -> Judged:
    """What the member itself, and then the hub, change of an accepted member's entry."""
    told = list[str]()
    if entry is not None and "removed_at" not in facts:
        judged = judge(entry, facts, root=root, taken=taken)
        facts, told = judged.facts, [*judged.told]
    judged = revoke(facts, roster.revoked)
    facts, told = judged.facts, [*told, *judged.told]
    for removal in roster.removed:
        if removal.org == facts["org"]:
            judged = remove(facts, removal)
            facts, told = judged.facts, [*told, *judged.told]
    return Judged(facts, tuple(told))


def _note(
    node: Node, roster: Roster, before: Mapping[str, Facts], changed: Mapping[str, Judged]
) -> None:
    """Tell the audit; whoever was refused for want of a new key is read anew."""
    with node.store.write() as unit:
        conn = unit.connection
        for org, judged in sorted(changed.items()):
            for kid in sorted(kids_of(judged.facts) - kids_of(before[org])):
                for src in sources_refused_for(conn, kid):
                    begin_anew(conn, src)
            if "removed_at" in judged.facts:
                set_basis(conn, org, "")  # should it come back, everything is decided anew for it
            if not judged.told:
                continue  # a new version that says the same
            detail: dict[str, object] = {
                "of": org,
                "changes": list(judged.told),
                "roster": roster.version,
            }
            audit.append(conn, node.clock(), PROGRAM, "roster.change", detail=detail)
            _log.info("roster changes a member", of=org, changes=judged.told)


def read_entries(roster: Roster) -> dict[str, SignedEntry]:
    """Give the entries of a roster that can be read; one that cannot be harms nobody else."""
    entries = dict[str, SignedEntry]()
    for envelope in roster.members:
        try:
            entry = read_entry(envelope)
        except BadTrustError as error:
            _log.warning("an entry of the roster cannot be read", why=str(error))
        else:
            entries.setdefault(entry.org, entry)
    return entries


def kids_besides(members: Mapping[str, Facts], besides: str) -> frozenset[str]:
    """Give the ids of all keys of other members."""
    return frozenset().union(*(kids_of(one) for org, one in members.items() if org != besides))


def kids_of(facts: Facts) -> frozenset[str]:
    """Give the ids of the keys of an entry."""
    keys = facts.get("keys")
    return frozenset(str(key["kid"]) for key in keys) if isinstance(keys, list) else frozenset()
