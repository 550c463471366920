"""A projection never holds an uncleared slot; what it leaves out, holds and counts is right."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.decide import Decision, Effect, Judge, decide
from policies.label import Label
from policies.party import Party
from policies.release import Need
from policies.rulebook import Rulebook, read_rulebook, shipped
from policies.subject import Relation, Subject
from policies.tlp import Pap, Tlp
from sharing.errors import RefusedError
from sharing.event import Attribute, Audience, Draft, Mark
from sharing.ingress import refuse_unaddressed
from sharing.project import Projector, Release, Standing, project, withheld_grounds
from sharing.seal.holding import Holding
from sharing.seal.maps import encode_map
from sharing.seal.package import read_package, write_package
from sharing.seal.records import Kind, SlotType
from sharing.seal.verify import Recipient, verify
from sharing.slots import Names, cut_event
from tests.sharing.making import (
    BE,
    DE,
    FR,
    HOSPITAL,
    HUB,
    NL,
    NOW,
    OTHER_HOSPITAL,
    REGISTRY,
    counting,
    party,
    received,
    sealed,
)
from tests.sharing.strategies import COMMUNITIES, drafts
from tests.sharing.test_slots import EVENT, attribute, held

NATIONAL = shipped("national")
JUDGE = Judge(NATIONAL)
OPEN = read_rulebook(
    '@id("all") @reason("r") permit (principal, action, resource);', name="open", version="1"
)
OTHERS = [shipped("community"), shipped("hub"), OPEN]
PEER = Standing(own=False, client=False, direct=True, published=True)
SIDE = {Kind.LABEL, Kind.ADDRESSEE}

parties = st.sampled_from(
    [
        party(BE),
        party(DE, "node", "DE", COMMUNITIES[0]),
        party(NL, "node", "NL", *COMMUNITIES),
        party(HUB, "hub", "GR"),
        party(OTHER_HOSPITAL, "hospital", "FR"),
        party("", "public", ""),
    ]
)
standings = st.builds(Standing, st.booleans(), st.booleans(), st.booleans(), st.booleans())
nows = st.datetimes(datetime(2025, 12, 1), datetime(2026, 3, 1)).map(  # noqa: DTZ001
    lambda at: at.replace(tzinfo=UTC)
)


def log_of(draft: Draft) -> Holding:
    return sealed(cut_event(draft, Names(counting())), draft.event.uuid)


def asked(
    holding: Holding, index: int, n: int, to: Party, standing: Standing, now: datetime
) -> Decision:
    """The engine's own answer for one slot, with nothing remembered."""
    header = holding.records[index].header
    label = holding.labels.effective(header.labels[n])
    named = holding.labels.addressees(header.labels[n]) & {to.org, *to.communities}
    subject = Subject(
        holding.statement.log,
        header.kind,
        header.types[n],
        label.tlp,
        label.pap,
        label.categories,
        label.only,
        label.relay,
    )
    relation = Relation(
        standing.own,
        standing.client,
        standing.direct,
        bool(named),
        released=False,
        embargoed=label.is_embargoed(now),
        published=standing.published,
    )
    return decide(subject, relation, to, NATIONAL)


@given(drafts, parties, standings, nows)
def test_a_projection_holds_exactly_what_the_engine_clears_one_by_one(
    draft: Draft, to: Party, standing: Standing, now: datetime
) -> None:
    holding = log_of(draft)
    projection = project(holding, to, standing, JUDGE, (), now)
    for index, record in holding.records.items():
        if record.header.kind in SIDE:
            continue
        cleared = [
            asked(holding, index, n, to, standing, now).effect is Effect.DISCLOSE
            for n in range(record.header.width)
        ]
        expected = sum(1 << n for n, clear in enumerate(cleared) if clear) if cleared[0] else 0
        assert projection.masks.get(index, 0) == expected


