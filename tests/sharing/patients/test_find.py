"""The detector on single texts: what fires, what must not, and that no text makes it slow."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.patients.find import MOST, find
from sharing.patients.finding import SENTENCES, Kind, Reason, Where
from tests.sharing.patients.corpus import documents

NAMES = (
    ("patient Maria Rossi was moved", "Maria Rossi"),
    ("Pat. Müller, Hans, geb. 03.04.1961", "Müller, Hans"),
    ("M. Dupont né le 12/03/1954", "Dupont"),
    ("the patient's name is Grace O'Neill", "Grace O'Neill"),
    ("le patient d'Ornano a appelé", "d'Ornano"),
    ("patient VAN DEN BERG Pieter, geb. 1961-04-03", "VAN DEN BERG Pieter"),
    ("Écran de Jeanne TESTPATIENT, NIR 2 99 99 99 999 999 99", "Jeanne TESTPATIENT"),
    ("Herr von Berg (Zimmer 3) wurde operiert", "von Berg"),
    ("Nagy Katalin beteg áthelyezve", "Nagy Katalin"),
    ("Ο ασθενής Γιώργος Παπαδόπουλος περιμένει", "Γιώργος Παπαδόπουλος"),
    ("patients Anna Nowak and Piotr Mazur left", "Piotr Mazur"),
    ('{"lastname": "rossi"}', "rossi"),
    ("Anna Nowak (patient) rang", "Anna Nowak"),
)
OTHERS = (
    ("né le 12/03/1954 à Lyon", Kind.BIRTH, "12/03/1954"),
    ("born on 3 April 1961", Kind.BIRTH, "3 April 1961"),
    ("Müller *03.04.1961", Kind.BIRTH, "03.04.1961"),
    ("1961. április 3-án született", Kind.BIRTH, ""),
    ("der am 3.4.1961 geborene Mann", Kind.BIRTH, "3.4.1961"),
    ("MRN 00482137 is missing", Kind.RECORD_NUMBER, "00482137"),
    ("Patienten-ID: 482137", Kind.RECORD_NUMBER, "482137"),
    ("carte: numéro d'assuré 4821-3700", Kind.INSURANCE, "4821-3700"),
    ("patient Maria Rossi, tel. +39 333 1234567", Kind.PHONE, "+39 333 1234567"),
    (
        "recipient of the lure: j.testpatient@ch-val.example",
        Kind.EMAIL,
        "j.testpatient@ch-val.example",
    ),
    ("patient Maria Rossi, BE68 5390 0754 7034", Kind.ACCOUNT, "BE68 5390 0754 7034"),
    ("patient Maria Rossi, card 4111 1111 1111 1111", Kind.ACCOUNT, "4111 1111 1111 1111"),
    ("PID|1||4711^^^H||DOE^JOHN||19610403|M", Kind.RECORD, ""),
    ("(0010,0010) PN [ROSSI^MARIA]", Kind.RECORD, ""),
    ('{"resourceType" : "Patient", "id": "1"}', Kind.RECORD, ""),
    ("dob;name\n1961-04-03;Rossi", Kind.BIRTH, "1961-04-03"),
)
HARMLESS = (
    "Patient Zero was a workstation; 1 200 patients were diverted to Klinikum Musterstadt.",
    "The Philips Patient Information Center iX and the Patient Portal are down.",
    "According to Boston Scientific, a patient could be harmed if the pump stops.",
    "Siemens Healthineers, patient monitoring, IntelliVue MX450 (866062), firmware N.01.19",
    "Head nurse Anna Nowak and Dr. Hans Müller informed the CSIRT; contact Frau Weber, IT.",
    "Phishing from maintenance@imago.example with subject 'Invoice 482137' to many users.",
    "Call the hotline +49 30 1234567 or write to soc@klinikum.example.",
    "beacons to 203.0.113.45:44351, patient VLAN (10.20.30.40), see https://x.example/a?id=482137123",
    "Patient names, dates of birth, NIR and phone numbers of 12 000 people were stolen.",
    "NATO summit on 24 June 2025; the group was founded in 2014.",
    "BE68 5390 0754 7034 was used for the ransom, 4111 1111 1111 1111 in a test shop.",
    "dropped patient_list_20260127.xlsx, C:\\Users\\Maria Rossi\\AppData\\482137123.tmp",
    "ticket 482137123, case 0048213700, INC0048213 on 27.01.2026 at 04:52",
    "le moniteur patient Infusomat Space X de Nordic Imaging",
    "Patienten-WLAN, Patientenakte und Patient Blood Management",
    "SELECT name, date_of_birth FROM patient WHERE id = ?",
)


@pytest.mark.parametrize(("text", "name"), NAMES)
def test_a_patients_name_is_found_by_what_stands_round_it(text: str, name: str) -> None:
    spans = [text[f.start : f.end] for f in find(text) if f.kind is Kind.NAME]
    assert any(name in span for span in spans), spans


@pytest.mark.parametrize(("text", "kind", "span"), OTHERS)
def test_other_patient_data_is_found(text: str, kind: Kind, span: str) -> None:
    spans = [text[f.start : f.end] for f in find(text) if f.kind is kind]
    assert any(span in each for each in spans), find(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_incident_reports_are_full_of_is_left_alone(text: str) -> None:
    assert [(f.kind, text[f.start : f.end]) for f in find(text)] == []


def test_every_reason_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Reason)


def test_no_finding_repeats_what_was_found() -> None:
    for document in documents("scoring", seed=3, each=1):
        for finding in find(document.text):
            span = document.text[finding.start : finding.end].strip()
            assert span not in repr(finding) or span.isdigit()
            assert span not in finding.sentence


@pytest.mark.parametrize(
    "spelled",
    [
        "patient Maria\u00a0Rossi, BSN 123\u2009456\u2009782",
        "patient Mari\u0301a Rossi, BSN \uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff12",
        "patient Ma\u00adria Ros\u200bsi, BSN 123\u200b456\u200b782",
        "PATIENT MARIA ROSSI, BSN \u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0662",
        "patient Maria\tRossi, BSN 123-456-782",
        "patient \u201eMaria Rossi\u201c, BSN 1234.56.782",
    ],
)
def test_odd_characters_hide_nothing_and_move_no_span(spelled: str) -> None:
    name, number = sorted(find(spelled), key=lambda f: f.start)
    assert (name.kind, number.kind) == (Kind.NAME, Kind.NATIONAL_ID)
    shown = spelled[name.start : name.end]
    assert shown.lower().startswith(("ma", "\u201ema"))
    assert shown.lower().rstrip("\u201c").endswith("si")
    assert spelled[number.start :].startswith(("1", "\uff11", "\u0661"))
    assert number.end == len(spelled)


def test_a_field_about_a_person_is_one_whatever_it_holds() -> None:
    (finding,) = find("rossi", where=Where.PERSON_NAME)
    assert (finding.start, finding.end, finding.kind) == (0, 5, Kind.NAME)
    assert find("12.3.54", where=Where.PERSON_BIRTH)
    assert find("a@b.example", where=Where.VICTIM_EMAIL)
    for empty in ("", "-", "N/A?", "  ", "unknown", "***", "[redacted]"[1:-1]):
        assert find(empty.replace("N/A", ""), where=Where.PERSON_NAME) == (), empty


def test_contact_data_may_name_people_but_hold_no_patients_number() -> None:
    contact = "Claire Duval, patient safety, +33 1 99 00 12 34, duval@secours.example"
    assert find(contact, where=Where.CONTACT) == ()
    assert find(f"{contact}, NIR 295109912611193", where=Where.CONTACT)


def test_an_indicator_is_no_persons() -> None:
    for value in ("Maria Rossi", "victim@x.example", "1234567890", "+39 333 1234567"):
        assert find(value, where=Where.INDICATOR) == ()
    assert find("patient Maria Rossi", where=Where.INDICATOR)  # these are words
    assert find("2 99 99 Maria", where=Where.MACHINE) == ()


def test_a_text_full_of_patients_is_told_up_to_a_bound() -> None:
    text = "patient Maria Rossi, born 03.04.1961. " * 300
    assert len(find(text)) == MOST


@given(st.text(max_size=200))
def test_any_text_gives_ordered_spans_inside_it(text: str) -> None:
    findings = find(text)
    assert all(0 <= f.start < f.end <= len(text) for f in findings)
    assert all(one.end <= other.start for one, other in pairwise(findings))


PIECES = (
    "a 1 - . / 12 1.2- Aa Aa, Patient patient_Aa_ geb._ born_1_ née_le_ name:_ Name:_Aa_ tel_ +1_ "
    "(0010,0010)_ PID| X_1_ é ' d' Mr._A_ date_of_ 1_2_2_2_3_3_2_ NIR_ BE68539007547034_ a@ @a. "
    "*1 A*1 patient_Aa_Bb,_123456782_a.b@c.de_ name;dob_ 1961-04-03,_ ;Aa;1.1.1961"
).replace("_", "\u00a0")


@pytest.mark.parametrize("piece", [*PIECES.split(" "), "\u0301", "\u200b", " ", "\n", "e\u0301"])
@pytest.mark.parametrize("where", [Where.TEXT, Where.INDICATOR, Where.MACHINE, Where.FILE])
def test_no_repeated_piece_makes_it_slow(piece: str, where: Where) -> None:
    text = piece.replace("\u00a0", " ")
    long = (text * (100_000 // len(text)))[:100_000]
    began = time.process_time()
    find(long, where=where)
    assert time.process_time() - began < 15  # a square would take hours
