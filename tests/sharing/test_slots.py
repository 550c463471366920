"""What is shared becomes records and can be read back; a new version changes what changed."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.label import Label
from policies.tlp import Pap, Tlp
from sharing.errors import BadRecordError, SharingError
from sharing.event import Attribute, Audience, Draft, Event, Mark, Object, Relation, Tag, read_marks
from sharing.seal.holding import Holding
from sharing.seal.records import Header, Kind, Record, SlotType
from sharing.slots import Names, add_attributes, cut_event, diff
from sharing.slots_names import TooManyLabelsError
from sharing.slots_read import read_log
from tests.sharing.making import BE, DE, HOSPITAL, HUB, counting, resealed, sealed
from tests.sharing.strategies import attributes, drafts, events

EVENT = Event("11111111-1111-4111-8111-111111111111", "Info", "2026-01-27", 1, 0, 1000)
GREEN, AMBER = Label(Tlp.GREEN), Label(Tlp.AMBER)


def attribute(n: int = 1, value: str = "192.0.2.1", **more: object) -> Attribute:
    uuid = f"{n:08x}-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
    plain = Attribute(uuid, "ip-dst", "Network activity", value, to_ids=True, timestamp=1000)
    return replace(plain, **more)  # type: ignore[arg-type]  # a test names the members it changes


def cut(event: Event, label: Label = GREEN, **more: object) -> list[Record]:
    draft = replace(Draft(event, label, HOSPITAL), **more)  # type: ignore[arg-type]
    return cut_event(draft, Names(counting()))


def held(event: Event, label: Label = GREEN, **more: object) -> Holding:
    return sealed(cut(event, label, **more), event.uuid)


def of_kind(records: list[Record], kind: Kind) -> list[Record]:
    return [record for record in records if record.header.kind == kind]


def without_marks(event: Event) -> Event:
    """The event as a reader has it: no word of its source on labels, parts in no order."""

    def bare(each: Attribute) -> Attribute:
        twin = None if each.twin is None else replace(each.twin, mark=Mark(GREEN))
        return replace(each, mark=None, profile=None, twin=twin, tags=by_name(each.tags))

    def by_name(tags: tuple[Tag, ...]) -> tuple[Tag, ...]:
        return tuple(sorted(tags, key=lambda tag: tag.name))

    def inner(each: Object) -> Object:
        ordered = tuple(sorted(map(bare, each.attributes), key=lambda a: a.uuid))
        return replace(each, mark=None, tags=by_name(each.tags), attributes=ordered)

    return replace(
        event,
        tags=by_name(event.tags),
        attributes=tuple(sorted(map(bare, event.attributes), key=lambda a: a.uuid)),
        objects=tuple(sorted(map(inner, event.objects), key=lambda o: o.uuid)),
        relations=tuple(sorted(event.relations, key=lambda r: r.uuid)),
        reports=tuple(
            replace(each, mark=None, tags=by_name(each.tags))
            for each in sorted(event.reports, key=lambda r: r.uuid)
        ),
    )


@given(drafts)
def test_what_was_cut_reads_back_as_the_same_event(draft: Draft) -> None:
    holding = sealed(cut_event(draft, Names(counting())), draft.event.uuid)
    assert without_marks(read_log(holding).event) == without_marks(draft.event)


@given(drafts)
def test_nothing_of_a_draft_is_looser_than_its_floor_or_its_label_allows(draft: Draft) -> None:
    holding = sealed(cut_event(draft, Names(counting())), draft.event.uuid)
    event_label = holding.labels.effective(0)
    assert event_label.tlp >= max(draft.label.tlp, read_marks(draft.event.tags).tlp or Tlp.CLEAR)
    for record in holding.records.values():
        if record.header.kind in {Kind.LABEL, Kind.ADDRESSEE}:
            continue
        for byte in record.header.labels:
            label = holding.labels.effective(byte)
            assert label.tlp >= min(draft.at_least, event_label.tlp)
            assert label.pap >= draft.label.pap
            assert label.categories >= draft.label.categories
            assert label.only >= draft.label.only
            assert label.relay <= draft.label.relay


@given(drafts)
def test_whom_an_only_event_shuts_out_no_part_of_it_lets_in(draft: Draft) -> None:
    holding = sealed(cut_event(draft, Names(counting())), draft.event.uuid)
    allowed = draft.audience.parties | draft.audience.communities
    for record in holding.records.values():
        for byte in record.header.labels:
            if draft.label.only and record.header.kind not in {Kind.LABEL, Kind.ADDRESSEE}:
                assert holding.labels.addressees(byte) <= allowed


def test_what_fewer_than_an_only_events_addressees_may_have_leaves_to_nobody() -> None:
    narrow = attribute(1, mark=Mark(GREEN, Audience(frozenset({BE}))))
    wide = attribute(2, mark=Mark(GREEN))
    whole = replace(AMBER, only=True)
    both = Audience(frozenset({BE, DE}))
    labels = read_log(held(replace(EVENT, attributes=(narrow, wide)), whole, audience=both)).labels
    assert labels[narrow.uuid] == replace(whole, tlp=Tlp.RED)
    assert labels[wide.uuid] == replace(whole, tlp=Tlp.GREEN)


def label_of_the_exact(header: Header) -> int:
    """The label byte of a thing: its head's, but beside a twin that of the value."""
    at = header.types.index(SlotType.VALUE) if SlotType.TWIN in header.types else 0
    return header.labels[at]


