from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import product

import pytest
from cedarpy import PolicySet
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.decide import Decision, Effect, Judge, Reason, decide, decide_all
from policies.errors import EngineError
from policies.party import STANDARD_ROLES, Party
from policies.rulebook import ingress_rulebook, read_rulebook, shipped
from policies.subject import Relation, Subject
from policies.tlp import Pap, Tlp
from tests.policies import oracle
from tests.policies.strategies import ORGS, parties, relations, rulebook_texts, subjects

NATIONAL = shipped("national")
INGRESS = ingress_rulebook()


def subject(
    tlp: Tlp = Tlp.GREEN,
    *,
    log: str = "event",
    pap: Pap = Pap.CLEAR,
    categories: tuple[str, ...] = (),
    only: bool = False,
    relay: bool = True,
) -> Subject:
    return Subject(log, 2, 1, tlp, pap, frozenset(categories), only, relay)


def relation(
    *,
    own: bool = False,
    client: bool = False,
    direct: bool = True,
    named: bool = False,
    released: bool = False,
    embargoed: bool = False,
    published: bool = True,
) -> Relation:
    return Relation(own, client, direct, named, released, embargoed, published)


def peer(*, org: str = ORGS[0], kind: str = "node", country: str = "BE") -> Party:
    return Party(org=org, kind=kind, country=country, roles=STANDARD_ROLES[kind])


def ids(decision: Decision) -> list[str]:
    return [reason.id for reason in decision.reasons]


def test_a_disclosure_names_the_agreements_that_permit_it() -> None:
    decision = decide(subject(Tlp.CLEAR), relation(), peer(), NATIONAL)
    assert decision == Decision(
        Effect.DISCLOSE,
        frozenset({"detect", "block"}),
        (
            Reason("anyone.clear", "TLP:CLEAR may be shown to anyone"),
            Reason("members.green", "up to TLP:GREEN goes to members of the federation"),
        ),
    )


def test_a_refusal_names_every_policy_that_forbids() -> None:
    slot = subject(Tlp.RED, log="report", categories=("patient",), only=True)
    decision = decide(slot, relation(embargoed=True, published=False), peer(), NATIONAL)
    assert decision.effect is Effect.WITHHOLD
    assert decision.uses == frozenset()
    assert ids(decision) == [
        "floor.embargo",
        "floor.log",
        "floor.only",
        "floor.patient",
        "floor.red",
        "floor.unpublished",
    ]


def test_what_no_agreement_covers_says_so() -> None:
    decision = decide(subject(), relation(), peer(kind="community"), NATIONAL)
    assert decision.reasons == (Reason("default.deny", "no agreement permits it"),)


def test_what_is_permitted_but_not_unattended_is_held_and_says_so() -> None:
    text = '@id("a") @reason("r") permit (principal, action == Action::"disclose", resource);'
    attended = read_rulebook(text, name="attended", version="1")
    decision = decide(subject(), relation(), peer(), attended)
    assert (decision.effect, ids(decision)) == (Effect.HOLD, ["default.hold"])


def test_what_is_held_may_not_be_used_yet() -> None:
    slot = subject(categories=("attribution",))
    assert decide(slot, relation(), peer(), NATIONAL).uses == frozenset()
    assert decide(slot, relation(released=True), peer(), NATIONAL).uses == {"detect", "block"}


@pytest.mark.parametrize(
    ("pap", "uses"),
    [
        (Pap.CLEAR, {"detect", "block"}),
        (Pap.GREEN, {"detect", "block"}),
        (Pap.AMBER, {"detect"}),
        (Pap.RED, set[str]()),
    ],
)
def test_pap_decides_what_machines_may_do(pap: Pap, uses: set[str]) -> None:
    assert decide(subject(pap=pap), relation(), peer(), NATIONAL).uses == uses


def test_an_exercise_drives_no_machine() -> None:
    decision = decide(subject(categories=("exercise",)), relation(), peer(), NATIONAL)
    assert (decision.effect, decision.uses) == (Effect.DISCLOSE, frozenset())


@settings(max_examples=25)
@given(rulebook_texts(), st.lists(st.tuples(subjects, relations), min_size=1, max_size=12), parties)
def test_what_is_asked_all_at_once_is_answered_as_one_by_one(
    text: str, asked: list[tuple[Subject, Relation]], party: Party
) -> None:
    rulebook = read_rulebook(text, name="drawn", version="1")
    asked = [*asked, asked[0]]
    one_by_one = [decide(slot, stands, party, rulebook) for slot, stands in asked]
    assert decide_all(asked, party, rulebook) == one_by_one