@given(drafts, parties, standings, nows)
def test_labels_travel_with_what_stands_under_them_and_addressees_to_whom_they_name(
    draft: Draft, to: Party, standing: Standing, now: datetime
) -> None:
    holding = log_of(draft)
    masks = project(holding, to, replace(standing, own=False), JUDGE, (), now).masks
    shown = [holding.records[i].header for i in masks]
    used = {b for h in shown if h.kind not in SIDE for b in h.labels}
    for index, record in holding.records.items():
        if record.header.kind not in SIDE:
            continue
        slot = orjson.loads(record.slots[0] or b"{}")
        along = bool(used) and slot["label"] in {*used, 0}
        if record.header.kind == Kind.ADDRESSEE:
            along = along and slot.get("party", slot.get("community")) in {to.org, *to.communities}
        assert (index in masks) == along


@given(drafts, parties, nows)
def test_what_is_sent_verifies_and_passes_the_receivers_floor(
    draft: Draft, to: Party, now: datetime
) -> None:
    holding = log_of(draft)
    masks = project(holding, to, PEER, JUDGE, (), now).masks
    if not masks:
        return
    raw = write_package(holding, masks)
    me = Recipient(to.org, to.communities)
    verified = verify(read_package(raw), REGISTRY, first_seen_at=NOW, me=me if to.org else None)
    if to.org:
        refuse_unaddressed(verified.holding, to, hops=0)
    assert verified.holding.digest == project(holding, to, PEER, JUDGE, (), now).digest


@given(drafts, parties, parties, nows)
def test_relaying_never_widens(draft: Draft, first: Party, second: Party, now: datetime) -> None:
    holding = log_of(draft)
    masks = project(holding, first, PEER, JUDGE, (), now).masks
    if not masks:
        return
    there = received(holding, dict(masks))
    onward = project(there, second, replace(PEER, direct=False), JUDGE, (), now)
    direct = project(holding, second, PEER, JUDGE, (), now).masks
    for index, mask in onward.masks.items():
        assert mask & masks[index] == mask
        if holding.records[index].header.kind not in SIDE:
            assert mask & direct.get(index, 0) == mask
    for verdict in onward.verdicts:
        assert not verdict.disclosed or verdict.label.tlp <= Tlp.GREEN


@given(drafts, parties, standings, nows)
def test_projecting_twice_gives_what_projecting_once_gave(
    draft: Draft, to: Party, standing: Standing, now: datetime
) -> None:
    holding = log_of(draft)
    once = project(holding, to, standing, JUDGE, (), now)
    if once.masks:
        again = project(received(holding, dict(once.masks)), to, standing, JUDGE, (), now)
        assert again.masks == once.masks
        assert again.digest == once.digest


@given(drafts, st.lists(st.sampled_from([NATIONAL, *OTHERS]), min_size=3, max_size=3), nows)
def test_however_many_relay_it_under_whatever_rulebooks_the_last_gets_no_more_than_the_floor_lets(
    draft: Draft, books: list[Rulebook], now: datetime
) -> None:
    holding = log_of(draft)
    most = project(holding, party(NL), PEER, Judge(OPEN), (), now).masks
    hops = 0
    there = holding
    for book, to in zip(books, (party(BE), party(DE), party(NL)), strict=True):
        masks = project(there, to, replace(PEER, direct=not hops), Judge(book), (), now).masks
        if not masks:
            return
        there, hops = received(there, dict(masks)), hops + 1
    for index, mask in there.masks.items():
        if there.records[index].header.kind not in SIDE:
            assert mask & most.get(index, 0) == mask


@given(drafts, parties, standings, nows)
def test_what_is_held_goes_no_further_than_what_is_forbidden(
    draft: Draft, to: Party, standing: Standing, now: datetime
) -> None:
    holding = log_of(draft)
    forbids = NATIONAL.text.replace('action == Action::"unattended"', "action")
    shut = _rulebook(re.sub("@needs.*", "", forbids))
    held = project(holding, to, standing, JUDGE, (), now)
    forbidden = project(holding, to, standing, Judge(shut), (), now)
    assert held.masks == forbidden.masks
    assert not forbidden.held


# ── Many parties ─────────────────────────────────────────────────────────────────────────────────

