"""What a label byte means."""

from dataclasses import replace

import pytest
from hypothesis import given

from policies.label import Label, join
from policies.tlp import Pap, Tlp
from sharing.seal.labels import (
    LabelTable,
    addressee_record,
    label_record,
    read_addressee,
    read_label,
)
from tests.sharing.seal.notary import COMMUNITY, NOW, OTHER
from tests.sharing.seal.strategies import LABELS


def table(*records: tuple[int, Label], named: dict[int, list[str]] | None = None) -> LabelTable:
    return LabelTable.read(
        [label_record(byte, label).slots[0] for byte, label in records],
        [
            addressee_record(byte, party=who).slots[0]
            for byte, names in (named or {}).items()
            for who in names
        ],
    )


@given(LABELS)
def test_labels_read_back(label: Label) -> None:
    assert read_label(label_record(200, label).slots[0]) == (200, label)


@given(LABELS, LABELS)
def test_a_numbered_label_keeps_its_colour_and_inherits_the_rest(event: Label, own: Label) -> None:
    got = table((0, event), (16, own)).effective(16)
    assert got == replace(join(event, own), tlp=own.tlp)


@given(LABELS)
def test_byte_0_is_the_label_of_the_event(event: Label) -> None:
    assert table((0, event)).effective(0) == event


@given(LABELS)
def test_a_colour_alone_inherits_all_but_the_colour(event: Label) -> None:
    for tlp in Tlp:
        assert table((0, event)).effective(int(tlp)) == replace(event, tlp=tlp)


def test_a_category_we_do_not_know_is_read_as_an_unread_label() -> None:
    slot = label_record(0, Label(Tlp.GREEN)).slots[0]
    slot = slot.replace(b'"categories":[]', b'"categories":["personal","newer"]')
    assert read_label(slot)[1].categories == {"personal", "unread-label"}


def test_those_named_for_a_label_are_not_named_for_another() -> None:
    labels = table(
        (0, Label(Tlp.GREEN)), (16, Label(Tlp.AMBER)), named={0: [COMMUNITY], 16: [OTHER]}
    )
    assert labels.addressees(0) == labels.addressees(3) == {COMMUNITY}
    assert labels.addressees(16) == {OTHER}


def test_those_named_for_an_event_meant_only_for_them_are_named_for_all_of_it() -> None:
    labels = table(
        (0, Label(Tlp.GREEN, only=True)),
        (16, Label(Tlp.AMBER)),
        named={0: [COMMUNITY], 16: [OTHER]},
    )
    assert labels.addressees(16) == {COMMUNITY, OTHER}


def test_a_label_that_is_not_disclosed_has_no_meaning() -> None:
    labels = table((0, Label(Tlp.GREEN, Pap.RED, until=NOW)))
    assert labels.undefined([0, 3, 17, 16]) == 16
    assert labels.undefined([0, 3]) is None
    assert table((16, Label(Tlp.RED))).undefined([]) == 0
    with pytest.raises(KeyError):
        labels.effective(17)


def test_an_addressee_is_an_organisation_or_a_community() -> None:
    record = addressee_record(16, community=COMMUNITY)
    assert read_addressee(record.slots[0]).is_community
    for wrong in ({}, {"party": OTHER, "community": OTHER}):
        with pytest.raises(ValueError, match="one organisation or one community"):
            addressee_record(0, **wrong)


@pytest.mark.parametrize("byte", [1, 5, 6, 15, 256, -1])
def test_only_0_and_16_to_255_can_be_defined(byte: int) -> None:
    with pytest.raises(ValueError, match=r"16\.\.255"):
        label_record(byte, Label(Tlp.GREEN))
    with pytest.raises(ValueError, match=r"16\.\.255"):
        addressee_record(byte, party=OTHER)