def test_asked_about_nothing_the_engine_says_nothing() -> None:
    assert decide_all([], peer(), NATIONAL) == []


def test_a_fact_unknown_to_the_schema_is_a_fault_and_no_denial() -> None:
    with pytest.raises(EngineError, match="gossip"):
        decide(subject(log="gossip"), relation(), peer(), NATIONAL)


@pytest.mark.parametrize("effect", ["permit", "forbid"])
def test_a_policy_that_fails_is_a_fault_and_no_denial(effect: str) -> None:
    text = (
        '@id("all") @reason("r") permit (principal, action, resource);'
        f'@id("sum") @reason("r") {effect} (principal, action, resource)'
        " when { resource.tlp * 9223372036854775807 > 0 };"
    )
    overflowing = replace(NATIONAL, name="overflowing", engine=PolicySet.from_str(text))
    with pytest.raises(EngineError, match="overflow"):
        decide(subject(), relation(), peer(), overflowing)


# ── The judge ────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=25)
@given(
    rulebook_texts(),
    st.lists(st.tuples(subjects, relations, parties), min_size=1, max_size=12),
)
def test_the_judge_answers_as_the_engine_does(
    text: str, asked: list[tuple[Subject, Relation, Party]]
) -> None:
    rulebook = read_rulebook(text, name="drawn", version="1")
    judge = Judge(rulebook, memory=8)
    for slot, stands, party in [*asked, *asked]:
        assert judge.decide(slot, stands, party) == decide(slot, stands, party, rulebook)


def test_a_policy_that_names_one_organisation_tells_it_from_its_twins() -> None:
    text = f'@id("one") @reason("r") permit (principal == Party::"{ORGS[1]}", action, resource);'
    judge = Judge(read_rulebook(text, name="one", version="1"))
    effects = [judge.decide(subject(), relation(), peer(org=org)).effect for org in ORGS]
    assert effects == [Effect.WITHHOLD, Effect.DISCLOSE, Effect.WITHHOLD, Effect.WITHHOLD]


def test_parties_of_one_class_share_one_verdict() -> None:
    judge = Judge(NATIONAL)
    first = judge.decide(subject(), relation(), peer(org=ORGS[0]))
    assert judge.decide(subject(), relation(), peer(org=ORGS[1])) is first


def test_the_judge_remembers_no_more_than_it_was_allowed_to() -> None:
    judge = Judge(NATIONAL, memory=3)
    for tlp, named in product(Tlp, (False, True)):
        judge.decide(subject(tlp), relation(named=named), peer())
    assert judge._verdict.cache_info().currsize == 3


def test_threads_may_share_a_judge() -> None:
    judge = Judge(NATIONAL, memory=4)
    slots = [subject(tlp) for tlp in Tlp] * 8
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda slot: judge.decide(slot, relation(), peer()), slots))
    assert answers == [decide(slot, relation(), peer(), NATIONAL) for slot in slots]


# ── On arrival (D8) ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("tlp", "only", "hops", "named", "reasons"),
    [
        (Tlp.GREEN, False, 1, False, []),
        (Tlp.AMBER, False, 0, True, []),
        (Tlp.AMBER, False, 0, False, ["floor.amber"]),
        (Tlp.AMBER_STRICT, False, 0, False, ["floor.strict"]),
        (Tlp.GREEN, True, 0, False, ["floor.only"]),
        (Tlp.AMBER, False, 1, True, ["floor.relay"]),
        (Tlp.RED, False, 0, True, ["floor.red"]),
    ],
)
def test_what_should_not_have_been_sent_is_refused_by_the_floors_own_reason(
    tlp: Tlp, only: bool, hops: int, named: bool, reasons: list[str]
) -> None:
    stands = relation(direct=hops == 0, named=named)
    decision = decide(subject(tlp, only=only), stands, peer(), INGRESS)
    assert (decision.effect is Effect.WITHHOLD, ids(decision)) == (
        bool(reasons),
        reasons or ["ingress"],
    )


@given(subjects, relations, parties)
def test_what_one_node_may_send_another_may_take(
    slot: Subject, stands: Relation, party: Party
) -> None:
    sent = relation(direct=stands.direct, named=stands.named, released=stands.released)
    taken = relation(direct=stands.direct, named=stands.named)
    if decide(slot, sent, party, NATIONAL).effect is Effect.DISCLOSE:
        assert decide(slot, taken, party, INGRESS).effect is Effect.DISCLOSE
        assert oracle.ever_allowed(slot, taken, party)
