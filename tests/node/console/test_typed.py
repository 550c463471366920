"""What pasted lines and times of the wall mean."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.console.iocs import kind_of, read_lines
from node.console.questions import QUESTIONS, TEN
from node.console.typed import read_stage
from node.console.zones import read_wall, wall, zone_names
from sharing.incidents.fields import FIELDS, INDICATORS


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("198.51.100[.]23", "ipv4"),
        ("2001:db8::1", "ipv6"),
        ("198.51.100.0/24", "cidr"),
        ("update-imaging[.]example", "domain"),
        ("hxxps://files.example.net/a?b=1", "url"),
        ("a.b@example.org", "email_address"),
        ("d41d8cd98f00b204e9800998ecf8427e", "file_hash_md5"),
        ("A" * 64, "file_hash_sha256"),
        ("CVE-2026-12345", "cve"),
        ("as64496", "asn"),
        ("invoice.docm", "filename"),
        ("HKLM\\Software\\Run\\x", "registry_key"),
        ("just some words", ""),
        ("10.2.1", ""),
    ],
)
def test_the_kind_of_an_indicator_is_told_from_its_text(text: str, kind: str) -> None:
    assert kind_of(text) == kind
    assert kind in {"", *INDICATORS}


@given(st.text(max_size=300))
def test_any_pasted_text_is_read_line_by_line(text: str) -> None:
    lines = read_lines(text)
    assert [line.text for line in lines] == [
        line.strip() for line in text.splitlines() if line.strip()
    ]
    assert {line.kind for line in lines} <= {"", *INDICATORS}


@given(
    st.dictionaries(st.sampled_from(sorted(QUESTIONS)), st.lists(st.text(max_size=40), max_size=3))
)
def test_any_typed_form_becomes_a_stage_of_known_fields(typed: dict[str, list[str]]) -> None:
    stage = read_stage(typed, "FR")
    assert set(stage) <= {*FIELDS, "indicators"}


@pytest.mark.parametrize("name", ["exfiltrated_gb", "appointments_postponed"])
@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("9" * 18, 10**18 - 1),
        ("-3", -3),
        ("9" * 19, "9" * 19),
        ("9" * 5000, "9" * 5000),
        ("\uff11", "\uff11"),
    ],
)
def test_a_whole_number_has_eighteen_digits_at_most(name: str, text: str, meant: object) -> None:
    assert read_stage({name: [text]}, "FR")[name] == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [("1,5", 1.5), ("1 200.25", 1200.25), (".5", 0.5), ("nan", "nan"), ("1e999", "1e999")],
)
def test_a_decimal_number_is_plain_and_finite(text: str, meant: object) -> None:
    assert read_stage({"exfiltrated_gb": [text]}, "FR")["exfiltrated_gb"] == meant


def test_ten_questions_are_asked_openly_and_each_field_once() -> None:
    assert len(TEN) == 10
    assert set(QUESTIONS) <= set(FIELDS)


@pytest.mark.parametrize(
    ("text", "zone", "meant"),
    [
        ("2026-01-27T05:52", "Europe/Paris", "2026-01-27T04:52:00Z"),
        ("2026-07-27T05:52", "Europe/Paris", "2026-07-27T03:52:00Z"),
        ("2026-01-27T05:52", "UTC", "2026-01-27T05:52:00Z"),
        ("2026-01-27T05:52", "Europe/Berlin", "2026-01-27T05:52:00Z"),
    ],
)
def test_the_clock_on_the_wall_is_read_where_it_hangs(text: str, zone: str, meant: str) -> None:
    assert read_wall(text, zone, "FR") == meant


def test_a_country_without_a_zone_has_utc_alone() -> None:
    assert zone_names("ZZ") == ["UTC"]
    assert wall(datetime(2026, 1, 27, tzinfo=UTC), "ZZ") == ""
    assert wall(datetime(2026, 1, 27, 4, 52, tzinfo=UTC), "FR") == "27 Jan 05:52 CET"