EVERYBODY = [
    *(party(org, "node", country) for org, country in ((BE, "BE"), (DE, "DE"), (NL, "NL"))),
    party(FR, "node", "FR", *COMMUNITIES),
    party(HOSPITAL, "node", "ES", COMMUNITIES[0]),
    party(HUB, "hub", ""),
    party(OTHER_HOSPITAL, "hospital", "FR"),
    party("", "public", ""),
]


@given(drafts, st.lists(st.tuples(st.sampled_from(EVERYBODY), standings), max_size=12), nows)
def test_what_many_parties_get_is_what_each_would_get_alone(
    draft: Draft, asking: list[tuple[Party, Standing]], now: datetime
) -> None:
    holding = log_of(draft)
    waiting = [project(holding, to, PEER, JUDGE, (), now).held for to in EVERYBODY[:3]]
    releases = [
        Release(item.record, item.slot_type, item.slot_hash, to.org)
        for to, items in zip(EVERYBODY, waiting, strict=False)
        for item in items[::2]
    ]
    together = Projector(holding, JUDGE, now)
    for to, standing in asking:
        alone = project(holding, to, standing, JUDGE, releases, now)
        assert together.project(to, standing, releases) == alone
        assert alone.encoded_map == encode_map(alone.masks)


@pytest.mark.parametrize(
    ("audience", "different"),
    [
        (Audience(), 1),
        (Audience(frozenset({BE})), 2),
        (Audience(frozenset({BE, DE})), 3),
        (Audience(communities=frozenset(COMMUNITIES[:1])), 2),
    ],
)
def test_whom_neither_policy_nor_an_addressee_record_tells_apart_gets_one_projection(
    audience: Audience, different: int
) -> None:
    named = attribute(mark=Mark(Label(Tlp.AMBER), audience))
    together = Projector(held(replace(EVENT, attributes=(named,))), JUDGE, NOW)
    got = {id(together.project(to, PEER)) for to in EVERYBODY if to.kind == "node"}
    assert len(got) == different


# ── Embargo ──────────────────────────────────────────────────────────────────────────────────────


def test_an_embargo_keeps_a_slot_back_until_its_end_and_asks_to_be_woken_then() -> None:
    end = NOW + timedelta(hours=2)
    later = attribute(mark=Mark(replace(Label(Tlp.GREEN), until=end)))
    holding = held(replace(EVENT, attributes=(later,)))
    before = project(holding, party(BE), PEER, JUDGE, (), NOW)
    after = project(holding, party(BE), PEER, JUDGE, (), end)
    assert before.wake_at == end
    assert after.wake_at is None
    assert len(after.masks) == len(before.masks) + 2  # the attribute and its label record
    assert withheld_grounds(before) == [
        {"ground": "embargo", "kind": Kind.ATTRIBUTE, "records": 1, "slots": 0, "fields": []}
    ]


def test_an_embargo_without_an_end_keeps_a_slot_back_for_good() -> None:
    endless = Label(Tlp.CLEAR, categories=frozenset({"embargoed"}))
    holding = held(replace(EVENT, attributes=(attribute(mark=Mark(endless)),)))
    kept = project(holding, party(BE), PEER, JUDGE, (), NOW + timedelta(days=9999))
    assert kept.wake_at is None
    assert [told["ground"] for told in withheld_grounds(kept)] == ["embargo"]
    own = project(holding, party(BE), replace(PEER, own=True), JUDGE, (), NOW)
    assert set(own.masks) == set(holding.records)


# ── Hold and release ─────────────────────────────────────────────────────────────────────────────

CLINICAL = Label(Tlp.GREEN, categories=frozenset({"clinical"}))


def clinical(n: int, value: str) -> Attribute:
    return attribute(n, value, mark=Mark(CLINICAL))