@given(drafts)
def test_a_tag_is_at_least_as_strict_as_what_it_stands_on(draft: Draft) -> None:
    holding = sealed(cut_event(draft, Names(counting())), draft.event.uuid)
    things = {
        orjson.loads(record.slots[0] or b"{}")["uuid"]: label_of_the_exact(record.header)
        for record in holding.records.values()
        if record.header.kind in {Kind.ATTRIBUTE, Kind.OBJECT, Kind.REPORT_TEXT, Kind.CORE}
    }
    for record in holding.records.values():
        if record.header.kind in {Kind.TAG, Kind.EVENT_TAG, Kind.GALAXY}:
            head = orjson.loads(record.slots[0] or b"{}")
            assert record.header.labels[0] == things[head.get("target", draft.event.uuid)]


def test_green_attributes_are_compact_and_amber_ones_fine() -> None:
    amber = attribute(2, mark=Mark(AMBER), comment="seen at the gate")
    compact, fine = of_kind(cut(replace(EVENT, attributes=(attribute(), amber))), Kind.ATTRIBUTE)
    assert compact.header.types == (SlotType.HEAD,)
    assert orjson.loads(compact.slots[0])["value"] == "192.0.2.1"
    assert fine.header.types == (SlotType.HEAD, SlotType.TEXT, SlotType.VALUE)
    assert fine.header.labels == (3, 3, 3)
    assert "value" not in orjson.loads(fine.slots[0])
    assert fine.slots[1:] == (b'{"comment":"seen at the gate"}', b'{"value":"192.0.2.1"}')


def test_a_deleted_attribute_keeps_its_head_and_says_nothing_else() -> None:
    gone = attribute(value="203.0.113.9", deleted=True, comment="why", first_seen="2026-01-01")
    for label in (GREEN, AMBER):
        (record,) = of_kind(cut(replace(EVENT, attributes=(gone,)), label), Kind.ATTRIBUTE)
        assert record.header.types == (SlotType.HEAD,)
        assert orjson.loads(record.slots[0])["deleted"] is True
        assert b"203.0.113.9" not in record.slots[0]


def test_an_event_of_one_label_uses_one_label_record_and_byte_zero() -> None:
    records = cut(replace(EVENT, attributes=(attribute(), attribute(2))), AMBER)
    assert Counter(record.header.kind for record in records) == {
        Kind.LABEL: 1,
        Kind.CORE: 1,
        Kind.ATTRIBUTE: 2,
    }
    assert {byte for r in records if r.header.kind != Kind.LABEL for byte in r.header.labels} == {0}


