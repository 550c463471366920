"""What the command line tells, and with which status it ends."""

import pytest

from policies.label import Label
from policies.tlp import Tlp
from sharing.seal.cli import (
    Outcome,
    Status,
    diff_packages,
    merge_packages,
    redact_package,
    show_package,
    verify_package,
)
from sharing.seal.labels import label_record
from sharing.seal.package import read_package, write_package
from sharing.seal.verify import examine
from tests.sharing.seal.altering import with_head
from tests.sharing.seal.liar import lie
from tests.sharing.seal.notary import (
    EVENT,
    EVENT_LABEL,
    NOW,
    ORG,
    OTHER,
    ROSTER,
    SIGNER,
    again,
    attribute,
    extended,
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
    later = write_package(again(first, [attribute("new")]))
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
    for label in ("0", "1", "0-2"):
        outcome = redact_package(RAW, [label])
        assert (outcome.status, outcome.package) == (Status.MISUSED, b"")
        assert "stays: it labels something that is disclosed" in outcome.text
    strict = {str(i) for i, r in sealed().records.items() if i > 2 and 16 in r.header.labels}
    left = examine(read_package(redact_package(RAW, sorted(strict)).package))
    assert not {1, 2} & left.masks.keys()
    assert b'"label":16' not in redact_package(RAW, sorted(strict)).package


@pytest.mark.parametrize(
    "item", ["x", "-1", "99", "3-99", "5-3", "1:2:3", "9:0", "9:4", "0:2", "", "１"]
)
def test_naming_what_is_not_there_ends_with_2(item: str) -> None:
    assert redact_package(RAW, [item]).status is Status.MISUSED


def test_what_is_withheld_already_cannot_be_withheld_again() -> None:
    less = redact_package(RAW, ["9:2", "5"]).package
    for item in ("9:2", "5"):
        assert redact_package(less, [item]).status is Status.MISUSED
    assert redact_package(less, ["9:1", "9", "9:3"]).status is Status.DONE


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
    raw = write_package(again(sealed(), [], [5]))
    assert "\n5 void: attribute head" in show_package(raw, now=NOW).text


def test_showing_moves_no_cursor() -> None:
    nasty = attribute("x")
    text = nasty.slots[0].replace(b"x.example", "a\u202eb\u009bc\u200d".encode())
    raw = write_package(sealed([EVENT_LABEL, type(nasty)(nasty.header, (text,))]))
    shown = show_package(raw, now=NOW).text
    assert "a\\u202eb\\u009bc\\u200d" in shown
    assert all(letter.isprintable() or letter == "\n" for letter in shown)


# Deltas: wherever a package is taken, given what it starts from

LATER = again(sealed(), [attribute("new")], [5])
DELTA = extended(sealed(), [attribute("new")], [5]).encode()
FULL = write_package(LATER)
PAIRS = [(FULL, RAW), (RAW, FULL)]


def test_a_delta_is_verified_given_what_it_starts_from() -> None:
    outcome = verify_package(DELTA, ROSTER, now=NOW, prev=RAW)
    assert outcome.status == 0
    assert "version 0.2: 10 records live, 10 disclosed" in outcome.text
    assert outcome == verify_package(FULL, ROSTER, now=NOW, prev=RAW)


@pytest.mark.parametrize(
    ("raw", "prev", "why"),
    [
        (DELTA, None, "check 6: base: a delta from version"),
        (DELTA, FULL, "check 6: base: not the version that is held"),
        (DELTA, RAW.replace(b"phish", b"fishy"), "check 5: of what came before: root"),
        (DELTA.replace(b"new.example", b"now.example"), RAW, "check 5: root"),
        (DELTA[:-1], RAW, "check 1: package: last byte"),
        (b'{"fise-delta":1}\n', RAW, "check 2: head: members"),
    ],
)
def test_what_is_wrong_with_a_delta_is_told_in_one_line(
    raw: bytes, prev: bytes | None, why: str
) -> None:
    outcomes = [
        verify_package(raw, ROSTER, now=NOW, prev=prev),
        show_package(raw, ROSTER, now=NOW, prev=prev),
        show_package(raw, now=NOW, prev=prev),
        redact_package(raw, ["4"], prev=prev),
        merge_packages([raw, FULL], prev=prev, now=NOW),
    ]
    for outcome in outcomes:
        assert outcome.status == 1
        assert outcome.text.startswith(f"refused: {why}")
        assert "\n" not in outcome.text
        assert outcome.package == b""


def test_a_delta_starts_from_a_package() -> None:
    why = "of what came before: head: a delta, which says nothing without what it starts from"
    outcome = verify_package(DELTA, ROSTER, now=NOW, prev=DELTA)
    assert outcome.text == f"refused: check 2: {why}"
    outcome = diff_packages(DELTA, DELTA, ROSTER, now=NOW)
    assert outcome.text.startswith("refused: check 6: base: a delta from version")


def test_what_came_before_is_held_against_it_without_keys_too() -> None:
    """All but signatures is checked, whatever is asked for."""
    for outcome in (
        show_package(RAW, now=NOW, prev=FULL),
        redact_package(RAW, ["4"], prev=FULL),
        merge_packages([RAW, RAW], prev=FULL, now=NOW),
    ):
        assert outcome.text.startswith("refused: check 6: version: (0, 1) is older")


def test_a_delta_is_shown_as_what_it_makes() -> None:
    assert show_package(DELTA, ROSTER, now=NOW, prev=RAW) == show_package(FULL, ROSTER, now=NOW)
    assert "\n5 void: attribute head" in show_package(DELTA, now=NOW, prev=RAW).text


def test_a_delta_is_redacted_into_a_package() -> None:
    outcome = redact_package(DELTA, ["4", "10"], prev=RAW)
    assert outcome == redact_package(FULL, ["4", "10"])
    assert verify_package(outcome.package, ROSTER, now=NOW, prev=RAW).status == 0
    assert b"new.example" not in outcome.package
    assert redact_package(DELTA, ["5"], prev=RAW).text == "record 5 is not disclosed"


# Merge


def test_merging_makes_the_package_of_what_either_discloses() -> None:
    parts = [redact_package(RAW, items).package for items in (["4-6"], ["5", "9:2"], ["7-8"])]
    outcome = merge_packages(parts, now=NOW)
    assert outcome.status == 0
    assert examine(read_package(outcome.package)).masks == sealed().masks
    assert verify_package(outcome.package, ROSTER, now=NOW).text == f"accepted: {outcome.text}"
    two = merge_packages(parts[:2], now=NOW)
    assert 5 not in examine(read_package(two.package)).masks
    assert "9 disclosed, 1 withheld" in two.text


def test_a_delta_merges_with_a_package_of_its_version() -> None:
    less = redact_package(FULL, ["10"]).package
    for raws in ([DELTA, less], [less, DELTA]):
        assert examine(read_package(merge_packages(raws, prev=RAW, now=NOW).package)) == LATER


@pytest.mark.parametrize(
    ("raws", "status", "why"),
    [
        ([RAW], 2, "two packages or more"),
        ([], 2, "two packages or more"),
        ([RAW, FULL], 2, "only copies of one version"),
        ([RAW, RAW, FULL], 2, "only copies of one version"),
        ([RAW, write_package(sealed([EVENT_LABEL]))], 2, "only copies of one version"),
        ([RAW, b"x\n"], 1, "refused: check 2"),
        ([RAW.replace(b"phish", b"fishy"), RAW], 1, "refused: check 5"),
        ([RAW, DELTA], 1, "refused: check 6: base: a delta"),
    ],
)
def test_what_cannot_be_merged_is_told(raws: list[bytes], status: int, why: str) -> None:
    outcome = merge_packages(raws, now=NOW)
    assert (outcome.status, outcome.package) == (status, b"")
    assert why in outcome.text
    assert "\n" not in outcome.text


def test_a_false_signature_is_not_merged_into_a_true_one() -> None:
    false = with_head(RAW, lambda head: head["sigs"][0].update(sig="AAAA"))
    for raws in ([RAW, false], [false, RAW]):
        outcome = merge_packages(raws, now=NOW)
        assert (outcome.status, outcome.package) == (2, b"")
        assert "two signatures over one version" in outcome.text
        outcome = merge_packages(raws, roster=ROSTER, now=NOW)
        assert outcome.text.startswith("refused: check 3: signature")
    assert merge_packages([RAW, RAW], roster=ROSTER, now=NOW).package == RAW
    assert merge_packages([RAW, RAW], roster=b"{}", now=NOW).status is Status.MISUSED


# Diff


def differences(outcome: Outcome) -> list[str]:
    """The lines that say what differs."""
    assert outcome.status == 0
    assert outcome.text.startswith("old: event ")
    assert outcome.text.split("\n")[1].startswith("new: event ")
    return outcome.text.split("\n")[3:]


@pytest.mark.parametrize("raw", [FULL, DELTA], ids=["package", "delta"])
def test_a_diff_tells_what_went_and_what_came(raw: bytes) -> None:
    *gone, came = differences(diff_packages(raw, RAW, ROSTER, now=NOW))
    kinds = ["- attribute head", "- attribute text", "- attribute times"]
    assert [line.split(" [")[0] for line in gone] == kinds
    assert came.startswith("+ attribute head [TLP:GREEN, PAP:GREEN] ")
    assert "new.example" in came


def test_a_diff_tells_what_one_copy_withholds() -> None:
    less = redact_package(RAW, ["4", "9:2"]).package
    assert differences(diff_packages(RAW, RAW, now=NOW)) == []
    lines = differences(diff_packages(less, RAW, now=NOW))
    assert [line[:1] for line in lines] == ["-", "-", "+"]
    assert lines[2].endswith(" withheld")
    turned = differences(diff_packages(RAW, less, now=NOW))
    assert sorted(line[1:] for line in turned) == sorted(line[1:] for line in lines)


def test_a_diff_tells_of_another_label_on_the_same_words() -> None:
    later = again(sealed(), [label_record(0, Label(Tlp.RED))], [0])
    lines = differences(diff_packages(write_package(later), RAW, ROSTER, now=NOW))
    assert any(line.startswith("- core head [TLP:GREEN") for line in lines)
    assert any(line.startswith("+ core head [TLP:RED") for line in lines)


def test_a_diff_says_whether_anything_is_proved() -> None:
    assert "proved by organisation" in diff_packages(FULL, RAW, ROSTER, now=NOW).text
    assert "nothing is proved" in diff_packages(FULL, RAW, now=NOW).text


def test_versions_and_copies_are_compared_in_any_order_and_though_they_contradict() -> None:
    there, back = (differences(diff_packages(*pair, ROSTER, now=NOW)) for pair in PAIRS)
    assert sorted(line[1:] for line in there) == sorted(line[1:] for line in back)
    one, other = (write_package(again(sealed(), [attribute(name)])) for name in ("one more", "x"))
    gone, came = differences(diff_packages(one, other, ROSTER, now=NOW))
    assert "x.example" in gone
    assert "one more.example" in came


@pytest.mark.parametrize("keys", [None, ROSTER], ids=["without keys", "with keys"])
def test_what_cannot_be_compared_is_told(keys: bytes | None) -> None:
    other = lie([EVENT_LABEL], event=OTHER)
    for outcome in (
        diff_packages(other, RAW, keys, now=NOW),
        diff_packages(RAW, RAW, b"{}", now=NOW),
    ):
        assert outcome.status is Status.MISUSED
    assert "two logs" in diff_packages(other, RAW, keys, now=NOW).text
    for raw, prev in [(b"x\n", RAW), (RAW, b"x\n"), (DELTA, FULL), (DELTA[:-1], RAW)]:
        outcome = diff_packages(raw, prev, keys, now=NOW)
        assert outcome.status is Status.REFUSED
        assert "\n" not in outcome.text
