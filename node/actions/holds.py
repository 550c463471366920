"""The hold queue: what waits for a person, and the release that lets one slot go to one party.

A release names the slot's very content, so it dies when the value is edited (D16); it lowers no
label. Which logs hold something is asked of their classes first, so the queue opens only those.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from node.actions.caller import Caller
from node.actions.errors import BadInputError, NotFoundError
from node.actions.gate import relation_of
from node.actions.own import check_operator, note
from node.actions.stored import open_holding, reporting_damage
from node.actions.towards import Target, find_target
from node.node import Node
from node.storage.classes import SlotFacts, all_classes, logs_with_classes
from node.storage.dirt import mark_dirty
from node.storage.errors import StoredPackageError
from node.storage.logs import HoldingRow, LogRow, best_holding, find_log
from node.storage.releases import ReleaseRow, add_release
from node.storage.store import Unit
from policies.decide import Effect, Reason
from policies.party import Party
from sharing.project import HeldItem, Standing, project
from sharing.seal.holding import Holding
from sharing.slots_read import read_log

_REASON_CHARS = 1000
_TOWARDS_MEMBERS = tuple(
    Standing(own=False, client=False, direct=direct, published=True) for direct in (True, False)
)


@dataclass(frozen=True, slots=True)
class Hold:
    """One slot that waits for its release to one party; `field` names an incident's field."""

    origin: str
    event: str
    info: str
    record: str
    slot_type: int
    kind: int
    field: str | None
    party: str
    party_name: str
    tlp: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Released:
    """A release; `is_new` False: it was released before, and nothing changed."""

    origin: str
    event: str
    record: str
    slot_type: int
    party: str
    is_new: bool


def list_holds(node: Node, caller: Caller) -> tuple[Hold, ...]:
    """Give everything that waits for an operator's release, by log and party.

    Raises:
        NotAllowedError: the caller is no operator.
    """
    check_operator(caller, "see what is held")
    with node.store.read() as unit:
        facts = all_classes(unit.connection)
        parties = [peer.party for peer in node.peers]
        held = frozenset[int]().union(*(_held_classes(node, facts, each) for each in parties))
        logs = logs_with_classes(unit.connection, held)
        return tuple(hold for key in logs for hold in _holds_of(node, unit, key, parties))


def release(
    node: Node,
    caller: Caller,
    origin: str,
    event: str,
    record: str,
    slot_type: int,
    party: str,
    reason: str,
) -> Released:
    """Let one held slot, as it reads now, go to one member of the federation.

    Raises:
        NotAllowedError: the caller is no operator.
        BadInputError: no reason is given, or too long a one, or one with a NUL.
        NotFoundError: nothing of the kind is held from this party.
    """
    check_operator(caller, "release what is held")
    if not reason.strip() or len(reason) > _REASON_CHARS:
        raise BadInputError("reason", f"say why, in at most {_REASON_CHARS} characters")
    if "\0" in reason:
        raise BadInputError("reason", "holds a NUL, which is no text")
    with reporting_damage(node), node.store.read() as unit:
        held = _read(unit, (origin, event))
        if held is None:
            raise NotFoundError("hold")
        target = find_target(node, unit, held.log, held.best, party)
    slot = (record, slot_type)
    items = {(each.record, each.slot_type): each for each in _items(node, held, target)}
    if slot not in items:
        raise NotFoundError("hold")
    row = ReleaseRow(
        origin=origin,
        event=event,
        record=record,
        slot_type=slot_type,
        slot_hash=items[slot].slot_hash,
        party=party,
        released_by=caller.name,
        reason=reason,
        released_at=node.clock(),
    )
    is_new = _write(node, caller, held.log, row, items[slot])
    return Released(origin, event, record, slot_type, party, is_new)


@dataclass(frozen=True, slots=True)
class _Held:
    """A log as it was read, with the holding readers go by."""

    log: LogRow
    best: HoldingRow
    holding: Holding


def _write(node: Node, caller: Caller, log: LogRow, row: ReleaseRow, item: HeldItem) -> bool:
    """Keep the release; should the value have been edited meanwhile, it means nothing."""
    with node.store.write() as unit:
        if not add_release(unit.connection, row):
            return False
        mark_dirty(unit.connection, [(row.origin, row.event)])
        detail = {
            "record": row.record,
            "slot": row.slot_type,
            "content": row.slot_hash,
            "field": item.field,
            "party": row.party,
            "reason": row.reason,
        }
        note(unit, node, caller, "hold.release", log, detail)
    return True


def _read(unit: Unit, key: tuple[str, str]) -> _Held | None:
    log, best = find_log(unit.connection, *key), best_holding(unit.connection, *key)
    if log is None or best is None or log.type != "event":
        return None
    return _Held(log, best, open_holding(best))


def _items(node: Node, held: _Held, target: Target) -> tuple[HeldItem, ...]:
    """Everything of the log that would wait for a release to the target, were there none yet."""
    if target.refused or not target.is_member:
        return ()
    return project(held.holding, target.party, target.standing, node.judge, (), node.clock()).held


def _holds_of(
    node: Node, unit: Unit, key: tuple[str, str], parties: Sequence[Party]
) -> Iterator[Hold]:
    try:
        held = _read(unit, key)
    except StoredPackageError:
        return  # what is damaged goes nowhere, and is before the operator already
    if held is None:
        return
    info = read_log(held.holding).event.info
    for party in parties:
        target = find_target(node, unit, held.log, held.best, party.org)
        done = {(each.record, each.slot_type, each.slot_hash) for each in target.releases}
        for item in _items(node, held, target):
            if (item.record, item.slot_type, item.slot_hash) not in done:
                yield _hold(key, info, target, item)


def _hold(key: tuple[str, str], info: str, target: Target, item: HeldItem) -> Hold:
    return Hold(
        origin=key[0],
        event=key[1],
        info=info,
        record=item.record,
        slot_type=item.slot_type,
        kind=item.kind,
        field=item.field,
        party=target.party.org,
        party_name=target.name,
        tlp=item.label.tlp.word,
        reasons=item.reasons,
    )


def _held_classes(node: Node, facts: Mapping[int, SlotFacts], party: Party) -> frozenset[int]:
    """Give the classes that are held from the party, as long as their log is published."""
    now = node.clock()
    return frozenset(
        one
        for one, slot in facts.items()
        for standing in _TOWARDS_MEMBERS
        if node.judge.decide(slot.subject, relation_of(slot, party, standing, now), party).effect
        is Effect.HOLD
    )