def test_a_colour_of_its_own_needs_no_label_record_and_anything_else_does() -> None:
    red = attribute(1, mark=Mark(Label(Tlp.RED)))
    passive = attribute(2, mark=Mark(Label(Tlp.GREEN, Pap.AMBER)))
    alike = attribute(3, mark=Mark(Label(Tlp.GREEN, Pap.AMBER)))
    named = attribute(4, mark=Mark(AMBER, Audience(frozenset({BE, DE}))))
    records = cut(replace(EVENT, attributes=(red, passive, alike, named)))
    bytes_ = [record.header.labels[0] for record in of_kind(records, Kind.ATTRIBUTE)]
    assert bytes_ == [5, 16, 16, 17]
    assert len(of_kind(records, Kind.LABEL)) == 3
    assert [orjson.loads(r.slots[0]) for r in of_kind(records, Kind.ADDRESSEE)] == [
        {"label": 17, "party": BE},
        {"label": 17, "party": DE},
    ]


def test_a_looser_child_counts_if_its_source_said_so_and_never_below_the_floor() -> None:
    clear = attribute(tags=(Tag("tlp:clear"),))
    draft = replace(EVENT, attributes=(clear,))
    assert of_kind(cut(draft, AMBER), Kind.ATTRIBUTE)[0].header.labels[0] == Tlp.CLEAR
    floored = of_kind(cut(draft, AMBER, at_least=Tlp.GREEN), Kind.ATTRIBUTE)[0]
    assert floored.header.labels[0] == Tlp.GREEN


def test_an_unreadable_tlp_tag_marks_its_thing_and_not_its_neighbour() -> None:
    odd, plain = attribute(1, tags=(Tag("tlp:unclear"),)), attribute(2)
    holding = held(replace(EVENT, attributes=(odd, plain)))
    labels = read_log(holding).labels
    assert labels[odd.uuid].categories == {"unread-label"}
    assert labels[plain.uuid].categories == frozenset()


def test_the_creator_stands_apart_under_its_own_category() -> None:
    holding = held(replace(EVENT, orgc={"name": "ACME", "uuid": HUB}))
    (core,) = [r for r in holding.records.values() if r.header.kind == Kind.CORE]
    assert core.header.types == (SlotType.HEAD, SlotType.IDENTITY)
    assert core.header.labels[0] == 0
    label = holding.labels.effective(core.header.labels[1])
    assert label == replace(GREEN, categories=frozenset({"source-identity"}))


def test_a_relation_is_as_strict_as_both_its_ends() -> None:
    one = Object("00000001-bbbb-4bbb-8bbb-bbbbbbbbbbbb", "file", 1)
    other = replace(one, uuid="00000002-bbbb-4bbb-8bbb-bbbbbbbbbbbb", mark=Mark(Label(Tlp.RED)))
    link = Relation("00000003-bbbb-4bbb-8bbb-bbbbbbbbbbbb", one.uuid, other.uuid, "drops", 1)
    records = cut(replace(EVENT, objects=(one, other), relations=(link,)))
    assert of_kind(records, Kind.RELATION)[0].header.labels == (5,)


def test_a_slot_that_no_verifier_would_take_is_refused_by_name() -> None:
    with pytest.raises(BadRecordError, match="attribute 00000001-aaaa"):
        cut(replace(EVENT, attributes=(attribute(data="A" * (1 << 20)),)))


def test_the_two_hundred_and_forty_first_label_is_refused() -> None:
    many = tuple(
        attribute(
            n, mark=Mark(AMBER, Audience(frozenset({f"{n:08x}-0000-4000-8000-00000000000f"})))
        )
        for n in range(241)
    )
    cut(replace(EVENT, attributes=many[:240]))
    with pytest.raises(TooManyLabelsError, match="240"):
        cut(replace(EVENT, attributes=many))


