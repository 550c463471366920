"""Check 7: what slots, labels and addressees may say, and to whom."""

import json

import pytest

from policies.label import Label
from policies.tlp import Tlp
from sharing.seal.labels import LABEL_HEADER, addressee_record, label_record
from sharing.seal.package import write_package
from sharing.seal.records import Header, Kind, Record
from sharing.seal.verify import Recipient
from tests.sharing.seal.altering import refusal
from tests.sharing.seal.liar import lie
from tests.sharing.seal.notary import (
    COMMUNITY,
    EVENT_LABEL,
    ORG,
    OTHER,
    accepted,
    attribute,
    sealed,
    with_slot,
)


@pytest.mark.parametrize(
    "text",
    [
        b"{]}",
        b'{"a":1,"a":2}',
        b'{"a":NaN}',
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b'{"a":1}{"b":2}',
        b'{"uuid":1}',
        b'{"a":' + b"[" * 40 + b"]" * 40 + b"}",
    ],
)
def test_7_a_slot_is_one_i_json_object(text: bytes) -> None:
    assert refusal(lie(with_slot(text))).startswith("check 7: slot: ")


def test_7_a_thing_is_there_once() -> None:
    twice = [EVENT_LABEL, attribute("one"), attribute("one", (1,))]
    assert refusal(lie(twice)).startswith("check 7: slot: two live records of kind 2")
    assert accepted(lie(twice, void=[1]))
    upper = Record(attribute("x").header, (attribute("one").slots[0].replace(b"f", b"F"),))
    assert "one uuid" in refusal(lie([EVENT_LABEL, attribute("one"), upper]))
    tag = Record(Header(Kind.TAG, (1,), (0,)), attribute("one").slots)
    assert accepted(lie([EVENT_LABEL, attribute("one"), tag]))


def test_7_every_label_in_use_is_defined_once() -> None:
    label = label_record(16, Label(Tlp.RED))
    assert refusal(lie([attribute("one")])).startswith("check 7: label record 0 is not")
    assert refusal(lie([EVENT_LABEL, attribute("one", (16,))])).startswith(
        "check 7: label record 16"
    )
    assert "two live" in refusal(lie([EVENT_LABEL, label, label_record(16, Label(Tlp.CLEAR))]))
    assert accepted(lie([EVENT_LABEL, label, attribute("one", (16,))]))
    assert accepted(lie([EVENT_LABEL, label, label_record(16, Label(Tlp.CLEAR))], void=[1]))


def test_7_the_label_of_a_withheld_slot_must_be_there_too() -> None:
    holding = sealed()
    two = next(i for i, r in holding.records.items() if r.header.labels == (0, 16))
    masks = {0: 1, two: 1}
    assert refusal(write_package(holding, masks)).startswith("check 7: label record 16")
    assert accepted(write_package(holding, {**masks, 1: 1}))


@pytest.mark.parametrize(
    "changed",
    [
        {"label": 1},
        {"label": 15},
        {"label": 256},
        {"label": True},
        {"label": "0"},
        {"tlp": "white"},
        {"tlp": "AMBER"},
        {"tlp": None},
        {"pap": "amber+strict"},
        {"categories": "personal"},
        {"categories": [1]},
        {"until": "tomorrow"},
        {"until": 0},
        {"only": 0},
        {"only": None},
        {"relay": "true"},
        {"note": 1},
    ],
    ids=str,
)
def test_7_a_label_record_says_exactly_what_a_label_is(changed: dict[str, object]) -> None:
    members = json.loads(EVENT_LABEL.slots[0]) | changed
    record = Record(LABEL_HEADER, (json.dumps(members).encode(),))
    assert refusal(lie([record])).startswith("check 7: label record: ")


@pytest.mark.parametrize("missing", ["label", "tlp", "pap", "categories", "until", "only", "relay"])
def test_7_a_label_record_misses_nothing(missing: str) -> None:
    members = json.loads(EVENT_LABEL.slots[0])
    del members[missing]
    record = Record(LABEL_HEADER, (json.dumps(members).encode(),))
    assert refusal(lie([record])).startswith("check 7: label record: members")


@pytest.mark.parametrize(
    "members",
    [
        {"label": 0},
        {"label": 3, "party": OTHER},
        {"label": 0, "party": OTHER.upper()},
        {"label": 0, "party": OTHER, "community": OTHER},
        {"label": 0, "party": None},
        {"label": 0, "org": OTHER},
        {"party": OTHER},
    ],
    ids=str,
)
def test_7_an_addressee_record_names_one(members: dict[str, object]) -> None:
    record = Record(addressee_record(0, party=OTHER).header, (json.dumps(members).encode(),))
    assert refusal(lie([EVENT_LABEL, record])).startswith("check 7: addressee record: ")


def test_7_an_addressee_is_named_once() -> None:
    named = addressee_record(0, party=OTHER)
    assert "one addressee" in refusal(lie([EVENT_LABEL, named, named]))
    assert accepted(lie([EVENT_LABEL, named, addressee_record(0, community=OTHER)]))


ME = Recipient(OTHER, frozenset({COMMUNITY}))


@pytest.mark.parametrize(
    ("label", "slot_label", "addressed"),
    [
        (Label(Tlp.GREEN), 0, True),
        (Label(Tlp.GREEN), 2, True),
        (Label(Tlp.GREEN), 3, False),
        (Label(Tlp.AMBER), 0, False),
        (Label(Tlp.RED), 1, True),
        (Label(Tlp.CLEAR, only=True), 0, False),
        (Label(Tlp.CLEAR, only=True), 1, False),
    ],
)
def test_7_what_is_amber_or_only_for_some_needs_us_to_be_named(
    label: Label, slot_label: int, *, addressed: bool
) -> None:
    records = [label_record(0, label), attribute("one", (slot_label,))]
    if addressed:
        assert accepted(lie(records), me=ME)
    else:
        assert refusal(lie(records), me=ME).startswith("check 7: not addressed")
    assert accepted(lie(records))
    assert accepted(lie(records), me=Recipient(ORG, frozenset()))
    for named in (addressee_record(0, party=OTHER), addressee_record(0, community=COMMUNITY)):
        assert accepted(lie([*records, named]), me=ME)


def test_7_being_named_for_one_label_is_not_being_named_for_another() -> None:
    strict = label_record(16, Label(Tlp.AMBER))
    for event, expected in [(Label(Tlp.GREEN), False), (Label(Tlp.GREEN, only=True), True)]:
        records = [label_record(0, event), strict, attribute("one", (16,))]
        raw = lie([*records, addressee_record(0, party=OTHER)])
        if expected:
            assert accepted(raw, me=ME)
        else:
            assert "label 16" in refusal(raw, me=ME)
        if not event.only:
            assert accepted(lie([*records, addressee_record(16, party=OTHER)]), me=ME)


def test_7_a_withheld_amber_slot_needs_nobody_named() -> None:
    holding = sealed([EVENT_LABEL, attribute("one", (0, 3), b'{"comment":"x"}')])
    assert "label 3" in refusal(write_package(holding), me=ME)
    assert accepted(write_package(holding, {0: 1, 1: 1}), me=ME)
