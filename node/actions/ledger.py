"""What enters the ledger: each page before it goes, each file when it is handed over.

A line is written before the bytes leave, so nothing can be given without one; that it arrived,
only the party's acknowledgement says. With the first giving of a log's record goes what it was and
a keyed hash of its value: "who has seen this indicator?" is answered when the value itself is long
erased, and nobody without this node's key finds out from the table which values stood there.
"""

import hmac
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

import orjson

from federation.auth import Received, verify_request
from federation.errors import BadRequestError
from federation.receipt import name_of_item
from federation.wire import Op
from node import outside
from node.node import Node
from node.storage.entries import found_by, value_key
from node.storage.feed import OfferRow
from node.storage.ledger import (
    FILE,
    Acknowledgement,
    GivenRow,
    RecordRow,
    add_given,
    add_records,
    recorded,
)
from node.storage.receipts import GivenItem, add_items
from node.storage.restores import last_mark
from node.storage.store import Unit
from sharing.project import Projection
from sharing.seal.holding import HeldRecord, Holding
from sharing.seal.records import Kind, SlotType
from sharing.seal.tables import encode_void

_PURPOSE = b"isac ledger 1"
_SILENT = frozenset({Kind.LABEL, Kind.ADDRESSEE, Kind.PAD})
_VALUED = frozenset({SlotType.HEAD, SlotType.VALUE, SlotType.TWIN})
_WHAT_CHARS = 64
_UUID_CHARS = 36
_SIGNED = ("signature-input", "signature")
_CREATED = re.compile(r";created=(\d{1,12})")

Members = dict[str, object]
Offered = tuple[OfferRow, Holding | None]  # a row, and of a PUT what it is made from


def item_lines(chunks: Sequence[bytes]) -> list[bytes]:
    """Give the item lines of a page as `write_page` wrote it: header, items, trailer."""
    return [chunk[: chunk.index(b"\n")] for chunk in chunks[1:-1]]


def note_given(
    node: Node,
    feed: str,
    offers: Iterable[Offered],
    records: Sequence[RecordRow],
    *,
    lines: Sequence[bytes],
    stands: Callable[[Unit], bool],
) -> bool:
    """Keep what stands on a page that is about to go, and what was not recorded of it yet.

    `lines` are the item lines of the offers, as they go. Where they no longer stand when they are
    kept, nothing is, and the page must not go.
    """
    at = node.clock()
    given = [_given(feed, each, at) for each in offers]
    if not given:
        return True
    with node.store.write() as unit:
        if not stands(unit):
            return False
        add_given(unit.connection, given)
        add_items(unit.connection, map(_item, given, lines))
        logs = {(one.origin, one.event, one.epoch) for one in records}
        lowest = min((one.record for one in records), default=0)
        known = recorded(unit.connection, logs, lowest=lowest)
        add_records(
            unit.connection,
            [
                one
                for one in records
                if (one.record, one.slot_type) not in known[one.origin, one.event, one.epoch]
            ],
        )
        mark = last_mark(unit.connection)
    outside.note_given(node.settings.data, mark)
    return True


def note_handed_over(
    node: Node, unit: Unit, party: str, holding: Holding, projection: Projection
) -> None:
    """Keep that all of this was handed over as a file; once is enough."""
    statement = holding.statement
    row = GivenRow(
        party=party,
        feed=FILE,
        pos=0,
        origin=statement.iss,
        event=statement.event,
        op=Op.PUT,
        epoch=statement.epoch,
        seq=statement.seq,
        seal=statement.seal,
        digest=projection.digest,
        map=projection.encoded_map,
        size=statement.size,
        void=encode_void(holding.void),
        rulebook=node.judge.rulebook.digest,
        given_at=node.clock(),
    )
    add_given(unit.connection, [row])
    add_records(unit.connection, unrecorded(node, unit, holding, projection.masks))


def unrecorded(
    node: Node, unit: Unit, holding: Holding, masks: Mapping[int, int]
) -> list[RecordRow]:
    """Give the rows of what the masks disclose that the ledger does not know yet."""
    log = (holding.statement.iss, holding.statement.event, holding.statement.epoch)
    known = recorded(unit.connection, [log], lowest=min(masks, default=0))[log]
    places = {record for record, _ in known} if log[0] == node.org else set[int]()
    return [
        row
        for index in masks
        if index not in places
        for row in _rows(node, log, index, holding.records[index])
        if (row.record, row.slot_type) not in known
    ]


