"""The hold queue: what waits for persons, what would go, and the acts that let it go.

An act names the slots' very content, so what it adds up to dies when a value is edited (D16); it
lowers no label. It is signed, and its envelope kept. How many acts a release takes, of whom, and on
what ground, is said by the policies that hold; until there are enough, nothing goes.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from node.actions.caller import Caller
from node.actions.errors import (
    BadInputError,
    ConflictError,
    NotAllowedError,
    NotFoundError,
    check_said,
)
from node.actions.own import note
from node.actions.patients import check_words
from node.actions.stored import reporting_damage
from node.actions.towards import check_may_see, offer_to
from node.actions.waiting import Waiting, all_waiting, find_waiting, held_slot
from node.node import Node
from node.storage.dirt import mark_dirty
from node.storage.releases import (
    ActRow,
    HeldSlot,
    acts_of,
    add_act,
    add_releases,
    lock_releases,
    said_of,
)
from policies.decide import Reason
from policies.release import OPERATOR, SENTENCES, Act, Ground, Need, is_complete
from sharing.project import HeldItem, Release
from sharing.release_act import ReleaseAct, ReleasedSlot, make_release_act
from sharing.seal.records import Kind

_WITH_A_SECOND = frozenset({Need.TWO_PERSONS, Need.TWO_ROLES})


@dataclass(frozen=True, slots=True)
class Given:
    """One person's act so far."""

    person: str
    role: str
    at: datetime
    reason: str
    ground: str
    reference: str


