"""What leaves as a file, for an authority: a declaration, cut by one, released by two (D12).

Somebody who may read it chooses slots of an incident's report (or of another event of ours). They
are sealed as a log of their own, of type `declaration`, addressed to that authority: it tells
nothing of what was not chosen, not even its number, and no feed ever has it. Then it waits like
anything that is held, and dies when its source says something else. The file is the declaration's
package, byte for byte what was previewed, with a summary for people and the signed acts of those
who released it.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from node.actions.caller import Caller
from node.actions.errors import BadInputError, ConflictError, NotAllowedError, NotFoundError
from node.actions.holds import Slot
from node.actions.ledger import note_handed_over
from node.actions.own import check_operator, note
from node.actions.people import AUTHORITY
from node.actions.read import report_over
from node.actions.readable import Readable, find_readable
from node.actions.sealing import Birth, Version, first_version, fresh_uuid, write_version
from node.actions.stored import reporting_damage
from node.actions.summary import summary_of
from node.actions.towards import Offer, check_may_see, offer_to
from node.actions.waiting import (
    DECLARATION,
    Declaration,
    Waiting,
    declarations_of,
    find_waiting,
    slots_of,
)
from node.node import Node
from node.storage.ledger import given_of
from node.storage.logs import LogRow
from node.storage.people import Org, find_org, list_orgs
from node.storage.releases import ActRow, acts_of
from node.storage.store import Unit
from sharing.declaration import cut_declaration
from sharing.seal.holding import HeldRecord
from sharing.seal.records import Kind, SlotType
from sharing.slots_read import read_log
from sharing.view import view

_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # the file's bytes do not depend on when it is fetched
_CHOSEN_FROM = frozenset({Kind.ATTRIBUTE, Kind.FIELD})


@dataclass(frozen=True, slots=True)
class Part:
    """A slot that may be chosen: what it is and says, and under which label."""

    record: str
    slot_type: int
    name: str
    slot: str
    value: str
    tlp: str
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Declared:
    """A declaration; `event` is its own uuid, `about` the event it was cut from."""

    origin: str
    event: str
    about: str
    party: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class DeclarationState:
    """How far a declaration is: `state` is waits, released, outdated or handed over."""

    origin: str
    event: str
    about: str
    info: str
    party: str
    party_name: str
    state: str
    acts: tuple[str, ...]
    declared_at: datetime
    handed_over_at: datetime | None


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The file; `name` is what to call it."""

    name: str
    content: bytes


def list_authorities(node: Node) -> tuple[Org, ...]:
    """Give the authorities that this node knows."""
    with node.store.read() as unit:
        return tuple(home for home in list_orgs(unit.connection) if home.kind == AUTHORITY)


def list_parts(node: Node, caller: Caller, origin: str, event: str) -> tuple[Part, ...]:
    """Give what of an event of ours the caller may read, and so may choose for a declaration.

    Raises:
        NotAllowedError, NotFoundError: as for `declare`.
    """
    with reporting_damage(node), node.store.read() as unit:
        source = _source(node, unit, caller, origin, event)
    return tuple(part for _, _, part in _parts(source))


def declare(
    node: Node, caller: Caller, origin: str, event: str, to: str, slots: Sequence[Slot]
) -> Declared:
    """Cut a declaration for an authority; nothing leaves before two persons have released it.

    The same choice again, of what still reads the same, gives the declaration that is there.

    Raises:
        NotAllowedError: the caller is no operator.
        NotFoundError: there is no such event, authority, or slot that the caller may read.
        BadInputError: no slot is named.
    """
    node = node.pinned()
    with reporting_damage(node), node.store.read() as unit:
        source = _source(node, unit, caller, origin, event)
        home = find_org(unit.connection, to)
        if home is None or home.kind != AUTHORITY:
            raise NotFoundError("authority")
        masks = _masks(source, slots)
        said = Declaration(
            about=event,
            source=source.log.event,
            to=to,
            info=read_log(source.holding).event.info,
            content=frozenset(slots_of(source.holding.narrowed(masks))),
        )
        for log in declarations_of(unit, event):
            if Declaration.of(log) == said:
                return Declared(node.org, log.event, event, to, is_new=False)
    version = _sealed(node, source, masks, said)
    with node.store.write() as unit:
        write_version(unit, version)
        detail = {"about": event, "party": to, "slots": len(slots), "seal": version.log.seal}
        note(unit, node, caller, "declaration.cut", version.log, detail)
    return Declared(node.org, version.log.event, event, to, is_new=True)


def list_declarations(node: Node, caller: Caller) -> tuple[DeclarationState, ...]:
    """Give every declaration of this node, oldest first, and how far it is.

    Raises:
        NotAllowedError: the caller is not staff of this node.
    """
    if not caller.is_staff:
        raise NotAllowedError("only this node's staff sees what is declared")
    node = node.pinned()
    with node.store.read() as unit:
        return tuple(_state(node, unit, caller, log) for log in declarations_of(unit))


def hand_over(node: Node, caller: Caller, origin: str, event: str) -> HandedOver:
    """Give the file of a declaration, once it is released whole; each time leaves its line.

    Raises:
        NotAllowedError: the caller is no operator, or comes with a token and it holds TLP:RED.
        NotFoundError: there is no such declaration.
        ConflictError: it waits for somebody, or its source says something else by now.
    """
    check_operator(caller, "hand a file over")
    node = node.pinned()
    with reporting_damage(node), node.store.read() as unit:
        waiting = _find(node, unit, origin, event)
        acts = acts_of(unit.connection, origin, event)
    offer = _released(node, waiting)
    if offer is None:
        why = "its source says something else by now" if waiting.is_outdated else "it waits"
        raise ConflictError(f"this declaration is not to be handed over: {why}")
    check_may_see(caller, offer)
    content = _zipped(node, waiting, offer, acts)
    with node.store.write() as unit:
        note_handed_over(node, unit, waiting.target.party.org, waiting.holding, offer.projection)
        detail = {
            "party": waiting.target.party.org,
            "about": waiting.about,
            "digest": offer.projection.digest,
            "size": len(offer.package),
            "persons": sorted({act.person for act in acts}),
        }
        note(unit, node, caller, "declaration.hand-over", waiting.log, detail)
    return HandedOver(f"declaration-{event}.zip", content)


