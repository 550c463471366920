"""What a source chooses per attribute: compact or fine, and a coarse twin beside its value."""

from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.decide import Judge
from policies.label import Label
from policies.party import Party
from policies.rulebook import shipped
from policies.tlp import Tlp
from sharing.errors import BadChoiceError
from sharing.event import Attribute, Audience, Draft, Mark, Object, Profile, Relation, Tag, Twin
from sharing.project import Standing, project
from sharing.seal.holding import Holding
from sharing.seal.package import load_holding, read_package, write_package
from sharing.seal.records import Header, Kind, Record, SlotType
from sharing.seal.verify import Recipient, verify
from sharing.slots import Names, add_attributes, cut_event, diff
from sharing.view import View, to_json, view
from tests.sharing.making import BE, DE, NOW, REGISTRY, counting, party, resealed, sealed
from tests.sharing.strategies import COARSE, drafts
from tests.sharing.test_slots import EVENT, attribute, cut, held, of_kind

JUDGE = Judge(shipped("national"))
PEER = Standing(own=False, client=False, direct=True, published=True)
EXACT, NETWORK = "198.51.100.7", "198.51.100.0/24"
GREEN, AMBER = Label(Tlp.GREEN), Label(Tlp.AMBER)
HEAD, TEXT, PLACEMENT, VALUE, TWIN = (
    SlotType.HEAD,
    SlotType.TEXT,
    SlotType.PLACEMENT,
    SlotType.VALUE,
    SlotType.TWIN,
)
NAMED = Audience(frozenset({BE}))


def twinned(n: int = 1, tlp: Tlp = Tlp.GREEN, **more: object) -> Attribute:
    """An address for BE alone, with its network for everybody under this colour."""
    facts = {"mark": Mark(AMBER, NAMED), "twin": Twin(NETWORK, Mark(Label(tlp))), **more}
    return attribute(n, EXACT, **facts)


def only_record(*attributes: Attribute, label: Label = GREEN) -> Record:
    records = cut(replace(EVENT, attributes=attributes), label)
    (record,) = of_kind(records, Kind.ATTRIBUTE)
    return record


def to(reader: Party, holding: Holding) -> tuple[bytes, View]:
    """What a party gets, as bytes and as it reads them, after its own node has verified them."""
    package = write_package(holding, project(holding, reader, PEER, JUDGE, (), NOW).masks)
    me = Recipient(reader.org, reader.communities)
    got = verify(read_package(package), REGISTRY, first_seen_at=NOW, me=me).holding
    return package, view(got, got.masks, reader=reader)


# ── Profile ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("label", "profile", "apart"),
    [
        (GREEN, None, False),
        (GREEN, "compact", False),
        (GREEN, "fine", True),
        (AMBER, None, True),
        (AMBER, "compact", False),
        (AMBER, "fine", True),
    ],
)
def test_the_source_chooses_the_profile_and_else_its_label_does(
    label: Label, profile: Profile | None, apart: bool
) -> None:
    record = only_record(attribute(profile=profile), label=label)
    assert (VALUE in record.header.types) is apart
    assert ("value" in orjson.loads(record.slots[0])) is not apart
    assert len(set(record.header.labels)) == 1


# ── Twins ────────────────────────────────────────────────────────────────────────────────────────


def test_head_and_twin_carry_the_twins_label_and_all_else_that_of_the_value() -> None:
    said = twinned(comment="ext 4711", extra={"x_note": "of the exact one"})
    inside = Object("00000009-aaaa-4aaa-8aaa-aaaaaaaaaaaa", "file", 1, attributes=(said,))
    [record] = of_kind(cut(replace(EVENT, objects=(inside,)), AMBER), Kind.ATTRIBUTE)
    assert record.header.types == (HEAD, TEXT, PLACEMENT, VALUE, TWIN)
    strict = record.header.labels[1]
    assert record.header.labels == (Tlp.GREEN, strict, strict, strict, Tlp.GREEN)
    assert strict >= 16  # named
    head, _, _, value, twin = map(orjson.loads, record.slots)
    assert sorted(head) == ["category", "timestamp", "to_ids", "type", "uuid"]
    assert value == {"value": EXACT, "x_note": "of the exact one"}
    assert twin == {"value": NETWORK}


