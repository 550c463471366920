"""A sharing group turns: whom each slot is for afterwards, against events cut anew."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from policies.label import Label
from policies.tlp import Tlp
from sharing.event import Audience, Draft, Spread
from sharing.formats.misp import read_misp
from sharing.formats.misp_groups import Group, Reached
from sharing.regroup import Turn, regroup
from sharing.seal.holding import HeldRecord, Holding
from sharing.seal.records import Kind
from sharing.slots import Names, cut_event
from tests.sharing.making import BE, DE, FR, HUB, NL, counting, resealed, sealed

ONE = "2b7c4c0e-9d55-4a0e-8f0d-7a4f7f2f0a01"
OTHER = "2b7c4c0e-9d55-4a0e-8f0d-7a4f7f2f0a02"
ORGS = (BE, DE, NL, HUB)
SIDE = {Kind.LABEL, Kind.ADDRESSEE}
EVENT = "11111111-1111-4111-8111-111111111111"
Reach = Mapping[str, frozenset[str]]

members = st.frozensets(st.sampled_from(ORGS))
spreads: st.SearchStrategy[dict[str, str]] = st.one_of(
    st.just(dict[str, str]()),
    st.sampled_from("0123").map(lambda level: {"distribution": level}),
    st.sampled_from([ONE, OTHER]).map(
        lambda group: {"distribution": "4", "sharing_group_id": group}
    ),
)
tags = st.lists(st.sampled_from(["tlp:clear", "tlp:green", "tlp:amber", "x"]), max_size=2).map(
    lambda names: [{"name": name} for name in dict.fromkeys(names)]
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Events of which things in things are for two groups, and told of each other."""

    def attribute(n: int) -> dict[str, Any]:
        plain: dict[str, Any] = {
            "uuid": f"{n:08x}-aaaa-4aaa-8aaa-aaaaaaaaaaaa",
            "type": "ip-dst",
            "category": "Other",
            "value": f"192.0.2.{n}",
            "comment": "c",
            "profile": "fine",  # else it depends on the colour how many slots there are
            "Tag": draw(tags),
            **draw(spreads),
        }
        twin = {"twin": {"value": "192.0.2.0/24", "tlp": "clear"}}
        return {**plain, **(twin if draw(st.booleans()) else {})}

    uuid = "22222222-2222-4222-8222-222222222222"
    reference = {"uuid": "44444444-4444-4444-8444-444444444444", "relationship_type": "r"}
    thing = {
        "uuid": uuid,
        "name": "file",
        "Tag": draw(tags),
        "Attribute": [attribute(3), attribute(4)],
        "ObjectReference": [{**reference, "referenced_uuid": attribute(1)["uuid"]}],
        **draw(spreads),
    }
    return {
        "uuid": EVENT,
        "info": "i",
        "date": "2026-01-27",
        "timestamp": "1769500000",
        "Orgc": {"uuid": FR, "name": "FR"},
        "Attribute": [attribute(1), attribute(2)],
        "Object": [thing],
        **draw(spreads),
    }


def drafted(document: dict[str, Any], reach: Reach) -> Draft:
    def reached(group: Group) -> Reached:
        return Reached(Audience(reach[group.uuid]), 1, group.uuid)

    (read,) = read_misp(orjson.dumps(document), name="f", choices=True)
    draft = read.draft(intake=Label(Tlp.GREEN), own_org=FR, source=FR, reach=reached)
    return replace(draft, at_least=Tlp.CLEAR)


def held(draft: Draft) -> Holding:
    return sealed(cut_event(draft, Names(counting())), EVENT)


def turn(before: frozenset[str], after: frozenset[str]) -> Turn:
    """The group gets other members, each reached as itself."""
    return Turn(ONE, {org: frozenset({org}) for org in after}, after - before)


def turned(holding: Holding, said: Mapping[str, Spread], to: Turn) -> Holding:
    change = regroup(holding, Names.of(holding, counting()), said, to)
    return resealed(holding, change) if change.append or change.void else holding


def said_in(draft: Draft) -> dict[str, Spread]:
    return {part: spread for part, spread in draft.spreads.items() if spread is not None}


def facts(holding: Holding) -> dict[tuple[int, bytes, int], tuple[Label, frozenset[str]]]:
    """Label and addressees of each slot, by the bytes of its record."""
    return {
        (record.header.kind, record.slots[0] or b"", slot_type): (
            holding.labels.effective(byte),
            holding.labels.addressees(byte),
        )
        for record in telling(holding)
        for slot_type, byte in zip(record.header.types, record.header.labels, strict=True)
    }


