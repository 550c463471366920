"""How we stand with each peer, in words an operator can act on."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from federation.auth import SKEW
from federation.backoff import is_down
from federation.peer import Peer
from node.actions.caller import Caller
from node.actions.errors import NotAllowedError
from node.actions.quota import STRANGERS, full_shares
from node.actions.receipts_got import RefusedThere, refused_there
from node.actions.repair_due import repair_words
from node.node import Node
from node.storage.feed import count_dirt
from node.storage.peers import PeerRow, Waiting, list_peers, waiting_rows
from node.storage.quarantine import Refusal, count_quarantined, refusals
from node.storage.repair import list_repairs
from sharing.seal.keys import Use

_SHOWN = 20
_KEYS_WARNED = timedelta(days=30)
_SKEW_WARNED_S = 10.0
_LATE_AFTER = 3  # pull intervals without an answer


@dataclass(frozen=True, slots=True)
class RulebookTold:
    """A rulebook as a feed names it: two nodes that have the same one name the same digest."""

    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class PeerState:
    """One peer: `state` in a sentence; `queue` logs changed for it that it has not confirmed.

    `oldest_unsent` is since when the oldest of them waits, `asked_at` when it last came for them.
    `pulled_at` is when we last had an answer from it, `quarantined` how much of it we refused.
    `rulebook` is in force there, as its feed last said; None: it has not said yet. `repair` says
    whether what we hold of it is what it holds out to us, in a sentence. `skew_s` is how far its
    clock is ahead of ours, `keys_until` when the first of the keys it signs with now ends;
    `warnings` say what of these asks for a person.
    """

    org: str
    name: str
    role: str
    country: str
    base_url: str
    state: str
    queue: int
    oldest_unsent: datetime | None
    asked_at: datetime | None
    pulled_at: datetime | None
    failures: int
    next_try_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    quarantined: int
    rulebook: RulebookTold | None
    repair: str
    skew_s: float | None
    keys_until: datetime | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Equivocation:
    """An originator signed two statements for one version: who is told to the operator, in words.

    `id` is its number in quarantine, `origin` and `event` name the log, `src` gave the second one.
    """

    id: int
    origin: str
    event: str
    src: str
    received_at: datetime
    told: str


@dataclass(frozen=True, slots=True)
class ExchangeState:
    """All peers, and how many logs wait to be projected for them.

    `rulebook` is in force here, as peers are told. `damaged` is how many stored packages of our own
    were found damaged (in quarantine, from us); `equivocations` are the newest ones, newest first;
    `refusals` is what peers refused of what we gave them, newest first. `warnings` are about this
    node itself.
    """

    rulebook: RulebookTold
    dirty: int
    damaged: int
    equivocations: tuple[Equivocation, ...]
    refusals: tuple[RefusedThere, ...]
    peers: tuple[PeerState, ...]
    warnings: tuple[str, ...]


def exchange_state(node: Node, caller: Caller) -> ExchangeState:
    """How this node stands with the federation, for its own staff.

    Raises:
        NotAllowedError: the caller is not staff of this node.
    """
    if not caller.is_staff:
        raise NotAllowedError("only the node's own staff sees how it stands with its peers")
    with node.store.read() as unit:
        dirty = count_dirt(unit.connection)
        damaged = count_quarantined(unit.connection).get(node.org, 0)
    ours = node.judge.rulebook
    told = RulebookTold(ours.version, ours.digest)
    until = _keys_until(node, node.org)
    return ExchangeState(
        told,
        dirty,
        damaged,
        equivocations(node),
        refused_there(node),
        peer_states(node),
        tuple(_key_warnings("Our", until, node.wall())),
    )


def equivocations(node: Node) -> tuple[Equivocation, ...]:
    """Give the newest equivocations that were found, newest first."""
    with node.store.read() as unit:
        found = refusals(unit.connection, equivocations_only=True, limit=_SHOWN)
    return tuple(
        Equivocation(
            one.id, one.origin, one.event, one.src, one.received_at, _accusation(node, one)
        )
        for one in found
    )


def _accusation(node: Node, one: Refusal) -> str:
    return (
        f"{_name(node, one.origin)} signed two statements for one version of event {one.event}. "
        f"The first stays in force; the second, given by {_name(node, one.src)} at "
        f"{one.received_at:%Y-%m-%d %H:%M:%SZ}, is kept as evidence: `isac quarantine export "
        f"{one.id}` writes the proof."
    )


def _name(node: Node, org: str) -> str:
    """Name a member for people, though it be no peer any more."""
    member = node.registry.members.get(org)
    if member is None:
        return f"organisation {org}"
    return "the hub" if member.role == "hub" else f"node {member.country}"


def peer_states(node: Node) -> tuple[PeerState, ...]:
    """How we stand with each peer, in the order of their ids."""
    with node.store.read() as unit:
        rows = {row.org: row for row in list_peers(unit.connection)}
        waiting = waiting_rows(unit.connection)
        refused = count_quarantined(unit.connection)
        repairs = list_repairs(unit.connection)
        full = {peer.org: full_shares(node, unit, peer.org) for peer in node.peers}
    states = (
        _state(node, peer, rows.get(peer.org), waiting.get(peer.org), refused.get(peer.org, 0))
        for peer in node.peers
    )
    return tuple(
        replace(
            state,
            repair=repair_words(repairs.get(state.org)),
            warnings=(*state.warnings, *_quota_warnings(node, full[state.org] - {state.org})),
        )
        for state in states
    )


def _state(
    node: Node, peer: Peer, row: PeerRow | None, waiting: Waiting | None, refused: int
) -> PeerState:
    skew_s = None if row is None or row.skew_ms is None else row.skew_ms / 1000
    until = _keys_until(node, peer.org)
    return PeerState(
        org=peer.org,
        name="hub" if peer.role == "hub" else f"node {peer.member.country}",
        role=peer.role,
        country=peer.member.country,
        base_url=peer.base_url,
        state=_words(node, row),
        queue=0 if waiting is None else waiting.rows,
        oldest_unsent=None if waiting is None else waiting.since,
        asked_at=None if row is None else row.asked_at,
        pulled_at=None if row is None else row.pulled_at,
        failures=0 if row is None else row.failures,
        next_try_at=None if row is None else row.next_try_at,
        last_error=None if row is None else row.last_error,
        last_error_at=None if row is None else row.last_error_at,
        quarantined=refused,
        rulebook=_told(row),
        repair="",
        skew_s=skew_s,
        keys_until=until,
        warnings=(*_skew_warnings(skew_s), *_key_warnings("Its", until, node.wall())),
    )


def _keys_until(node: Node, org: str) -> datetime | None:
    """When the first of the keys that a member signs with now ends; None: none of them does.

    Of several keys for one use the one that lasts longest counts.
    """
    now = node.wall()
    lasts: dict[Use, datetime | None] = {}
    for key in node.registry.keys.values():
        if key.org == org and key.valid_at(now):
            known = lasts.get(key.use, now)
            ends = None if known is None or key.not_after is None else max(known, key.not_after)
            lasts[key.use] = ends
    return min((ends for ends in lasts.values() if ends is not None), default=None)


def _key_warnings(whose: str, until: datetime | None, now: datetime) -> Iterator[str]:
    if until is not None and until - now < _KEYS_WARNED:
        yield (
            f"{whose} key ends on {until:%Y-%m-%d}: a new one must be prepared and accepted before "
            "(`isac keys prepare`)."
        )


def _skew_warnings(skew_s: float | None) -> Iterator[str]:
    if skew_s is not None and abs(skew_s) > _SKEW_WARNED_S:
        way = "ahead of" if skew_s > 0 else "behind"
        yield (
            f"Its clock is {abs(skew_s):.0f} s {way} ours; from {SKEW.seconds} s on neither "
            "believes the other's requests. One of both needs time from a server (NTP)."
        )


def _quota_warnings(node: Node, full: Iterable[str]) -> Iterator[str]:
    for share in sorted(full):
        whose = "organisations that are no members" if share == STRANGERS else _name(node, share)
        yield (
            f"It has brought {node.settings.peer_day_mib:g} MiB of {whose} since midnight UTC, all "
            "that may come of one originator in a day. More of that comes tomorrow, all else now."
        )


def _told(row: PeerRow | None) -> RulebookTold | None:
    if row is None or row.rulebook_version is None or row.rulebook_digest is None:
        return None
    return RulebookTold(row.rulebook_version, row.rulebook_digest)


def _again(node: Node, at: datetime | None) -> str:
    is_off = at is not None and at > node.wall()
    return f"backing off until {at:%Y-%m-%d %H:%M:%SZ}" if is_off else "asked again now"


def _words(node: Node, row: PeerRow | None) -> str:
    if row is None or (row.pulled_at is None and row.failures == 0):
        return "not asked yet"
    if row.failures:
        word = "down" if is_down(row.failures) else "failing"
        return f"{word}: {row.failures} in a row, {_again(node, row.next_try_at)}"
    late = timedelta(seconds=_LATE_AFTER * node.settings.pull_interval_s)
    if row.pulled_at is not None and node.wall() - row.pulled_at > late:
        return "late: no answer for more than three intervals"
    return "in step"