def test_who_may_not_have_the_value_gets_the_twin_and_nothing_of_the_value() -> None:
    tagged = twinned(comment="ext 4711", extra={"x_note": "of the exact one"})
    package, seen = to(party(DE, "node", "DE"), held(replace(EVENT, attributes=(tagged,))))
    (got,) = seen.event.attributes
    assert (got.value, got.precision, got.twin) == (NETWORK, "twin", None)
    assert (got.comment, got.extra) == ("", {})
    assert seen.labels[got.uuid].tlp == Tlp.GREEN
    assert seen.some_withheld
    for secret in (EXACT.encode(), b"ext 4711", b"of the exact one"):
        assert secret not in package


def test_who_is_named_reads_the_value_beside_what_others_get() -> None:
    _, seen = to(party(BE), held(replace(EVENT, attributes=(twinned(),))))
    (got,) = seen.event.attributes
    assert (got.value, got.precision) == (EXACT, "exact")
    assert got.twin is not None
    assert got.twin.value == NETWORK
    assert seen.labels[got.uuid].tlp == Tlp.AMBER
    (told,) = orjson.loads(orjson.dumps(to_json(seen)))["event"]["attributes"]
    assert (told["value"], told["precision"]) == (EXACT, "exact")
    assert (told["twin"]["value"], told["twin"]["label"]["tlp"]) == (NETWORK, "green")


def test_nothing_detects_by_a_twin() -> None:
    holding = held(replace(EVENT, attributes=(twinned(to_ids=True),)))
    assert to(party(BE), holding)[1].event.attributes[0].to_ids is True
    assert to(party(DE, "node", "DE"), holding)[1].event.attributes[0].to_ids is False


def test_what_is_said_of_the_value_does_not_reach_who_has_the_twin() -> None:
    one, other = twinned(1), attribute(2, mark=Mark(GREEN, NAMED))
    relation = Relation("00000008-aaaa-4aaa-8aaa-aaaaaaaaaaaa", other.uuid, one.uuid, "uses", 1)
    holding = held(replace(EVENT, attributes=(one, other), relations=(relation,)))
    assert to(party(BE), holding)[1].event.relations == (relation,)
    assert to(party(DE, "node", "DE"), holding)[1].event.relations == ()


def test_no_head_goes_beside_a_twin_without_a_value() -> None:
    """Were the twin stricter than the head, as another implementation may seal it."""
    records = cut(replace(EVENT, attributes=(twinned(mark=Mark(AMBER)),)))
    (record,) = of_kind(records, Kind.ATTRIBUTE)
    types = record.header.types
    labels = tuple(0 if each == HEAD else int(Tlp.AMBER) for each in types)
    odd = Record(Header(Kind.ATTRIBUTE, types, labels), record.slots)
    others = [each for each in records if each is not record]
    assert to(party(DE, "node", "DE"), sealed([*others, odd], EVENT.uuid))[1].event.attributes == ()


# ── What cannot be ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (
            {"twin": Twin(NETWORK, Mark(Label(Tlp.RED)))},
            r"stricter than its own \(red beside amber\)",
        ),
        ({"twin": Twin(NETWORK, Mark(replace(GREEN, only=True)))}, "stricter than its own"),
        ({"profile": "compact"}, "needs the fine profile"),
        ({"value": None}, "needs a value"),
        ({"deleted": True, "value": None}, "needs a value"),
        ({"twin": Twin(f" {EXACT} ", Mark(GREEN))}, "its twin is its value"),
        ({"uuid": "00000001-aaaa-5aaa-8aaa-aaaaaaaaaaaa"}, "made of its value"),
    ],
    ids=["colour", "only", "compact", "no value", "deleted", "the value itself", "name-based"],
)
def test_a_twin_that_cannot_be_is_refused_by_name(wrong: dict[str, object], why: str) -> None:
    said = replace(twinned(), **wrong)  # type: ignore[arg-type]  # a test names the members
    with pytest.raises(BadChoiceError, match=why) as caught:
        only_record(said)
    assert said.uuid in str(caught.value)
    assert EXACT not in str(caught.value)


