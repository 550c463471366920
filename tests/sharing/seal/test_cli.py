"""What the command line tells, and with which status it ends."""

import pytest

from sharing.seal.cli import Status, redact_package, show_package, verify_package
from sharing.seal.package import read_package, write_package
from sharing.seal.seal import reseal
from sharing.seal.verify import examine
from tests.sharing.seal.notary import (
    EVENT,
    EVENT_LABEL,
    NOW,
    ORG,
    OTHER,
    ROSTER,
    SIGNER,
    attribute,
    sealed,
)

RAW = write_package(sealed())


def test_an_accepted_package_ends_with_0_and_one_line() -> None:
    outcome = verify_package(RAW, ROSTER, now=NOW)
    assert outcome.status == 0
    assert outcome.text.startswith(
        f"accepted: event {EVENT} of {ORG}, version 0.1: 10 records live"
    )
    assert "\n" not in outcome.text


def test_a_refused_package_ends_with_1_the_check_and_the_reason() -> None:
    outcome = verify_package(RAW.replace(b"phish", b"fishy"), ROSTER, now=NOW)
    assert outcome.status == 1
    assert outcome.text.startswith("refused: check 5: root")
    assert "\n" not in outcome.text


@pytest.mark.parametrize("roster", [b"", b"{}", b'{"members":[{}]}'])
def test_keys_that_are_none_end_with_2(roster: bytes) -> None:
    assert verify_package(RAW, roster, now=NOW).status == 2
    assert show_package(RAW, roster or b"x", now=NOW).status == 2


def test_what_came_before_is_held_against_what_comes_after() -> None:
    first = sealed()
    later = write_package(
        reseal(
            first, append=[attribute("new")], void=[], signers=[SIGNER],
            seed=bytes(32), class_salt=bytes(16), at=NOW,
        )
    )  # fmt: skip
    assert verify_package(later, ROSTER, now=NOW, prev=RAW).status == 0
    outcome = verify_package(RAW, ROSTER, now=NOW, prev=later)
    assert (outcome.status, "check 6" in outcome.text) == (1, True)


def test_redacting_leaves_a_package_that_verifies() -> None:
    holding = sealed()
    outcome = redact_package(RAW, ["4-5", "9:2"])
    assert outcome.status == 0
    got = examine(read_package(outcome.package))
    assert verify_package(outcome.package, ROSTER, now=NOW).status == 0
    assert got.masks.keys() == holding.masks.keys() - {4, 5}
    assert got.masks[9] == holding.masks[9] & ~2


def test_redacting_by_colour_leaves_nothing_above_it() -> None:
    outcome = redact_package(RAW, [], stricter_than="green", class_table=False)
    got = examine(read_package(outcome.package))
    assert all(
        got.labels.effective(byte).tlp <= 2
        for record in got.records.values()
        for byte, text in zip(record.header.labels, record.slots, strict=True)
        if text is not None
    )
    assert got.classes is None
    assert b"ward 17" not in outcome.package


def test_a_label_stays_while_anything_is_under_it_and_no_longer() -> None:
    kept = examine(read_package(redact_package(RAW, ["0", "1"]).package))
    assert {0, 1, 2} <= kept.masks.keys()
    strict = {str(i) for i, r in sealed().records.items() if i > 2 and 16 in r.header.labels}
    left = examine(read_package(redact_package(RAW, sorted(strict)).package))
    assert not {1, 2} & left.masks.keys()
    assert b'"label":16' not in redact_package(RAW, sorted(strict)).package


@pytest.mark.parametrize("item", ["x", "-1", "99", "3-99", "1:2:3", "", "１"])
def test_naming_what_is_not_there_ends_with_2(item: str) -> None:
    assert redact_package(RAW, [item]).status is Status.MISUSED


def test_a_colour_that_is_none_ends_with_2() -> None:
    assert redact_package(RAW, [], stricter_than="mauve").status is Status.MISUSED


def test_what_is_no_package_ends_with_1() -> None:
    assert redact_package(b"x\n", ["1"]).status is Status.REFUSED
    assert show_package(b"x\n", now=NOW).status is Status.REFUSED
    assert show_package(b"x\n", ROSTER, now=NOW).status is Status.REFUSED


def test_showing_tells_what_is_there_what_is_not_and_who_proved_it() -> None:
    raw = redact_package(RAW, ["5", "9:2"]).package
    text = show_package(raw, ROSTER, now=NOW).text
    assert f"proved by organisation {ORG}" in text
    assert SIGNER.kid in text
    assert "1 label head [TLP:CLEAR, PAP:GREEN]" in text
    assert "5 withheld: attribute head [TLP:GREEN, PAP:GREEN]" in text
    assert (
        "9 field value [TLP:AMBER, PAP:GREEN, personal, only whom it names, no relay] withheld"
        in text
    )
    assert '9 field twin [TLP:GREEN, PAP:GREEN] {"value":"250-500"}' in text
    assert OTHER in text


def test_showing_without_keys_says_that_nothing_is_proved() -> None:
    text = show_package(RAW, now=NOW).text
    assert f"claimed by organisation {ORG}" in text
    assert "nothing is proved" in text


def test_showing_without_class_table_tells_no_kind_of_what_is_withheld() -> None:
    raw = redact_package(RAW, ["4-5"], class_table=False).package
    assert "\n4-5 withheld\n" in show_package(raw, now=NOW).text


def test_showing_a_void_record_says_so() -> None:
    raw = write_package(
        reseal(
            sealed(), append=[], void=[5], signers=[SIGNER],
            seed=bytes(32), class_salt=bytes(16), at=NOW,
        )
    )  # fmt: skip
    assert "\n5 void: attribute head" in show_package(raw, now=NOW).text


def test_showing_moves_no_cursor() -> None:
    nasty = attribute("x")
    text = nasty.slots[0].replace(b"x.example", "a\u202eb\u009bc\u200d".encode())
    raw = write_package(sealed([EVENT_LABEL, type(nasty)(nasty.header, (text,))]))
    shown = show_package(raw, now=NOW).text
    assert "a\\u202eb\\u009bc\\u200d" in shown
    assert all(letter.isprintable() or letter == "\n" for letter in shown)