def keys_of(node: Node, value: str) -> frozenset[str]:
    """Give the keys under which the ledger has a value."""
    return frozenset({_key(node, value)})


def keep_request(received: Received) -> bytes:
    """Give the signed words of a request, for whoever is to check them later."""
    signed = [(name, value) for name, value in received.headers if name.lower() in _SIGNED]
    return orjson.dumps([received.method, received.target, signed])


def is_proven(node: Node, ack: Acknowledgement) -> bool:
    """Whether it is the party's own signed request, checked with its key of then."""
    if ack.request is None:
        return False
    try:
        method, target, signed = orjson.loads(ack.request)
        headers = [(str(name), str(value)) for name, value in signed]
        created = next(found for _, value in headers if (found := _CREATED.search(value)))
        asker = verify_request(
            Received(str(method), str(target), headers),
            base_url=node.settings.base_url,
            registry=node.registry,
            now=datetime.fromtimestamp(int(created[1]), UTC),
        )
    except (ValueError, TypeError, StopIteration, BadRequestError):
        return False
    return asker.org == ack.party


def _given(feed: str, offered: Offered, at: datetime) -> GivenRow:
    offer, holding = offered
    return GivenRow(
        party=offer.peer,
        feed=feed,
        pos=offer.pos,
        origin=offer.origin,
        event=offer.event,
        op=offer.op,
        epoch=offer.epoch,
        seq=offer.seq,
        seal=offer.seal,
        digest=offer.digest,
        map=offer.map,
        size=None if holding is None else holding.statement.size,
        void=None if holding is None else encode_void(holding.void),
        rulebook=offer.rulebook,
        given_at=at,
    )


def _item(row: GivenRow, line: bytes) -> GivenItem:
    return GivenItem(
        party=row.party,
        item=name_of_item(line),
        pos=row.pos,
        origin=row.origin,
        event=row.event,
        op=row.op,
        epoch=row.epoch,
        seq=row.seq,
    )


def _rows(
    node: Node, log: tuple[str, str, int], index: int, record: HeldRecord
) -> Iterator[RecordRow]:
    """One row a value that is held of the record; one without a key where there is none."""
    header = record.header
    if header.kind in _SILENT:
        return
    slots = {
        slot_type: _members(slot)
        for slot_type, slot in zip(header.types, record.slots, strict=True)
        if slot is not None and slot_type in _VALUED
    }
    head = slots.get(SlotType.HEAD, {})
    name = next((head[each] for each in ("field", "type", "name") if each in head), None)
    what = str(name or (Kind(header.kind).name if header.kind in set(Kind) else header.kind))
    told = [
        (slot_type, _key(node, text))
        for slot_type, members in slots.items()
        for text in _texts(what, header.kind, members)
    ]
    for slot_type, key in told or [(0, "")]:
        yield RecordRow(
            origin=log[0],
            event=log[1],
            epoch=log[2],
            record=index,
            uuid=str(head.get("uuid", ""))[:_UUID_CHARS].replace("\0", ""),
            kind=header.kind,
            what=what[:_WHAT_CHARS].replace("\0", ""),
            types=header.types,
            slot_type=slot_type,
            key=key,
        )


def _texts(what: str, kind: int, members: Members) -> Iterable[str]:
    """What a slot's value is found by."""
    value = members.get("info" if kind == Kind.CORE else "value")
    match value:
        case str():
            return set(found_by(what, value)) if kind == Kind.ATTRIBUTE else {value}
        case list():
            return {each for each in value if isinstance(each, str)}
        case _:
            return ()


def _key(node: Node, text: str) -> str:
    return hmac.digest(_secret(node.keys.pseudonym), value_key(text).encode(), "sha256").hex()


@lru_cache(maxsize=1)
def _secret(pseudonym: bytes) -> bytes:
    return hmac.digest(pseudonym, _PURPOSE, "sha256")


def _members(slot: bytes) -> Members:
    """What a slot says; nothing where our own stored bytes are damaged, which others tell."""
    try:
        members = orjson.loads(slot)
    except ValueError:
        return {}
    return members if isinstance(members, dict) else {}