def test_a_twin_as_strict_as_its_value_is_no_fault() -> None:
    record = only_record(twinned(tlp=Tlp.AMBER, mark=Mark(AMBER)), label=AMBER)
    assert record.header.labels == (0, 0, 0)


def test_an_intakes_floor_holds_for_a_twin() -> None:
    records = cut(replace(EVENT, attributes=(twinned(),)), AMBER, at_least=Tlp.AMBER)
    (record,) = of_kind(records, Kind.ATTRIBUTE)
    assert dict(zip(record.header.types, record.header.labels, strict=True))[TWIN] == 0  # AMBER


def test_a_colour_nobody_can_read_holds_for_the_twin_too() -> None:
    holding = held(replace(EVENT, attributes=(twinned(tags=(Tag("tlp:unclear"),)),)))
    for reader in (party(BE), party(DE, "node", "DE")):
        assert to(reader, holding)[1].event.attributes == ()


# ── Editing ──────────────────────────────────────────────────────────────────────────────────────


def edited(holding: Holding, *attributes: Attribute) -> Holding:
    return resealed(holding, add_attributes(holding, attributes, Names.of(holding, counting())))


def attributes_of(holding: Holding) -> list[Record]:
    found = [r for r in holding.records.values() if r.header.kind == Kind.ATTRIBUTE]
    return [Record(r.header, tuple(slot or b"" for slot in r.slots)) for r in found]


def test_the_same_again_changes_nothing_and_another_twin_one_record() -> None:
    event = replace(EVENT, attributes=(twinned(), attribute(2)))
    holding = held(event)
    names = Names.of(holding, counting())
    same = diff(holding, cut_event(Draft(event, GREEN, BE), names))
    assert same == ((), ())
    other = replace(twinned(), twin=Twin("198.51.0.0/16", Mark(GREEN)))
    change = diff(
        holding,
        cut_event(Draft(replace(event, attributes=(other, attribute(2))), GREEN, BE), names),
    )
    assert [record.header.kind for record in change.append] == [Kind.ATTRIBUTE]
    assert [holding.records[index].header.kind for index in change.void] == [Kind.ATTRIBUTE]


def test_a_twin_comes_with_an_edit_and_goes_with_the_next() -> None:
    plain = attribute(1, EXACT, mark=Mark(AMBER, NAMED))
    first = held(replace(EVENT, attributes=(plain,)))
    far = party(DE, "node", "DE")
    assert to(far, first)[1].event.attributes == ()
    second = edited(first, twinned())
    assert [each.value for each in to(far, second)[1].event.attributes] == [NETWORK]
    third = edited(second, plain)
    assert to(far, third)[1].event.attributes == ()
    assert len(attributes_of(third)) == 1


# ── Properties ───────────────────────────────────────────────────────────────────────────────────


@given(drafts, st.sampled_from([party(BE), party(DE, "node", "DE"), party("", "public", "")]))
def test_a_twin_alone_shows_as_one_and_its_value_is_nowhere(draft: Draft, reader: Party) -> None:
    holding = sealed(cut_event(draft, Names(counting())), draft.event.uuid)
    masks = project(holding, reader, PEER, JUDGE, (), NOW).masks
    if not masks:
        return
    got = load_holding(write_package(holding, masks))
    seen = view(got, got.masks, reader=reader)
    inside = [each for thing in seen.event.objects for each in thing.attributes]
    for each in [*seen.event.attributes, *inside]:
        is_twin = each.value is not None and each.value.endswith(COARSE)
        assert (each.precision == "twin") is is_twin
        assert not (is_twin and (each.to_ids or each.data or each.comment or each.extra))


@given(drafts)
def test_no_twin_is_stricter_than_its_value(draft: Draft) -> None:
    holding = sealed(cut_event(draft, Names(counting())), draft.event.uuid)
    for record in holding.records.values():
        labels = dict(zip(record.header.types, record.header.labels, strict=True))
        if record.header.kind == Kind.ATTRIBUTE and TWIN in labels:
            value, twin = (holding.labels.effective(labels[each]) for each in (VALUE, TWIN))
            assert labels[HEAD] == labels[TWIN]
            assert twin.tlp <= value.tlp
            assert twin.categories <= value.categories
            assert twin.only <= value.only