@given(drafts, drafts)
def test_a_difference_applied_gives_what_a_fresh_cut_gives(one: Draft, other: Draft) -> None:
    later = replace(other, event=replace(other.event, uuid=one.event.uuid))
    first = sealed(cut_event(one, Names(counting())), one.event.uuid)
    wanted = cut_event(later, Names.of(first, uuid_source(first)))
    second = resealed(first, diff(first, wanted))
    assert sorted((r.header.encoded, r.slots) for r in wanted) == sorted(
        (r.header.encoded, r.slots) for r in second.records.values()
    )


@given(drafts)
def test_the_same_draft_cut_again_changes_nothing(draft: Draft) -> None:
    first = sealed(cut_event(draft, Names(counting())), draft.event.uuid)
    assert diff(first, cut_event(draft, Names.of(first, uuid_source(first)))) == ((), ())


@given(events(), attributes())
def test_one_edit_appends_one_attribute_and_voids_one(event: Event, new: Attribute) -> None:
    old = replace(new, value="before", deleted=False, mark=None, tags=(), galaxies=())
    new = replace(new, value="after", deleted=False, mark=None, tags=(), galaxies=())
    first = held(replace(event, attributes=(*event.attributes, old)))
    change = add_attributes(first, [new], Names.of(first, uuid_source(first)))
    assert [record.header.kind for record in change.append] == [Kind.ATTRIBUTE]
    assert len(change.void) == 1
    seen = {each.uuid: each for each in read_log(resealed(first, change)).event.attributes}
    assert seen[new.uuid].value == "after"
    assert set(seen) == {each.uuid for each in read_log(first).event.attributes}


def test_adding_a_stricter_attribute_brings_its_label_along() -> None:
    first = held(replace(EVENT, attributes=(attribute(),)))
    strict = attribute(2, mark=Mark(Label(Tlp.AMBER, Pap.RED), Audience(frozenset({BE}))))
    change = add_attributes(first, [strict], Names.of(first, uuid_source(first)))
    assert [record.header.kind for record in change.append] == [
        Kind.LABEL,
        Kind.ADDRESSEE,
        Kind.ATTRIBUTE,
    ]
    second = resealed(first, change)
    assert read_log(second).labels[strict.uuid] == Label(Tlp.AMBER, Pap.RED)


def test_attributes_are_added_to_logs_of_our_own_only() -> None:
    first = held(EVENT)
    with pytest.raises(SharingError, match="label is not known"):
        add_attributes(first, [attribute()], Names(counting()))


def test_numbers_and_minted_uuids_stay_across_versions() -> None:
    tagged = attribute(1, tags=(Tag("malware"),), mark=Mark(AMBER, Audience(frozenset({BE}))))
    first = held(replace(EVENT, attributes=(tagged,), tags=(Tag("osint"),)))
    other = attribute(2, mark=Mark(AMBER, Audience(frozenset({DE}))))
    draft = Draft(replace(EVENT, attributes=(other, tagged), tags=(Tag("osint"),)), GREEN, HOSPITAL)
    change = diff(first, cut_event(draft, Names.of(first, uuid_source(first))))
    assert change.void == ()
    assert [record.header.kind for record in change.append] == [
        Kind.LABEL,
        Kind.ADDRESSEE,
        Kind.ATTRIBUTE,
    ]


@given(st.lists(st.sampled_from(["tlp:green", "TLP:RED", " tlp:amber ", "tlp:white"]), min_size=1))
def test_of_several_tlp_tags_the_strictest_counts(names: list[str]) -> None:
    order = {"tlp:white": 1, "tlp:green": 2, " tlp:amber ": 3, "TLP:RED": 5}
    assert read_marks(map(Tag, names)).tlp == max(order[name] for name in names)


def test_a_tag_that_claims_both_scales_counts_for_both() -> None:
    marks = read_marks([Tag("TLP:GREEN PAP:RED")])
    assert (marks.unread, marks.pap) == (True, Pap.RED)


def uuid_source(first: Holding) -> Callable[[], str]:
    """Fresh uuids that a first cut has not used yet."""
    fresh = counting()
    for _ in first.records:
        fresh()
    return fresh
