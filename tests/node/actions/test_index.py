"""Index rows of foreign logs: whatever stands in a slot, nothing breaks and nothing more is shown."""

from datetime import UTC, datetime

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node.actions.index import index_of
from node.storage.entries import LogIndex
from policies.label import Label
from policies.tlp import Tlp
from sharing.seal.holding import Holding
from sharing.seal.keys import Signer
from sharing.seal.labels import addressee_record, label_record
from sharing.seal.records import Header, Kind, Record, SlotType
from sharing.seal.seal import seal

LOG = "6f0c6a1e-1111-4222-8333-444455556666"
ORG = "0f0e0d0c-0b0a-4908-8706-050403020100"
UUID = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"


def held(*records: Record) -> Holding:
    return seal(
        [label_record(0, Label(Tlp.GREEN)), *records],
        log="event",
        event=LOG,
        issuer=ORG,
        signers=[Signer.from_private(Ed25519PrivateKey.from_private_bytes(bytes(32)))],
        seed=bytes(32),
        class_salt=bytes(16),
        at=datetime(2026, 1, 27, tzinfo=UTC),
    )


def record(kind: int, **slots: object) -> Record:
    types = tuple(sorted(SlotType[name.upper()] for name in slots))
    by_type = {SlotType[name.upper()]: orjson.dumps(members) for name, members in slots.items()}
    return Record(Header(kind, types, (0,) * len(types)), tuple(by_type[t] for t in types))


def values(index: LogIndex) -> list[str]:
    return [each.value for each in index.entries]


@pytest.mark.parametrize(
    "head",
    [
        {"uuid": UUID, "type": "domain"},
        {"uuid": UUID, "value": "x"},
        {"uuid": UUID, "type": 7, "value": "x"},
        {"uuid": UUID, "type": "t" * 65, "value": "x"},
        {"uuid": UUID, "type": "", "value": "x"},
        {"uuid": UUID, "type": "a\0b", "value": "x"},
        {"uuid": "u" * 37, "type": "domain", "value": "x"},
        {"uuid": UUID, "type": "domain", "value": {"not": "text"}},
        {"type": "domain", "value": "x"},
    ],
)
def test_an_attribute_said_in_an_odd_way_is_not_indexed(head: dict[str, object]) -> None:
    index = index_of(held(record(Kind.ATTRIBUTE, head=head)))
    assert index.entries == ()
    assert {facts.kind for facts in index.classes} == {Kind.LABEL, Kind.ATTRIBUTE}


def test_a_value_stands_in_the_head_or_apart_and_nul_is_kept_from_the_database() -> None:
    fine = {"uuid": UUID, "type": "domain"}
    compact = {"uuid": UUID[:-1] + "b", "type": "domain", "value": "a\0b"}
    index = index_of(
        held(
            record(Kind.ATTRIBUTE, head=fine, value={"value": "evil.example"}),
            record(Kind.ATTRIBUTE, head=compact),
            record(Kind.CORE, head={"uuid": LOG, "info": "about"}),
        )
    )
    assert sorted(values(index)) == ["about", "a\ufffdb", "evil.example"]
    valued = {each.value: each.valued.type for each in index.entries}
    assert valued["evil.example"] == SlotType.VALUE
    assert valued["about"] == SlotType.HEAD


def test_a_withheld_value_is_not_indexed_and_its_class_not_noted() -> None:
    fine = {"uuid": UUID, "type": "domain"}
    whole = held(record(Kind.ATTRIBUTE, head=fine, value={"value": "evil.example"}))
    cut = whole.narrowed({0: 1, 1: 1})
    assert values(index_of(cut)) == []
    types = {facts.type for facts in index_of(cut).classes if facts.kind == Kind.ATTRIBUTE}
    assert types == {SlotType.HEAD}


def test_a_class_knows_the_addressees_of_its_byte() -> None:
    index = index_of(
        held(
            label_record(16, Label(Tlp.AMBER, only=True)),
            addressee_record(16, party=ORG),
            Record(
                Header(Kind.ATTRIBUTE, (SlotType.HEAD,), (16,)),
                (orjson.dumps({"uuid": UUID, "type": "domain", "value": "x"}),),
            ),
        )
    )
    (row,) = index.entries
    assert row.head == row.valued
    assert row.head.addressees == {ORG}
    assert (row.head.label.tlp, row.head.label.only) == (Tlp.AMBER, True)