def test_held_attributes_are_listed_and_freed_one_by_one() -> None:
    holding = held(replace(EVENT, attributes=(clinical(1, "a"), clinical(2, "b"), attribute(3))))
    waiting = project(holding, party(BE), PEER, JUDGE, (), NOW)
    assert [item.slot_type for item in waiting.held] == [SlotType.HEAD, SlotType.HEAD]
    first = waiting.held[0]
    slot = holding.records[first.index].slots[0] or b""
    assert first.slot_hash == sha256(slot).hexdigest()
    release = Release(first.record, first.slot_type, first.slot_hash, BE)
    free = project(holding, party(BE), PEER, JUDGE, (release,), NOW)
    assert set(free.masks) - set(waiting.masks) >= {first.index}
    assert [item.record for item in free.held] == [waiting.held[1].record]
    assert project(holding, party(DE), PEER, JUDGE, (release,), NOW).held == waiting.held


def test_a_held_head_goes_with_the_first_of_its_slots_that_is_freed() -> None:
    label = replace(CLINICAL, tlp=Tlp.AMBER)
    fine = replace(attribute(1, "a", comment="why"), mark=Mark(label, Audience(frozenset({BE}))))
    holding = held(replace(EVENT, attributes=(fine,)))
    waiting = project(holding, party(BE), PEER, JUDGE, (), NOW)
    assert [item.slot_type for item in waiting.held] == [SlotType.TEXT, SlotType.VALUE]
    value = waiting.held[1]
    release = Release(value.record, value.slot_type, value.slot_hash, BE)
    free = project(holding, party(BE), PEER, JUDGE, (release,), NOW)
    assert free.masks[value.index] == 0b101  # head and value, not the comment
    assert [item.slot_type for item in free.held] == [SlotType.TEXT]


def test_a_release_frees_nothing_that_takes_more_than_its_persons_were() -> None:
    stricter = read_rulebook(
        NATIONAL.text.replace('@id("hold.clinical")', '@id("hold.clinical") @needs("two-roles")'),
        name="stricter",
        version="1",
    )
    holding = held(replace(EVENT, attributes=(clinical(1, "a"),)))
    (item,) = project(holding, party(BE), PEER, JUDGE, (), NOW).held
    one = Release(item.record, item.slot_type, item.slot_hash, BE)
    two = replace(one, met=frozenset({Need.TWO_PERSONS, Need.TWO_ROLES}))
    for releases, is_free in (((one,), False), ((two,), True), ((one, two), True)):
        free = project(holding, party(BE), PEER, Judge(stricter), releases, NOW)
        assert (item.index in free.masks) is is_free
        assert (free.held == ()) is is_free
        assert item.index in project(holding, party(BE), PEER, JUDGE, releases, NOW).masks


def test_a_held_head_is_not_freed_by_who_may_free_its_value_alone() -> None:
    heads = """
    @id("hold.heads") @needs("two-persons") @reason("r")
    forbid (principal in Role::"member", action == Action::"unattended", resource)
    when { resource.type == 1 && resource.kind == 2 } unless { context.released };
    """
    book = read_rulebook(NATIONAL.text + heads, name="stricter", version="1")
    fine = replace(attribute(1, "a"), mark=Mark(CLINICAL), profile="fine")
    holding = held(replace(EVENT, attributes=(fine,)))
    (item,) = project(holding, party(BE), PEER, Judge(book), (), NOW).held
    assert item.slot_type == SlotType.VALUE
    assert {reason.id for reason in item.reasons} == {"hold.clinical", "hold.heads"}
    one = Release(item.record, item.slot_type, item.slot_hash, BE)
    assert item.index not in project(holding, party(BE), PEER, Judge(book), (one,), NOW).masks
    two = replace(one, met=frozenset({Need.TWO_PERSONS}))
    assert item.index in project(holding, party(BE), PEER, Judge(book), (two,), NOW).masks


def test_an_edit_ends_a_release() -> None:
    holding = held(replace(EVENT, attributes=(clinical(1, "a"),)))
    (item,) = project(holding, party(BE), PEER, JUDGE, (), NOW).held
    release = Release(item.record, item.slot_type, item.slot_hash, BE)
    edited = held(replace(EVENT, attributes=(clinical(1, "b"),)))
    assert project(edited, party(BE), PEER, JUDGE, (release,), NOW).held


