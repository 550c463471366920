"""The floors: how much patient data is found, and how often somebody is bothered for nothing."""

import pytest

from sharing.patients.finding import Kind
from tests.sharing.patients.corpus import LANGUAGES, NAMES, documents, templates
from tests.sharing.patients.report import Tally, table, tally

SEED = 4711
EACH = 6
RECALL = {
    Kind.NAME: 0.95,
    Kind.BIRTH: 0.95,
    Kind.NATIONAL_ID: 0.95,
    Kind.RECORD_NUMBER: 0.9,
    Kind.PHONE: 0.85,
    Kind.EMAIL: 0.9,
    Kind.ACCOUNT: 0.9,
    Kind.RECORD: 0.95,
}
ALARMS = 0.02


@pytest.fixture(scope="module")
def scored() -> Tally:
    counts = tally(documents("scoring", seed=SEED, each=EACH))
    print(table(counts))
    return counts


def test_eight_languages_and_more_are_measured() -> None:
    assert len(LANGUAGES) >= 8
    for language in LANGUAGES:
        kinds = templates("scoring")[language]
        assert kinds["positives"], language
        assert kinds["negatives"], language


@pytest.mark.parametrize(("kind", "floor"), RECALL.items())
def test_patient_data_of_each_kind_are_found(scored: Tally, kind: Kind, floor: float) -> None:
    recall = scored.recall(kind=kind.value)
    assert recall is not None
    assert recall >= floor


@pytest.mark.parametrize("language", LANGUAGES)
def test_patient_data_in_each_language_are_found(scored: Tally, language: str) -> None:
    recall = scored.recall(language=language)
    assert recall is not None
    assert recall >= 0.9
    names = scored.recall(language=language, kind=Kind.NAME.value)
    assert names is not None
    assert names >= 0.9


@pytest.mark.parametrize("language", [*LANGUAGES, "any"])
def test_harmless_texts_raise_few_alarms_in_each_language(scored: Tally, language: str) -> None:
    assert scored.harmless[language] >= EACH
    assert scored.alarm_rate(language) <= ALARMS, scored.alarm_kinds


def test_the_same_seed_makes_the_same_documents() -> None:
    assert list(documents("scoring", seed=1, each=1)) == list(documents("scoring", seed=1, each=1))
    assert list(documents("scoring", seed=1, each=1)) != list(documents("scoring", seed=2, each=1))


def test_a_span_holds_what_was_put_there() -> None:
    spans = [(d, s) for d in documents("scoring", seed=1, each=1) for s in d.spans]
    assert spans
    for document, span in spans:
        inside = document.text[span.start : span.end]
        assert inside == inside.strip()
        assert inside


def test_nothing_that_was_tuned_on_is_scored() -> None:
    for language, kinds in templates("scoring").items():
        for which, sentences in kinds.items():
            assert not set(sentences) & set(templates("tuning")[language][which]), language


def test_no_name_stands_in_both_halves() -> None:
    for language, lists in NAMES.items():
        for names in lists.values():
            assert not set(names[::2]) & set(names[1::2]), language
