"""What another rulebook touches is found by class: every way in which a slot can stand to a party."""

from datetime import UTC, datetime

from node.actions.gate import TOWARDS_MEMBERS
from node.actions.touched import ClassChange, Turn, class_changes
from node.storage.classes import SlotFacts
from policies.decide import Decision, Judge
from policies.label import Label
from policies.party import STANDARD_ROLES, Party
from policies.rulebook import read_rulebook
from policies.subject import Relation, Subject
from policies.tlp import Tlp
from tests.node.federation.ruling import NATIONAL, TIGHTER
from tests.node.federation.world import ORGS

ALL, NONE = frozenset({7}), frozenset[int]()
END = datetime(2026, 2, 1, tzinfo=UTC)
BE, DE = (Party(ORGS[name], "node", name, STANDARD_ROLES["node"]) for name in ("BE", "DE"))


def judge(text: str) -> Judge:
    return Judge(read_rulebook(text, name="draft", version="1"))


def facts(label: Label, *addressees: str) -> SlotFacts:
    return SlotFacts("event", 2, 1, label, frozenset(addressees))


def change_of(old: str, new: str, slot: SlotFacts, party: Party = BE) -> ClassChange:
    turn = Turn(judge(old), judge(new))
    return class_changes(turn, {7: slot}, [party], TOWARDS_MEMBERS)[party]


def test_a_class_that_one_party_loses_is_lowered_for_it_alone() -> None:
    green = facts(Label(Tlp.GREEN))
    lost = change_of(NATIONAL, TIGHTER, green)
    assert (lost.changed, lost.lowered, lost.raised) == (ALL, ALL, NONE)
    won = change_of(TIGHTER, NATIONAL, green)
    assert (won.changed, won.lowered, won.raised) == (ALL, NONE, ALL)
    assert change_of(NATIONAL, TIGHTER, green, DE) == ClassChange()


def test_a_verdict_for_another_reason_is_a_change_that_neither_gives_nor_takes() -> None:
    renamed = NATIONAL.replace('@id("members.green")', '@id("members.up-to-green")')
    found = change_of(NATIONAL, renamed, facts(Label(Tlp.GREEN)))
    assert (found.changed, found.raised, found.lowered) == (ALL, NONE, NONE)


def test_what_is_under_embargo_is_asked_for_the_day_after_it_too() -> None:
    assert change_of(NATIONAL, TIGHTER, facts(Label(Tlp.GREEN, until=END))).lowered
    for_ever = Label(Tlp.GREEN, categories=frozenset({"embargoed"}))
    assert not change_of(NATIONAL, TIGHTER, facts(for_ever)).lowered


def test_who_is_named_is_asked_about_as_one_who_is() -> None:
    unnamed = NATIONAL.replace(
        'permit (principal in Role::"member", action, resource)\nwhen { context.named };',
        'permit (principal in Role::"member", action, resource)\nwhen { context.named && context.own };',
    )
    assert unnamed != NATIONAL
    amber = facts(Label(Tlp.AMBER), ORGS["BE"])
    assert change_of(NATIONAL, unnamed, amber).lowered
    assert not change_of(NATIONAL, unnamed, amber, DE).changed


def test_a_hold_that_is_released_on_less_gives_more() -> None:
    stricter = NATIONAL.replace(
        '@id("hold.clinical")', '@id("hold.clinical")\n@needs("two-persons")'
    )
    clinical = facts(Label(Tlp.GREEN, categories=frozenset({"clinical"})))
    assert change_of(NATIONAL, stricter, clinical).lowered
    assert change_of(stricter, NATIONAL, clinical).raised


def test_what_only_a_release_lets_go_is_asked_about_released() -> None:
    unreleasable = NATIONAL.replace(
        '"clinical") }\nunless { context.released || context.client',
        '"clinical") }\nunless { context.client',
    )
    assert unreleasable != NATIONAL
    clinical = facts(Label(Tlp.GREEN, categories=frozenset({"clinical"})))
    assert change_of(NATIONAL, unreleasable, clinical).lowered


def test_parties_that_no_rule_tells_apart_are_asked_about_once() -> None:
    asked: list[Party] = []

    class Counting(Judge):
        def decide(self, subject: Subject, relation: Relation, party: Party) -> Decision:
            asked.append(party)
            return super().decide(subject, relation, party)

    book = read_rulebook(NATIONAL, name="draft", version="1")
    turn = Turn(Counting(book), Counting(book))
    found = class_changes(turn, {7: facts(Label(Tlp.GREEN))}, [BE, DE], TOWARDS_MEMBERS)
    assert set(found) == {BE, DE}
    assert set(asked) == {BE}
