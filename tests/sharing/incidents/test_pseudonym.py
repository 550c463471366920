"""A hospital's pseudonyms: one for each class of recipients, and no two alike."""

from collections.abc import Iterable
from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.decide import Judge
from policies.rulebook import shipped
from sharing.incidents.enrolment import BadEnrolmentError, Enrolment, read_enrolment
from sharing.incidents.pseudonym import pseudonym_of
from sharing.project import Standing, project
from sharing.seal.holding import HeldRecord, Holding
from sharing.seal.records import Kind, Record
from sharing.slots import Names, cut_incident, diff
from sharing.view import view
from tests.sharing.incidents.cassiopee import EVENT, FR_HEALTH, report_log, warned
from tests.sharing.making import BE, DE, FR, HUB, NOW, counting, party, resealed, sealed

KEY = bytes(range(32))
JUDGE = Judge(shipped("national"))
ENTITY = "1c9e6a10-54c1-4f55-8a41-94a9d4b2aa01"
OTHER_ENTITY = "1c9e6a10-54c1-4f55-8a41-94a9d4b2aa02"
NAMING_ALL = replace(
    FR_HEALTH, named={**FR_HEALTH.named, "entity_pseudonym": frozenset({BE, DE, HUB})}
)
SHARING = replace(NAMING_ALL, pseudonyms={"statistics": frozenset({BE, HUB})})

orgs = st.uuids(version=4).map(str)
years = st.integers(2024, 2060)
keys = st.binary(min_size=32, max_size=32)


def before(recipients: str, year: int = 2026, entity: str = ENTITY) -> str:
    return pseudonym_of(KEY, entity, recipients, year)


def log_of(rule: Enrolment) -> Holding:
    names = Names(counting())
    return sealed(cut_incident(warned(), rule, EVENT, names, name_before=before), EVENT)


def pseudonyms_in(records: Iterable[Record | HeldRecord]) -> list[str]:
    return sorted(
        orjson.loads(record.slots[1] or b"")["value"]
        for record in records
        if record.header.kind == Kind.FIELD and b"entity_pseudonym" in (record.slots[0] or b"")
    )


def seen_by(holding: Holding, org: str) -> list[str]:
    """The pseudonyms in what this member gets."""
    member = party(org, "hub" if org == HUB else "node")
    direct = Standing(own=False, client=False, direct=True, published=True)
    masks = project(holding, member, direct, JUDGE, (), NOW).masks
    return pseudonyms_in(holding.narrowed(masks).records.values())


@given(keys, orgs, orgs, orgs, years)
def test_one_recipient_is_told_one_name_all_year_and_another_the_next(
    key: bytes, entity: str, one: str, other: str, year: int
) -> None:
    name = pseudonym_of(key, entity, one, year)
    assert name == pseudonym_of(key, entity, one, year)
    assert name != pseudonym_of(key, entity, one, year + 1)
    assert (name == pseudonym_of(key, entity, other, year)) is (one == other)
    assert (name == pseudonym_of(key, other, one, year)) is (entity == other)


@given(keys, keys, orgs, orgs, years)
def test_without_the_nodes_key_nobody_makes_the_same_name(
    key: bytes, guess: bytes, entity: str, recipient: str, year: int
) -> None:
    mine, theirs = (pseudonym_of(each, entity, recipient, year) for each in (key, guess))
    assert (mine == theirs) is (key == guess)


@given(st.sets(orgs, min_size=2, max_size=6), st.sets(orgs, min_size=1, max_size=6), years)
def test_no_name_two_recipients_were_told_occurs_twice(
    entities: set[str], recipients: set[str], year: int
) -> None:
    told = [before(who, year, entity) for entity in entities for who in recipients]
    assert len(set(told)) == len(told)


def test_each_recipient_reads_a_name_of_its_own() -> None:
    log = log_of(NAMING_ALL)
    told = {org: seen_by(log, org) for org in (BE, DE, HUB)}
    assert told == {org: [before(org)] for org in (BE, DE, HUB)}
    assert len({name for names in told.values() for name in names}) == 3


def test_only_a_rule_lets_two_recipients_compare() -> None:
    log = log_of(SHARING)
    assert seen_by(log, BE) == seen_by(log, HUB) == [before("statistics")]
    assert seen_by(log, DE) == [before(DE)]


def test_who_is_not_named_is_told_no_name() -> None:
    assert seen_by(log_of(FR_HEALTH), BE) == []
    assert seen_by(log_of(FR_HEALTH), HUB) == [before(HUB)]


def test_its_own_people_read_every_name_that_was_given_to_others() -> None:
    log = log_of(NAMING_ALL)
    whole = view(log, log.masks, reader=party(FR, "node", "FR"), report=report_log(warned()))
    field = whole.field("entity_pseudonym")
    assert field is not None
    assert isinstance(field.value, list)
    assert set(map(str, field.value)) == {before(org) for org in (BE, DE, HUB)}


def test_another_hospital_has_other_names_before_the_same_recipient() -> None:
    assert before(HUB) != before(HUB, entity=OTHER_ENTITY)


def test_cutting_again_keeps_the_records_and_a_new_class_adds_one() -> None:
    held = log_of(NAMING_ALL)
    again = cut_incident(warned(), NAMING_ALL, EVENT, names(held), name_before=before)
    assert diff(held, again) == ((), ())
    changed = cut_incident(warned(), SHARING, EVENT, names(held), name_before=before)
    change = diff(held, changed)
    assert pseudonyms_in(change.append) == [before("statistics")]
    voided = [held.records[index] for index in change.void]
    assert pseudonyms_in(voided) == sorted([before(BE), before(HUB)])
    assert seen_by(resealed(held, change), BE) == [before("statistics")]


def names(held: Holding) -> Names:
    fresh = counting()
    for _ in range(200):
        fresh()
    return Names.of(held, fresh)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (f'a = ["{BE}"]\nb = ["{BE}"]', "two classes"),
        ('a = "everybody"', "list of org uuids"),
        ('a = ["everybody"]', "uuid"),
    ],
)
def test_a_rule_with_odd_classes_is_refused(line: str, why: str) -> None:
    with pytest.raises(BadEnrolmentError, match=why):
        read_enrolment(f'id = "x"\nversion = 1\n[pseudonyms]\n{line}\n')


def test_a_rule_says_who_may_compare() -> None:
    rule = read_enrolment(f'id = "x"\nversion = 1\n[pseudonyms]\nstatistics = ["{BE}", "{HUB}"]\n')
    assert rule.classes(frozenset({BE, DE, HUB})) == {
        "statistics": frozenset({BE, HUB}),
        DE: frozenset({DE}),
    }
    assert rule.classes(frozenset({DE})) == {DE: frozenset({DE})}
