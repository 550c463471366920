"""Personal numbers: published examples, every row in all its forms, and what chance makes."""

import random
import string

import pytest

from sharing.patients.find import find
from sharing.patients.finding import Finding, Kind, Reason, Where
from sharing.patients.numbers import NUMBERS
from tests.sharing.patients.numbers_made import MADE, written

# Examples that those who give out the numbers, or the library's authors, have published.
PUBLISHED = {
    "fr.nir": "2 95 10 99 126 111 93",
    "it.cf": "RCCMNL83S18D969H",
    "es.dni": "54362315K",
    "es.nie": "X2482300W",
    "de.kvnr": "A123456780",
    "at.vnr": "1237 010180",
    "be.nn": "85.07.30-033.28",
    "nl.bsn": "111222333",
    "lu.pin": "1893120105732",
    "gb.nhs": "943 476 5870",
    "pl.pesel": "44051401359",
    "gr.amka": "01013099997",
    "ro.cnp": "1630615123457",
    "bg.egn": "7523169263",
    "hr.oib": "33392005961",
    "si.emso": "0101006500006",
    "cz.rc": "710319/2745",
    "hu.taj": "111 111 110",
    "se.pnr": "880320-0016",
    "fi.hetu": "131052-308T",
    "dk.cpr": "211062-5629",
    "no.fnr": "151086 95088",
    "is.kt": "120174-3399",
    "ee.ik": "36805280109",
    "lv.pk": "161175-19997",
    "lt.ak": "33309240064",
    "ch.ahv": "756.9217.0769.85",
}
ROWS = tuple(NUMBERS)
CHECKED = tuple(row for row in ROWS if NUMBERS[row].check is not None)
EMBEDDED = tuple(row for row in ROWS if NUMBERS[row].anywhere)


def found(text: str, *, where: Where = Where.TEXT) -> list[Finding]:
    return [f for f in find(text, where=where) if f.kind is Kind.NATIONAL_ID]


@pytest.mark.parametrize(("row", "number"), PUBLISHED.items())
def test_a_published_example_has_right_check_digits(row: str, number: str) -> None:
    assert NUMBERS[row].holds(number)


def test_every_state_of_the_union_has_a_row_and_all_but_two_check_digits() -> None:
    listed = "at be bg cy cz de dk ee es fi fr gr hr hu ie it lt lu lv mt nl pl pt ro se si sk"
    states = set(listed.split(" ")) - {"sk"}  # shares its number with Czechia
    assert len(states) == 26
    assert states <= {row[:2] for row in ROWS}
    assert states - {row[:2] for row in CHECKED} == {"cy", "mt"}
    assert "SK" in NUMBERS["cz.rc"].name


def test_every_row_names_its_source_and_can_be_made() -> None:
    assert set(MADE) == set(NUMBERS)
    assert all(number.source and number.words for number in NUMBERS.values())


@pytest.mark.parametrize("row", ROWS)
def test_a_number_after_its_own_words_is_found_whole(row: str) -> None:
    chance = random.Random(row)
    for n in range(30):
        words = NUMBERS[row].words[n % len(NUMBERS[row].words)]
        number = written(row, chance)
        text = f"{words}: {number}, then nothing"
        assert [text[f.start : f.end] for f in found(text)] == [number], text


@pytest.mark.parametrize("row", CHECKED)
def test_a_number_beside_a_patients_name_is_found(row: str) -> None:
    chance = random.Random(row)
    for _ in range(30):
        number = written(row, chance)
        text = f"patient Maria Rossi, {number}, moved"
        hit = [f for f in find(text) if text[f.start : f.end] == number]
        assert hit, text


@pytest.mark.parametrize("row", [row for row in CHECKED if NUMBERS[row].alone])
def test_a_number_in_a_telling_form_needs_no_words(row: str) -> None:
    chance = random.Random(row)
    alone = 0
    for _ in range(30):
        number = written(row, chance)
        hits = found(f"seen on the screen: {number}")
        alone += any(f.reason is Reason.NUMBER_CHECKED and f.certain for f in hits)
    assert alone >= 8  # some of its forms are plain


@pytest.mark.parametrize("row", ["fr.nir", "it.cf", "be.nn", "pl.pesel", "gr.amka", "fi.hetu"])
def test_a_wrong_check_digit_makes_it_any_number(row: str) -> None:
    number = PUBLISHED[row]
    wrong = number[:-1] + ("A" if number[-1] != "A" else "B" if number[-1].isalpha() else "0")
    if number[-1].isdigit():
        wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert found(f"seen: {number}")
    assert found(f"seen: {wrong}") == []


def test_a_mistyped_number_after_its_words_is_still_a_patients() -> None:
    (finding,) = found("NIR 2 99 99 99 999 999 99")
    assert finding.reason is Reason.NUMBER_NAMED
    assert not finding.certain


@pytest.mark.parametrize("row", EMBEDDED)
def test_a_number_that_cannot_be_chance_is_found_in_an_indicator(row: str) -> None:
    chance = random.Random(row)
    number = MADE[row][0](chance)
    url = f"https://portal.example/record?id={number}&x=1"
    assert [url[f.start : f.end] for f in found(url, where=Where.INDICATOR)] == [number]
    assert found(url)


@pytest.mark.parametrize("row", [row for row in CHECKED if row not in EMBEDDED])
def test_any_other_number_in_a_url_a_path_or_a_file_name_is_left_alone(row: str) -> None:
    number = MADE[row][0](random.Random(row))
    for text in (
        f"https://portal.example/record?id={number}&x=1",
        f"C:\\temp\\{number}\\a.dat",
        f"dropped IMG_{number}.exe and scan-{number}.pdf",
        f"{number}@mail.example wrote",
        f"ticket {number}",
        f"INC-{number}",
    ):
        assert found(text) == [], text


def test_numbers_drawn_by_chance_raise_few_alarms() -> None:
    chance = random.Random(27)
    texts = [
        f"value {''.join(chance.choices(string.digits, k=length))} seen"
        for length in range(6, 17)
        for _ in range(200)
    ]
    assert sum(bool(find(text)) for text in texts) / len(texts) < 0.02


def test_clocks_counters_and_codes_are_no_ones_number() -> None:
    harmless = (
        "epoch 1769489520 and 1769489520123, file time 133500000000000000",
        "2026-01-27T04:52:07Z 20260127-0452 27.01.2026 04:52:07",
        "10.20.30.40 203.0.113.45:44351 2001:db8:bad:c0de::5 00:1a:2b:3c:4d:5e",
        "CVE-2026-12345678 KB5034441 ICSMA-20-023-01 CWE-798 T1059.001",
        "550e8400-e29b-41d4-a716-446655440000",
        "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f",
        "version 10.0.19045.2965, build 22621.3007, port 11112, size 104857600 bytes",
        "IBAN of the ISAC, phone +49 30 1234567, order 4500012345",
        "GTIN (01)04012345678901(17)271231(10)LOT42",
    )
    assert [text for text in harmless if find(text)] == []