def test_a_release_lowers_nothing_that_the_floor_forbids() -> None:
    strict = attribute(1, mark=Mark(Label(Tlp.RED)))
    holding = held(replace(EVENT, attributes=(strict,)))
    index, record = next(
        (i, r) for i, r in holding.records.items() if r.header.kind == Kind.ATTRIBUTE
    )
    releases = [
        Release(strict.uuid, kind, sha256(slot or b"").hexdigest(), BE)
        for kind, slot in zip(record.header.types, record.slots, strict=True)
    ]
    assert index not in project(holding, party(BE), PEER, JUDGE, releases, NOW).masks


# ── What is told ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("mark", "ground"),
    [
        (Mark(Label(Tlp.AMBER)), "label"),
        (Mark(Label(Tlp.RED)), "label"),
        (Mark(Label(Tlp.GREEN, only=True)), "audience"),
        (Mark(Label(Tlp.GREEN, categories=frozenset({"unread-label"}))), "category"),
        (Mark(CLINICAL), "policy"),
    ],
)
def test_grounds_say_what_kind_of_limit_it_was(mark: Mark, ground: str) -> None:
    holding = held(replace(EVENT, attributes=(attribute(mark=mark),)))
    (told,) = withheld_grounds(project(holding, party(BE), PEER, JUDGE, (), NOW))
    assert (told["ground"], told["records"]) == (ground, 1)


def test_a_rulebooks_own_words_read_agreement_or_policy() -> None:
    silent = Judge(_rulebook(""))
    holding = held(replace(EVENT, attributes=(attribute(),)))
    grounds = {
        g["ground"] for g in withheld_grounds(project(holding, party(BE), PEER, silent, (), NOW))
    }
    assert grounds == {"agreement"}
    frozen = Judge(
        _rulebook(
            '@id("all") @reason("all of it") permit (principal, action, resource);'
            '@id("freeze") @reason("not now") forbid (principal, action, resource)'
            " when { resource.kind == 2 };"
        )
    )
    (told,) = withheld_grounds(project(holding, party(BE), PEER, frozen, (), NOW))
    assert (told["ground"], told["kind"]) == ("policy", Kind.ATTRIBUTE)


def _rulebook(text: str) -> Rulebook:
    return read_rulebook(text, name="test", version="1")


# ── Ingress ──────────────────────────────────────────────────────────────────────────────────────


def test_what_was_not_for_us_is_refused_on_arrival() -> None:
    amber = attribute(mark=Mark(Label(Tlp.AMBER)))
    holding = held(replace(EVENT, attributes=(amber,)))
    with pytest.raises(RefusedError, match=r"check 7: not-addressed: .*floor.amber"):
        refuse_unaddressed(holding, party(BE), hops=0)


def test_amber_that_came_by_a_relay_is_refused_even_if_we_are_named() -> None:
    amber = attribute(mark=Mark(Label(Tlp.AMBER), Audience(frozenset({BE}))))
    holding = held(replace(EVENT, attributes=(amber,)))
    refuse_unaddressed(holding, party(BE), hops=0)
    with pytest.raises(RefusedError, match=r"check 7: widened-by-relay: .*floor.relay"):
        refuse_unaddressed(holding, party(BE), hops=1)


def test_red_is_refused_whoever_is_named() -> None:
    red = attribute(mark=Mark(Label(Tlp.RED), Audience(frozenset({BE}))))
    with pytest.raises(RefusedError, match=r"floor\.red"):
        refuse_unaddressed(held(replace(EVENT, attributes=(red,))), party(BE), hops=0)


def test_green_may_come_by_a_relay_and_an_ended_embargo_is_no_reason() -> None:
    past = attribute(mark=Mark(Label(Tlp.GREEN, Pap.AMBER, until=NOW + timedelta(days=1))))
    holding = held(replace(EVENT, attributes=(past,)))
    refuse_unaddressed(holding, party(BE), hops=1)
