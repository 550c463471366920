"""Rulebooks are proposed, looked at, approved, turned down; and what was foreseen is told in words."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from node.actions.caller import Caller
from node.actions.errors import BadInputError, ConflictError, NotAllowedError, NotFoundError
from node.actions.foresee import Foreseen, PartyChange
from node.actions.patients import PatientDataError
from node.actions.publish import publish
from node.actions.read import list_events, read_event
from node.actions.rulebook_text import try_cases
from node.actions.rulebooks import (
    approve,
    foresee_proposal,
    foresee_rules,
    list_rules,
    propose,
    read_rules,
    reject,
)
from node.actions.submit import submit_event, submit_report
from node.storage import audit
from policies.rulebook import shipped
from tests.node.actions.house import BE, EARLY_WARNING, ESSAIS, EVENT, FR, NOTIFICATION, VAL, House
from tests.node.federation.ruling import CLINICAL_FREE, NATIONAL, TIGHTER, operator

STRICT_CLIENTS = NATIONAL.replace(
    "when { context.client && resource.tlp <= 3 };", "when { context.client && resource.tlp <= 1 };"
)
assert STRICT_CLIENTS != NATIONAL


def for_party(seen: Foreseen, org: str) -> PartyChange | None:
    return next((each for each in seen.parties if org in each.parties), None)


def apply(house: House, text: str) -> None:
    done = propose(house.node, house.amelie, text, "next", "a test")
    if done.about.state == "waiting":
        approve(house.node, operator(house.node, "bernard"), done.about.number)


def token(caller: Caller) -> Caller:
    """The same caller, by a program."""
    return replace(caller, party=replace(caller.party, kind="machine"))


def actions(house: House) -> list[str]:
    with house.node.store.read() as unit:
        return [line.action for line in audit.latest(unit.connection, 100)][::-1]


def share(house: House, **more: object) -> tuple[str, str]:
    body = {"Event": EVENT, "tlp": "green", "publish": True, **more}
    done = submit_event(house.node, house.amelie, body)
    return done.origin, done.event


# ── What would change ────────────────────────────────────────────────────────────────────────────


def test_who_loses_an_event_is_told_with_the_event_and_the_policy(federated: House) -> None:
    house = federated
    origin, event = share(house)
    seen = foresee_rules(house.node, house.amelie, TIGHTER, "next")
    assert (seen.widens, seen.sentences) == (False, ("1 event recalled from node BE",))
    assert seen.added == ("no.green-to-be",)
    assert seen.base == 1
    change = for_party(seen, BE)
    assert change is not None
    (told,) = change.events
    assert (told.origin, told.event, told.info) == (origin, event, EVENT["info"])
    assert (told.recalled, told.newly, told.gained) == (True, False, 0)
    assert told.lost > 0
    assert [reason.id for reason in told.reasons] == ["no.green-to-be"]
    assert any(line == '+@id("no.green-to-be")' for line in seen.lines)


def test_nothing_is_changed_by_looking(federated: House) -> None:
    house = federated
    share(house)
    before = actions(house)
    foresee_rules(house.node, house.amelie, TIGHTER, "next")
    assert actions(house) == before
    assert house.node.judge.rulebook.text == NATIONAL


def test_hospitals_that_fare_alike_are_told_together_and_the_source_keeps_its_own(
    federated: House,
) -> None:
    house = federated
    body = {"Event": EVENT, "tlp": "green"}
    done = submit_event(house.node, house.claire, body)
    publish(house.node, house.amelie, done.origin, done.event)
    share(house)
    seen = foresee_rules(house.node, house.amelie, STRICT_CLIENTS, "next")
    essais, val = for_party(seen, ESSAIS.org), for_party(seen, VAL.org)
    assert essais is not None
    assert val is not None
    assert (essais.recalled, val.recalled) == (2, 1)  # its own stays with its source
    assert for_party(seen, FR) is None
    assert for_party(seen, BE) is None
    share(house, Event={**EVENT, "uuid": "5e1f8a30-7d1c-4b5e-9a2f-6d5c4b3a2f99"})
    seen = foresee_rules(house.node, house.amelie, STRICT_CLIENTS, "next")
    assert [each.recalled for each in seen.parties] == [2, 3]


def test_parts_of_an_event_that_go_and_parts_that_wait_are_told(federated: House) -> None:
    house = federated
    done = submit_report(house.node, house.claire, dict(EARLY_WARNING))
    submit_report(house.node, house.claire, dict(NOTIFICATION))
    publish(house.node, house.amelie, done.origin, done.event)
    seen = foresee_rules(house.node, house.amelie, CLINICAL_FREE, "next")
    assert seen.widens
    change = for_party(seen, BE)
    assert change is not None
    assert (change.newly, change.more, change.recalled) == (0, 1, 0)
    assert "1 event with more for node BE" in seen.sentences
    apply(house, CLINICAL_FREE)
    back = for_party(foresee_rules(house.node, house.amelie, NATIONAL, "next"), BE)
    assert back is not None
    assert (back.less, back.held, back.newly) == (1, 1, 0)


def test_a_program_is_not_told_of_what_it_may_not_see(federated: House) -> None:
    house = federated
    share(house, tlp="red")
    machine = replace(house.amelie, party=replace(house.amelie.party, kind="machine"))
    ownless = NATIONAL.replace(
        "when { context.own };", "when { context.own && resource.tlp <= 4 };"
    )
    by_person = foresee_rules(house.node, house.amelie, ownless, "next")
    by_program = foresee_rules(house.node, machine, ownless, "next")
    assert (by_person.looked_at, by_program.looked_at) == (1, 0)
    assert by_program.parties == ()
    assert for_party(by_person, FR) is not None


def test_a_title_is_told_by_the_rules_in_force_alone(house: House) -> None:
    text = shipped("national").text
    none = text.replace("when { context.own };", "when { context.own && resource.tlp <= 4 };", 1)
    told = {**EVENT, "info": "TITLE-CANARY"}
    done = submit_event(house.node, house.amelie, {"Event": told, "tlp": "red"})
    assert "TITLE-CANARY" in str(foresee_rules(house.node, house.amelie, none, "next").parties)
    propose(house.node, house.amelie, none, "less", "RED to nobody here")
    with pytest.raises(NotFoundError):
        read_event(house.node, house.amelie, done.origin, done.event)
    seen = foresee_rules(house.node, house.amelie, text, "national")
    assert done.event in str(seen.parties)
    assert "TITLE-CANARY" not in str(seen.parties)


def test_a_widening_is_told_though_nothing_stored_shows_it(federated: House) -> None:
    seen = foresee_rules(
        federated.node,
        federated.amelie,
        NATIONAL + '@id("x") @reason("y") permit (principal in Role::"hub", action, resource)'
        ' when { resource.tlp == 4 && resource.categories.contains(Category::"finance") };',
        "next",
    )
    assert (seen.widens, seen.parties) == (False, ())  # the hub gets what names it already
    seen = foresee_rules(
        federated.node,
        federated.amelie,
        NATIONAL + '@id("x") @reason("y") permit (principal, action, resource)'
        ' when { resource.tlp == 2 && resource.categories.contains(Category::"finance") };',
        "next",
    )
    assert (seen.widens, seen.parties) == (True, ())
    assert seen.example is not None
    assert "finance" in seen.example
    assert seen.example.endswith("withhold before, disclose then (x)")


# ── Who may, and what is refused ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("spoil", "field", "why"),
    [
        (
            lambda text: text.replace("resource.tlp <= 3", "resource.tpl <= 3"),
            "clients.amber",
            "tpl",
        ),
        (lambda text: text.replace('@id("own")', '@id("floor.own")'), "floor.own", "program's own"),
        (lambda text: text.replace("context.own };", "context.own", 1), "own", "never closed"),
        (lambda text: text + "\0", "text", "NUL"),
        (lambda text: text + "//" + "x" * (256 << 10), "text", "256 KiB"),
    ],
)
def test_an_invalid_text_is_refused_by_policy_and_reason_and_the_one_in_force_stays(
    house: House, spoil: Callable[[str], str], field: str, why: str
) -> None:
    with pytest.raises(BadInputError, match=why) as refused:
        propose(house.node, house.amelie, spoil(NATIONAL), "next", "a test")
    assert refused.value.field == field
    assert house.node.judge.rulebook.text == NATIONAL
    assert [each.number for each in list_rules(house.node, house.amelie)] == [1]


@pytest.mark.parametrize("name", ["", "Next", "a b", "x" * 65])
def test_a_name_is_one_that_can_be_written_everywhere(house: House, name: str) -> None:
    with pytest.raises(BadInputError, match="name"):
        propose(house.node, house.amelie, TIGHTER, name, "a test")


@pytest.mark.parametrize("why", ["", "  ", "x" * 1001, "a\0b"])
def test_who_proposes_or_rejects_says_why(house: House, why: str) -> None:
    with pytest.raises(BadInputError, match="why"):
        propose(house.node, house.amelie, TIGHTER, "next", why)
    apply(house, TIGHTER)
    number = propose(house.node, house.amelie, NATIONAL, "next", "again").about.number
    with pytest.raises(BadInputError, match="reason"):
        reject(house.node, house.amelie, number, why)


PATIENT = "Patient Maria Rossi, born 3 April 1961"


@pytest.mark.parametrize(
    ("text", "why", "field"),
    [
        (TIGHTER, PATIENT, "why"),
        (f"{TIGHTER}// {PATIENT}\n", "a test", "text"),
        (
            TIGHTER.replace("nothing but", "".join(f"\\u{{{ord(c):x}}}" for c in PATIENT)),
            "a test",
            "policy no.green-to-be",
        ),
    ],
)
def test_no_patient_stands_in_the_rules_or_in_their_reasons(
    house: House, text: str, why: str, field: str
) -> None:
    with pytest.raises(PatientDataError) as refused:
        propose(house.node, house.amelie, text, "next", why)
    assert refused.value.field == field
    assert "Rossi" not in str(refused.value)
    assert len(list_rules(house.node, house.amelie)) == 1


def test_no_patient_stands_in_the_note_of_a_rejection(house: House) -> None:
    apply(house, TIGHTER)
    number = propose(house.node, house.amelie, NATIONAL, "next", "again").about.number
    with pytest.raises(PatientDataError, match=r"^reason: "):
        reject(house.node, house.amelie, number, PATIENT)
    assert list_rules(house.node, house.amelie)[0].state == "waiting"


def test_two_tokens_are_not_two_operators(house: House) -> None:
    amelie, bernard = token(house.amelie), token(operator(house.node, "bernard"))
    narrowed = propose(house.node, amelie, TIGHTER, "next", "a test")
    assert narrowed.about.state == "in force"
    with pytest.raises(NotAllowedError, match="sign in"):
        propose(house.node, amelie, NATIONAL, "wider", "a test")
    assert len(list_rules(house.node, house.amelie)) == 2
    number = propose(house.node, house.amelie, NATIONAL, "wider", "a test").about.number
    with pytest.raises(NotAllowedError, match="sign in"):
        approve(house.node, bernard, number)
    assert house.node.judge.rulebook.text == TIGHTER


def test_only_operators_change_rules_and_only_staff_reads_them(house: House) -> None:
    for caller in (house.claire, house.reader):
        for act in (
            lambda who=caller: propose(house.node, who, TIGHTER, "next", "a test"),
            lambda who=caller: foresee_rules(house.node, who, TIGHTER, "next"),
            lambda who=caller: foresee_proposal(house.node, who, 1),
            lambda who=caller: approve(house.node, who, 1),
            lambda who=caller: reject(house.node, who, 1, "no"),
        ):
            with pytest.raises(NotAllowedError):
                act()
    for read in (list_rules, read_rules):
        assert read(house.node, house.reader)
        with pytest.raises(NotAllowedError):
            read(house.node, house.claire)


def test_what_is_in_force_is_not_proposed_and_what_waits_is_proposed_once(house: House) -> None:
    with pytest.raises(ConflictError, match="in force already"):
        propose(house.node, house.amelie, NATIONAL, "national", "a test")
    apply(house, TIGHTER)
    first = propose(house.node, house.amelie, NATIONAL, "national", "again")
    again = propose(house.node, house.amelie, NATIONAL, "national", "again")
    assert (first.is_new, again.is_new) == (True, False)
    assert again.about == first.about
    assert len(list_rules(house.node, house.amelie)) == 3


def test_what_was_decided_is_decided_once(house: House) -> None:
    bernard = operator(house.node, "bernard")
    with pytest.raises(NotFoundError):
        approve(house.node, bernard, 7)
    with pytest.raises(NotFoundError):
        reject(house.node, bernard, 7, "no")
    with pytest.raises(ConflictError, match="in force"):
        approve(house.node, bernard, 1)
    apply(house, TIGHTER)
    number = propose(house.node, house.amelie, NATIONAL, "next", "again").about.number
    reject(house.node, bernard, number, "not yet")
    with pytest.raises(ConflictError, match="rejected"):
        approve(house.node, bernard, number)
    anew = propose(house.node, house.amelie, NATIONAL, "next", "once more")
    assert (anew.is_new, anew.about.number) == (True, number + 1)


def test_the_history_keeps_everything_and_the_audit_says_who_did_what(house: House) -> None:
    apply(house, TIGHTER)
    number = propose(house.node, house.amelie, NATIONAL, "next", "again").about.number
    reject(house.node, operator(house.node, "bernard"), number, "not yet")
    apply(house, NATIONAL)
    newest, rejected, replaced, first = list_rules(house.node, house.reader)
    assert [newest.state, rejected.state, replaced.state, first.state] == [
        "in force",
        "rejected",
        "replaced",
        "replaced",
    ]
    assert (newest.author, newest.decided_by, newest.widens) == ("amelie", "bernard", True)
    assert (rejected.decided_by, rejected.note) == ("bernard", "not yet")
    assert (replaced.author, replaced.decided_by, replaced.widens) == ("amelie", None, False)
    assert newest.digest == first.digest == shipped("national").digest
    assert read_rules(house.node, house.reader, 2).text == TIGHTER
    with house.node.store.read() as unit:
        audit.verify(unit.connection)
    assert [each for each in actions(house) if each.startswith("rulebook.")] == [
        "rulebook.apply",  # the first start
        "rulebook.propose",
        "rulebook.apply",
        "rulebook.propose",
        "rulebook.reject",
        "rulebook.propose",
        "rulebook.approve",
        "rulebook.apply",
    ]


def test_a_rulebook_is_read_with_its_policies_the_floor_last(house: House) -> None:
    found = read_rules(house.node, house.reader)
    assert found.about.state == "in force"
    ours = [policy.id for policy in found.policies if not policy.is_floor]
    assert ours == sorted(ours)
    assert [policy.is_floor for policy in found.policies] == sorted(
        policy.is_floor for policy in found.policies
    )
    assert "floor.red" in {policy.id for policy in found.policies}


def test_local_readers_go_by_a_new_rulebook_at_once(house: House) -> None:
    share(house)
    assert len(list_events(house.node, house.other).rows) == 1
    apply(house, STRICT_CLIENTS)
    assert list_events(house.node, house.other).rows == ()


def test_cases_are_asked_of_a_text(house: House) -> None:
    cases = """
    [party.peer]
    kind = "node"
    country = "BE"
    [[case]]
    says = "GREEN goes to Belgium"
    subject = { tlp = "green" }
    party = "peer"
    relation = ["published", "direct"]
    expect = "disclose"
    for = ["members.green"]
    """
    assert try_cases(NATIONAL, "next", cases).contradictions == ()
    (told,) = try_cases(TIGHTER, "next", cases).contradictions
    assert told.startswith("GREEN goes to Belgium: expected disclose for members.green")
    with pytest.raises(BadInputError, match="cases"):
        try_cases(NATIONAL, "next", "[[case]]")