def telling(holding: Holding) -> list[HeldRecord]:
    return [each for each in holding.records.values() if each.header.kind not in SIDE]


@given(documents(), members, members, members)
def test_a_turned_log_is_never_wider_than_one_cut_anew(
    document: dict[str, Any],
    before: frozenset[str],
    after: frozenset[str],
    other: frozenset[str],
) -> None:
    """Whatever a group gains or loses: as strict as the event that would be submitted then."""
    draft = drafted(document, {ONE: before, OTHER: other})
    holding = turned(held(draft), said_in(draft), turn(before, after))
    anew = facts(held(drafted(document, {ONE: after, OTHER: other})))
    found = facts(holding)
    assert found.keys() == anew.keys()
    for key, (label, who) in found.items():
        fresh, named = anew[key]
        assert label.only == fresh.only
        assert label.tlp >= fresh.tlp
        assert replace(label, tlp=fresh.tlp) == fresh
        assert who <= named or label.tlp == Tlp.RED
        if Tlp.RED not in {label.tlp, fresh.tlp}:
            assert label == fresh


@given(documents(), members, members)
def test_nobody_who_left_is_named_where_only_the_group_is_for(
    document: dict[str, Any], before: frozenset[str], after: frozenset[str]
) -> None:
    draft = drafted(
        {**document, "distribution": "4", "sharing_group_id": ONE}, {ONE: before, OTHER: before}
    )
    holding = turned(held(draft), said_in(draft), turn(before, after))
    for _, who in facts(holding).values():
        assert who <= after


@given(documents(), members, members)
def test_a_turn_rewrites_no_slot_and_the_way_back_is_no_wider(
    document: dict[str, Any], before: frozenset[str], after: frozenset[str]
) -> None:
    draft = drafted(document, {ONE: before, OTHER: before})
    first = held(draft)
    there = turned(first, said_in(draft), turn(before, after))
    assert {r.slots for r in telling(there)} == {r.slots for r in telling(first)}
    back = turned(there, said_in(draft), turn(after, before))
    for key, (label, who) in facts(back).items():
        was, named = facts(first)[key]
        assert label.tlp >= was.tlp
        assert label.only == was.only
        assert who <= named or label.tlp == Tlp.RED


@given(documents(), members, members, members)
def test_whom_a_document_left_out_is_never_reached_for_the_group(
    document: dict[str, Any],
    before: frozenset[str],
    left_out: frozenset[str],
    after: frozenset[str],
) -> None:
    whole = {**document, "distribution": "4", "sharing_group_id": ONE}
    draft = drafted(whole, {ONE: before - left_out, OTHER: frozenset()})
    said = {
        part: replace(spread, left_out=left_out) if spread.group == ONE else spread
        for part, spread in said_in(draft).items()
    }
    holding = turned(held(draft), said, turn(frozenset(), after))
    for _, who in facts(holding).values():
        assert who <= after - left_out


def test_who_is_reached_for_two_members_stays_for_the_one_that_was_listed() -> None:
    spread = Spread(4, ONE, left_out=frozenset({DE}))
    both = Turn(ONE, {HUB: frozenset({DE, NL})}, frozenset({HUB}))
    assert both.of(Audience(), spread).parties == {HUB}
    alone = Turn(ONE, {HUB: frozenset({DE})}, frozenset())
    assert not alone.of(Audience(frozenset({HUB})), spread)


@given(documents(), members)
def test_the_same_members_change_nothing(document: dict[str, Any], same: frozenset[str]) -> None:
    draft = drafted(document, {ONE: same, OTHER: same})
    holding = held(draft)
    change = regroup(holding, Names.of(holding, counting()), said_in(draft), turn(same, same))
    assert not change.append
    assert not change.void


def test_a_group_of_ten_thousand_attributes_turns_by_its_addressees_alone() -> None:
    attributes = [
        {
            "uuid": f"{n:08x}-aaaa-4aaa-8aaa-aaaaaaaaaaaa",
            "type": "domain",
            "category": "Other",
            "value": f"{n}.example",
            "distribution": "4",
            "sharing_group_id": ONE,
        }
        for n in range(10_000)
    ]
    document = {"uuid": EVENT, "info": "i", "date": "2026-01-27", "Attribute": attributes}
    draft = drafted(document, {ONE: frozenset({BE, DE})})
    holding = held(draft)
    change = regroup(
        holding,
        Names.of(holding, counting()),
        said_in(draft),
        turn(frozenset({BE, DE}), frozenset({DE, NL})),
    )
    assert [len(change.append), len(change.void)] == [1, 1]