@dataclass(frozen=True, slots=True)
class Hold:
    """One slot that waits for its release to one party.

    `event` is the log that holds it, `about` the event people know; `content` and `size` are of the
    slot's bytes. `field` names an incident's field. `needs` says in sentences what the release
    takes beside an operator, `given` who has acted already.
    """

    origin: str
    event: str
    about: str
    info: str
    record: str
    slot_type: int
    content: str
    size: int
    kind: int
    name: str
    field: str | None
    party: str
    party_name: str
    tlp: str
    reasons: tuple[Reason, ...]
    needs: tuple[str, ...]
    given: tuple[Given, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot to release; with `content`, only if it still reads so."""

    record: str
    slot_type: int
    content: str | None = None


@dataclass(frozen=True, slots=True)
class ReleasedTo:
    """A slot after an act: released, or waiting for what else `needs` says."""

    record: str
    slot_type: int
    is_released: bool


@dataclass(frozen=True, slots=True)
class Released:
    """What an act came to; `is_new` False: the same person had said the same before."""

    origin: str
    event: str
    party: str
    slots: tuple[ReleasedTo, ...]
    is_new: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """What would travel after a release: the package, byte for byte; none stays within the node."""

    digest: str | None
    package: bytes


def list_holds(node: Node, caller: Caller) -> tuple[Hold, ...]:
    """Give everything that waits for a person, by log and party.

    Raises:
        NotAllowedError: the caller is not staff of this node, or only reads at the hub.
    """
    _check_may_act(caller)
    node = node.pinned()
    acts: dict[tuple[str, str], tuple[ActRow, ...]] = {}
    holds: list[Hold] = []
    with node.store.read() as unit:
        for waiting in all_waiting(node, unit):
            if waiting.key not in acts:
                acts[waiting.key] = acts_of(unit.connection, *waiting.key)
            holds += _holds(node, caller, waiting, acts[waiting.key])
    return tuple(holds)


def preview_release(
    node: Node, caller: Caller, origin: str, event: str, party: str, slots: Sequence[Slot]
) -> Preview:
    """Give what the party would get if these slots were released to it.

    Raises:
        NotAllowedError, NotFoundError, ConflictError: as for `release`.
    """
    _check_may_act(caller)
    node = node.pinned()
    with reporting_damage(node), node.store.read() as unit:
        waiting = find_waiting(node, unit, origin, event, party)
    chosen = _chosen(node, waiting, slots)
    if waiting.log.type == "report":
        return Preview(None, b"")
    freed = (Release(*held_slot(item), party, frozenset(Need)) for item in chosen)
    target = replace(waiting.target, releases=(*waiting.target.releases, *freed))
    offer = offer_to(node, waiting.holding, target)
    check_may_see(caller, offer)
    return Preview(offer.projection.digest if offer.package else None, offer.package)


def release(
    node: Node,
    caller: Caller,
    origin: str,
    event: str,
    party: str,
    slots: Sequence[Slot],
    reason: str,
    *,
    ground: str = "",
    reference: str = "",
) -> Released:
    """Say that held slots, as they read now, may go to one party; done when enough have said so.

    Raises:
        NotAllowedError: the caller may not release these, or comes with a token and not in person.
        BadInputError: no reason is given, or too long a one, or a ground that is none.
        PatientDataError: the reason or reference holds patient data; both may leave with a file.
        NotFoundError: nothing of the kind is held from this party.
        ConflictError: a slot no longer reads as the caller saw it.
    """
    _check_may_act(caller)
    node = node.pinned()
    said = Act(caller.name, caller.role, _ground(ground, reference), reference.strip())
    check_said("reason", reason)
    check_words(node, caller, reason=reason, reference=reference)
    with reporting_damage(node), node.store.read() as unit:
        waiting = find_waiting(node, unit, origin, event, party)
    chosen = {held_slot(item): waiting.needs(node, item) for item in _chosen(node, waiting, slots)}
    _check_person(caller, chosen.values())
    return _write(node, caller, waiting, chosen, said, reason)


def list_acts(node: Node, caller: Caller, origin: str, event: str) -> tuple[ActRow, ...]:
    """Give every act on a log's holds, with its signed envelope.

    Raises:
        NotAllowedError: the caller is not staff of this node.
    """
    _check_may_act(caller)
    with node.store.read() as unit:
        return acts_of(unit.connection, origin, event)


def _write(
    node: Node,
    caller: Caller,
    waiting: Waiting,
    chosen: Mapping[HeldSlot, frozenset[Need]],
    said: Act,
    reason: str,
) -> Released:
    """Keep the act, and what it completes; should a value have been edited, it means nothing."""
    envelope = _signed(node, waiting, chosen, said, reason)
    with node.store.write() as unit:
        conn, party = unit.connection, waiting.target.party.org
        lock_releases(conn, *waiting.key)
        acts = acts_of(conn, *waiting.key)
        fresh = {slot for slot in chosen if said not in said_of(acts, slot, party)}
        before = _complete(chosen, acts, party)
        if fresh:
            row = ActRow(
                origin=waiting.log.origin,
                event=waiting.log.event,
                party=party,
                person=said.person,
                role=said.role,
                ground=said.ground,
                reference=said.reference,
                reason=reason,
                envelope=envelope,
                acted_at=node.clock(),
                slots=frozenset(chosen),
            )
            add_act(conn, row)
            acts = (*acts, row)
        done = _complete(chosen, acts, party)
        new = {*add_releases(conn, waiting.key, party, done, node.clock()), *(done - before)}
        if new and waiting.log.type == "event":
            mark_dirty(conn, [waiting.key])
        if fresh:
            detail = _detail(waiting, chosen, said, reason, envelope, len(new))
            note(unit, node, caller, "hold.release", waiting.log, detail)
    told = tuple(ReleasedTo(*slot[:2], is_released=slot in done) for slot in sorted(chosen))
    return Released(*waiting.key, party, told, is_new=bool(fresh))


def _signed(
    node: Node, waiting: Waiting, slots: Iterable[HeldSlot], said: Act, reason: str
) -> bytes:
    act = ReleaseAct(
        iss=node.org,
        origin=waiting.log.origin,
        event=waiting.log.event,
        party=waiting.target.party.org,
        slots=tuple(ReleasedSlot(*slot) for slot in sorted(slots)),
        person=said.person,
        role=said.role,
        ground=said.ground,
        reference=said.reference,
        reason=reason,
        rulebook=node.judge.rulebook.digest,
        iat=node.clock(),
    )
    return make_release_act(act, node.signers)


def _detail(
    waiting: Waiting,
    chosen: Collection[HeldSlot],
    said: Act,
    reason: str,
    envelope: bytes,
    released: int,
) -> Mapping[str, object]:
    return {
        "party": waiting.target.party.org,
        "about": waiting.about,
        "slots": [list(slot) for slot in sorted(chosen)],
        "role": said.role,
        "ground": said.ground,
        "reference": said.reference,
        "reason": reason,
        "released": released,
        "act": sha256(envelope).hexdigest(),
    }


def _holds(
    node: Node, caller: Caller, waiting: Waiting, acts: Collection[ActRow]
) -> Iterator[Hold]:
    target = waiting.target
    for item in waiting.waits(node):
        slot, needs = held_slot(item), waiting.needs(node, item)
        yield Hold(
            origin=waiting.log.origin,
            event=waiting.log.event,
            about=waiting.about,
            info=waiting.title_for(caller),
            record=item.record,
            slot_type=item.slot_type,
            content=item.slot_hash,
            size=waiting.size_of(item),
            kind=item.kind,
            name=item.field or _word(item.kind),
            field=item.field,
            party=target.party.org,
            party_name=target.name,
            tlp=item.label.tlp.word,
            reasons=item.reasons,
            needs=tuple(SENTENCES[need] for need in sorted(needs)),
            given=tuple(_given(act) for act in acts if act.is_on(slot, target.party.org)),
        )


def _chosen(node: Node, waiting: Waiting, slots: Sequence[Slot]) -> list[HeldItem]:
    """The items that are meant, each still as it was seen."""
    if not slots:
        raise BadInputError("slots", "name at least one")
    items = {(item.record, item.slot_type): item for item in waiting.items(node)}
    chosen = []
    for slot in slots:
        item = items.get((slot.record, slot.slot_type))
        if item is None:
            raise NotFoundError("hold")
        if slot.content not in {None, item.slot_hash}:
            raise ConflictError("it was edited since you looked: look again, then release")
        chosen.append(item)
    return chosen


def _complete(
    chosen: Mapping[HeldSlot, frozenset[Need]], acts: Collection[ActRow], party: str
) -> set[HeldSlot]:
    return {
        slot for slot, needs in chosen.items() if is_complete(needs, said_of(acts, slot, party))
    }


def _given(act: ActRow) -> Given:
    return Given(act.person, act.role, act.acted_at, act.reason, act.ground, act.reference)


def _check_may_act(caller: Caller) -> None:
    if caller.role not in {OPERATOR, "analyst"}:
        raise NotAllowedError("only an operator or an analyst of this node sees what is held")


def _check_person(caller: Caller, needs: Iterable[frozenset[Need]]) -> None:
    """Let nobody be a program, since the act is signed in a person's name; an analyst a second."""
    if caller.is_token:
        raise NotAllowedError("persons release what is held: sign in, a token is nobody")
    if caller.role != OPERATOR and not all(some & _WITH_A_SECOND for some in needs):
        raise NotAllowedError("only an operator of this node may release what is held")


def _ground(ground: str, reference: str) -> Ground:
    try:
        known = Ground(ground)
    except ValueError:
        raise BadInputError("ground", "consent or order, or nothing") from None
    check_said("reference", reference, needed=known is not Ground.NONE)
    if reference.strip() and known is Ground.NONE:
        raise BadInputError("ground", "say what the reference is of: consent or order")
    return known


def _word(kind: int) -> str:
    return Kind(kind).name.lower() if kind in set(Kind) else f"record of kind {kind}"