def _source(node: Node, unit: Unit, caller: Caller, origin: str, event: str) -> Readable:
    """The log the words are in: of an incident its report, else the event itself."""
    check_operator(caller, "declare to an authority")
    seen = find_readable(node, unit, caller, origin, event)
    if not seen.standing.own:
        raise NotFoundError("event of yours")
    return report_over(node, unit, caller, seen) or seen


def _parts(source: Readable) -> Iterator[tuple[int, int, Part]]:
    """What may be chosen, with its record's index and its place there."""
    labels = source.holding.labels
    for index, mask in source.projection.masks.items():
        record = source.holding.records[index]
        if record.header.kind not in _CHOSEN_FROM or not mask & 1:
            continue
        head = _members(record, 0)
        for n, (kind, byte) in enumerate(
            zip(record.header.types, record.header.labels, strict=True)
        ):
            told = _told(_members(record, n), is_head=n == 0)
            if told and mask >> n & 1:
                label = labels.effective(byte)
                yield (
                    index,
                    n,
                    Part(
                        record=str(head.get("uuid", "")),
                        slot_type=kind,
                        name=str(head.get("field") or head.get("type") or ""),
                        slot=SlotType(kind).name.lower() if kind in set(SlotType) else str(kind),
                        value=told,
                        tlp=label.tlp.word,
                        categories=tuple(sorted(label.categories)),
                    ),
                )


def _masks(source: Readable, slots: Sequence[Slot]) -> Mapping[int, int]:
    """What these slots are in their log, each with its record's head."""
    if not slots:
        raise BadInputError("slots", "name at least one")
    known = {(part.record, part.slot_type): (index, n) for index, n, part in _parts(source)}
    masks: dict[int, int] = {}
    for slot in slots:
        place = known.get((slot.record, slot.slot_type))
        if place is None:
            raise NotFoundError("slot")
        masks[place[0]] = masks.get(place[0], 1) | 1 << place[1]
    return dict(sorted(masks.items()))


def _sealed(node: Node, source: Readable, masks: Mapping[int, int], said: Declaration) -> Version:
    records = cut_declaration(source.holding, masks, authority=said.to)
    birth = Birth(DECLARATION, fresh_uuid(node), source.log.source or node.org, said.ground())
    return first_version(node, birth, records, node.clock())


def _find(node: Node, unit: Unit, origin: str, event: str) -> Waiting:
    log = next((each for each in declarations_of(unit) if each.event == event), None)
    if log is None or origin != log.origin:
        raise NotFoundError("declaration")
    return find_waiting(node, unit, origin, event, Declaration.of(log).to)


def _released(node: Node, waiting: Waiting) -> Offer | None:
    """The whole declaration, if all of it was held and has been released to its authority."""
    held = waiting.items(node)
    was_held = {item.record for item in held} == {one.record for one in slots_of(waiting.holding)}
    if not was_held or waiting.waits(node):
        return None
    offer = offer_to(node, waiting.holding, waiting.target)
    return offer if offer.projection.masks == waiting.holding.masks else None


def _state(node: Node, unit: Unit, caller: Caller, log: LogRow) -> DeclarationState:
    said = Declaration.of(log)
    waiting = find_waiting(node, unit, log.origin, log.event, said.to)
    given = given_of(unit.connection, [(log.origin, log.event)])
    acts = acts_of(unit.connection, log.origin, log.event)
    if given:
        state = "handed over"
    elif waiting.is_outdated:
        state = "outdated"
    else:
        state = "waits" if _released(node, waiting) is None else "released"
    return DeclarationState(
        origin=log.origin,
        event=log.event,
        about=said.about,
        info=waiting.title_for(caller),
        party=said.to,
        party_name=waiting.target.name,
        state=state,
        acts=tuple(f"{act.person}, {act.role}" for act in acts),
        declared_at=log.first_seen_at,
        handed_over_at=given[0].given_at if given else None,
    )


def _zipped(node: Node, waiting: Waiting, offer: Offer, acts: Sequence[ActRow]) -> bytes:
    """The file: the package, a summary for people, and the acts that released it."""
    shown = view(waiting.holding, offer.projection.masks, reader=node.me)
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in (
            ("declaration.ndjson", offer.package),
            ("summary.txt", summary_of(node, waiting, shown, offer.package, acts).encode()),
            *((f"act-{n}.json", act.envelope) for n, act in enumerate(acts, start=1)),
        ):
            file.writestr(zipfile.ZipInfo(name, _ZIP_EPOCH), content, zipfile.ZIP_DEFLATED)
    return whole.getvalue()


def _told(members: Mapping[str, object], *, is_head: bool) -> str:
    """What a slot says, in words; of a head only the value that may stand in it."""
    value = members.get("value")
    if value is not None:
        return value if isinstance(value, str) else orjson.dumps(value).decode()
    return "" if is_head else ", ".join(f"{name}: {each}" for name, each in members.items())


def _members(record: HeldRecord, n: int) -> dict[str, object]:
    slot = record.slots[n]
    members: dict[str, object] = {} if slot is None else orjson.loads(slot)
    return members
