"""The numbered checks of a delta, each failing alone, though its originator signed it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from policies.label import Label
from policies.tlp import Tlp
from sharing.errors import RefusedError
from sharing.seal.canonical import write_base64
from sharing.seal.delta import Delta, read_delta
from sharing.seal.dsse import sign_envelope, write_signatures
from sharing.seal.holding import Holding
from sharing.seal.keys import KeyRegistry, Signer
from sharing.seal.labels import ADDRESSEE_HEADER, LABEL_HEADER, addressee_record, label_record
from sharing.seal.maps import MaskRun
from sharing.seal.records import Header, Kind, Record
from sharing.seal.statement import PAYLOAD_TYPE
from sharing.seal.tables import ClassTable
from sharing.seal.verify import Recipient, examine_delta, verify_delta
from tests.sharing.seal.altering import refused_by, with_head
from tests.sharing.seal.liar import lie_on
from tests.sharing.seal.notary import (
    COMMUNITY,
    EVENT_LABEL,
    HYBRID,
    KEY,
    NOW,
    ORG,
    OTHER,
    OTHER_KEY,
    SIGNER,
    STRICT_LABEL,
    again,
    attribute,
    extended,
    roster,
    roster_key,
    sealed,
    updated,
)

ONE = attribute("one")
RECORDS = [
    EVENT_LABEL,
    STRICT_LABEL,
    addressee_record(16, party=OTHER),
    ONE,
    attribute("two", (16,)),
]
V1 = sealed(RECORDS)  # 0 and 1 are labels, 2 is an addressee, 3 and 4 are attributes
V2 = again(V1, [attribute("three", (0, 0), b'{"comment":"x"}')], [3])
TAG = Header(Kind.TAG, (1,), (0,))


def refusal(
    delta: Delta,
    held: Holding = V1,
    erase: Sequence[MaskRun] = (),
    me: Recipient | None = None,
) -> str:
    """Check and reason with which this is refused, on its way through bytes."""
    with pytest.raises(RefusedError) as refused:
        updated(delta.encode(), held, erase, me=me)
    return str(refused.value)


def taken(
    delta: Delta,
    held: Holding = V1,
    erase: Sequence[MaskRun] = (),
    me: Recipient | None = None,
) -> bool:
    """Whether this is accepted: true, or RefusedError."""
    return updated(delta.encode(), held, erase, me=me).statement == delta.statement


def slot(text: bytes, header: Header = TAG) -> Record:
    return Record(header, (text,))


def test_what_is_right_is_accepted() -> None:
    assert taken(lie_on(V1, [attribute("new")], [3]))
    assert taken(lie_on(V2, [], []), V2)


# 1 and 2: what is signed has no other shape than what is not


@pytest.mark.parametrize("size", [5, 4, 6, 8, 1 << 20])
def test_1_from_and_tail_make_the_size(size: int) -> None:
    append = [attribute("new"), attribute("more")]
    lied = lie_on(V1, append, size=size, live=size)
    payload, sigs = write_base64(lied.statement.payload), write_signatures(lied.signatures)
    raw = lie_on(V1, append).encode()
    said = with_head(raw, lambda head: head.update(payload=payload, sigs=sigs))
    assert refused_by(lambda raw: updated(raw, V1), said) == 1


@pytest.mark.parametrize("limit", ["PACKAGE_BYTES", "HEAD_BYTES", "HEAD_BRACKETS", "HEAD_COMMAS"])
def test_1_a_head_is_bounded_before_it_is_parsed(
    limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    delta = lie_on(V1, [attribute("new")])
    assert taken(delta)
    monkeypatch.setattr(f"sharing.seal.limits.{limit}", 5)
    assert refusal(delta).startswith("check 1: ")


@pytest.mark.parametrize(("limit", "most"), [("SLOT_BYTES", 40), ("SLOTS", 2)])
def test_1_what_is_appended_is_bounded(
    limit: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    delta = lie_on(V1, [attribute("new, in three slots", (0, 0, 0), b"{}", b"{}")])
    assert taken(delta)
    monkeypatch.setattr(f"sharing.seal.limits.{limit}", most)
    assert refusal(delta).startswith("check 1: ")


# 3 signatures


def test_3_every_key_listed_signs() -> None:
    delta = lie_on(V1, signers=HYBRID)
    assert taken(delta)
    for signatures in (delta.signatures[:1], delta.signatures[1:], delta.signatures[::-1], ()):
        assert refusal(replace(delta, signatures=signatures)).startswith("check 3: signatures")
    foreign = Signer.from_private(OTHER_KEY)
    assert "unknown" in refusal(lie_on(V1, signers=[foreign]))
    assert "unknown" in refusal(lie_on(V1, signers=[SIGNER, foreign]))
    assert refusal(lie_on(V1, iss=OTHER)).startswith("check 3: ")


def test_3_a_compromised_key_counts_for_what_was_seen_before_alone() -> None:
    delta = read_delta(lie_on(V1).encode())
    registry = KeyRegistry.read(roster(roster_key(KEY, compromised_since="2026-11-22T13:00:00Z")))
    with pytest.raises(RefusedError, match=r"check 3: key .* compromised"):
        verify_delta(delta, registry, first_seen_at=NOW, held=V1)
    before = NOW.replace(hour=12)
    assert verify_delta(delta, registry, first_seen_at=before, held=V1).withheld_records == 0


# 4 tables


@pytest.mark.parametrize(
    ("void", "said", "why"),
    [
        ([3], {"live": 6}, "live: 6 of 6 with 1 void"),
        ([3], {"live": 4}, "live: 4 of 6"),
        ([3], {"live": 1 << 20}, "live"),
        ([3], {"live": 0}, "live"),
        ([3], {"void": bytes(32)}, "void: digest"),
        ([3], {"void": V1.statement.void}, "void: digest"),
        ([5], {}, "void: record 5 is disclosed"),
        ([6], {}, "void: record 6 of 6"),
        ([99], {}, "void: record 99 of 6"),
        ([3], {"classes": bytes(32)}, "cls: digest"),
    ],
)
def test_4_void_set_and_class_table_are_those_of_the_version(
    void: list[int], said: Mapping[str, Any], why: str
) -> None:
    assert refusal(lie_on(V1, [attribute("new")], void, **said)).startswith(f"check 4: {why}")


def test_4_a_record_becomes_void_once() -> None:
    assert V2.void == (3,)
    delta = lie_on(V2)
    for void in ((3,), (3, 4)):
        assert (
            refusal(replace(delta, void=void), V2)
            == "check 4: void+: a record that was void before"
        )
    assert taken(lie_on(V2, [], [4]), V2)


def test_4_too_many_void_records_must_be_compacted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sharing.seal.limits.VOIDS_ALWAYS_ALLOWED", 2)
    held = sealed([EVENT_LABEL, *(attribute(name) for name in range(5))])
    assert taken(lie_on(held, [], [3, 4, 5]), held)
    assert "compact first" in refusal(lie_on(held, [], [2, 3, 4, 5]), held)


ATTRIBUTE, STRICT = attribute("x").header, attribute("x", (16,)).header
RUNS = [(2, LABEL_HEADER), (1, ADDRESSEE_HEADER), (1, ATTRIBUTE), (1, STRICT)]


@pytest.mark.parametrize(
    ("runs", "why"),
    [
        (RUNS, "5 records of 6"),
        ([*RUNS, (2, TAG)], "7 records of 6"),
        ([*RUNS, (1, ATTRIBUTE)], "record 5"),
        ([*RUNS[:3], (2, TAG)], "record 4"),
        ([*RUNS[:2], (2, STRICT), (1, TAG)], "record 3"),
        ([*RUNS[:1], (2, ATTRIBUTE), (1, STRICT), (1, TAG)], "record 2"),
        ([(6, TAG)], "record 0"),
    ],
)
def test_4_the_class_table_agrees_with_what_is_held_and_what_is_appended(
    runs: list[tuple[int, Header]], why: str
) -> None:
    held = updated(extended(V1).encode(class_table=False), V1)
    append = [slot(b'{"name":"x"}')]
    delta = _with_classes(lie_on(again(V1), append), runs)
    assert why in refusal(delta, held)
    assert refusal(delta, held).startswith("check 4: cls: ")
    assert taken(lie_on(again(V1), append), held)


def test_4_the_class_table_says_what_it_said_of_what_is_withheld() -> None:
    """Whoever has but the labels sees that the record 4 is another one."""
    held = V1.narrowed({0: 1, 1: 1})
    delta = _with_classes(lie_on(V1, [slot(b"{}")]), [*RUNS[:3], (2, TAG)])
    assert refusal(delta, held).startswith("check 4: cls: another header")
    assert taken(_with_classes(lie_on(V1, [attribute("x", (16,))]), [*RUNS[:3], (2, STRICT)]), held)


def _with_classes(delta: Delta, runs: list[tuple[int, Header]]) -> Delta:
    """The same with this class table, signed."""
    table = ClassTable.of(bytes(16), runs)
    statement = replace(delta.statement, classes=table.digest, payload=b"")
    signatures = sign_envelope(PAYLOAD_TYPE, statement.payload, [SIGNER])
    return replace(delta, statement=statement, signatures=signatures, classes=table)


def test_4_a_class_table_that_is_not_there_is_not_asked_for() -> None:
    delta = lie_on(V1, classes=bytes(32))
    assert updated(delta.encode(class_table=False), V1).classes is None


# 5 root


def test_5_what_is_appended_grows_from_what_is_held_into_what_was_signed() -> None:
    delta = lie_on(V1, [attribute("new")])
    assert refusal(lie_on(V1, [attribute("new")], root=bytes(32))).startswith("check 5: root")
    other = lie_on(again(sealed([EVENT_LABEL]), [attribute(name) for name in range(4)]))
    assert other.frontier.size == delta.frontier.size
    stolen = replace(delta, frontier=other.frontier)
    assert refusal(stolen) == "check 5: frontier: not that of the version held"
    regrown = lie_on(V1, [attribute("new")], root=stolen.grown().root)
    assert refusal(replace(regrown, frontier=other.frontier)).startswith("check 5: frontier")


# 6 version


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"epoch": 1}, "does not follow"),
        ({"epoch": 1, "seq": 1}, "does not follow"),
        ({"seq": 2}, "does not follow"),
        ({"seq": 1}, "does not follow"),
        ({"event": OTHER}, "another log"),
        ({"log": "note"}, "another log"),
        ({"prev": None}, "prev"),
        ({"prev": bytes(32)}, "prev"),
        ({"prev": bytes.fromhex(V1.statement.seal)}, "prev"),
    ],
)
def test_6_a_delta_leads_on_from_what_is_held(said: Mapping[str, Any], why: str) -> None:
    reason = refusal(lie_on(V2, [attribute("new")], **said), V2)
    assert reason.startswith("check 6: ")
    assert why in reason


def test_6_a_lower_epoch_does_not_follow_either() -> None:
    held = sealed(epoch=3)
    assert "does not follow" in refusal(lie_on(held, epoch=2), held)


def test_6_versions_may_be_missed() -> None:
    for seq in (4, 9):
        assert taken(lie_on(V2, seq=seq, prev=bytes(32)), V2)


def test_6_a_delta_from_another_version_is_refused() -> None:
    delta = extended(V2)
    assert refusal(delta, V1) == "check 6: base: not the version that is held"
    assert refusal(replace(delta, base=V1.statement.seal), V1).startswith("check 6: from")
    moved = replace(extended(V1), base="00" * 32)
    assert refusal(moved) == "check 6: base: not the version that is held"


@pytest.mark.parametrize(
    "erase",
    [
        [MaskRun(6, 1, 1)],
        [MaskRun(7, 1, 1)],
        [MaskRun(1 << 40, 1, 1)],
        [MaskRun(-1, 1, 1)],
        [MaskRun(5, 1, 0b100)],
        [MaskRun(5, 1, 0b111)],
        [MaskRun(3, 1, 1)],
        [MaskRun(4, 1, 1)],
        [MaskRun(5, 1, 1), MaskRun(5, 1, 1)],
        [MaskRun(5, 1 << 40, 1)],
    ],
    ids=str,
)
def test_6_what_is_erased_is_held(erase: list[MaskRun]) -> None:
    """Of version 2 the record 3 is void, 4 becomes so, 5 has two slots, 6 is appended."""
    delta = lie_on(V2, [attribute("new")], [4])
    assert refusal(delta, V2, erase).startswith("check 6: erase: record ")
    assert taken(delta, V2, [MaskRun(5, 1, 0b10), MaskRun(1, 2, 1)])


# 7 slots, of what is held and what is appended together


@pytest.mark.parametrize(
    "text",
    [
        b"{]}",
        b'{"a":1,"a":1}',
        b'{"a":1,"\\u0061":1}',
        b'{"a":[{"b":1,"b":1}]}',
        b'{"a":Infinity}',
        b'{"a":"\\udc00"}',
        b'{"a":"\xc0\x80"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\\ufffe"}',
        b'{"a":"\t"}',
        b'{"a":01}',
        b'{"a":1,}',
        b'{"a":1}{"b":2}',
        b'{"uuid":1}',
        b'{"a":' + b"[" * 32 + b"]" * 32 + b"}",
    ],
)
def test_7_an_appended_slot_is_one_i_json_object(text: bytes) -> None:
    reason = refusal(lie_on(V1, [slot(text)]))
    assert reason.startswith("check 7: slot: ")
    assert text.decode(errors="replace") not in reason


def test_7_a_thing_is_there_once() -> None:
    upper = Record(ONE.header, (ONE.slots[0].upper().replace(b'"UUID"', b'"uuid"'),))
    for append in ([ONE], [upper], [attribute("one", (1,))], [attribute("x"), attribute("x")]):
        assert "two live records of kind 2 with one uuid" in refusal(lie_on(V1, append))
    assert taken(lie_on(V1, [Record(TAG, ONE.slots)]))


def test_7_a_thing_may_take_the_place_of_what_is_void_withheld_or_erased() -> None:
    assert taken(lie_on(V1, [ONE], [3]))
    assert taken(lie_on(V2, [ONE]), V2)
    assert taken(lie_on(V1, [ONE]), V1.narrowed({0: 1, 1: 1}))
    assert taken(lie_on(V1, [ONE]), V1, [MaskRun(3, 1, 1)])
    three = attribute("three")
    assert "one uuid" in refusal(lie_on(V2, [three]), V2, [MaskRun(5, 1, 0b10)])
    assert taken(lie_on(V2, [three]), V2, [MaskRun(5, 1, 0b01)])


def test_7_a_thing_that_came_back_is_there_once() -> None:
    """What is known of it is where it stands now, whatever stood there before."""
    back = updated(lie_on(V2, [ONE]).encode(), V2)
    assert "one uuid" in refusal(lie_on(back, [ONE]), back)
    assert taken(lie_on(back, [ONE], [6]), back)


def test_7_every_label_in_use_is_defined_once() -> None:
    green = label_record(0, Label(Tlp.GREEN))
    strict = label_record(16, Label(Tlp.RED))
    for append, void, why in [
        ([], [0], "label record 0 is not disclosed"),
        ([], [1], "label record 16 is not disclosed"),
        ([attribute("x", (17,))], [], "label record 17 is not disclosed"),
        ([green], [], "two live label records for label 0"),
        ([strict], [], "two live label records for label 16"),
        ([strict, strict], [1], "two live label records for label 16"),
        ([slot(b'{"label":17}', LABEL_HEADER)], [], "label record: members"),
        ([slot(b'{"label":17}', ADDRESSEE_HEADER)], [], "addressee record: members"),
        ([addressee_record(16, party=OTHER)], [], "two live records for one addressee"),
    ]:
        assert refusal(lie_on(V1, append, void)).startswith(f"check 7: {why}")
    assert taken(lie_on(V1, [green], [0]))
    assert taken(lie_on(V1, [strict], [1]))
    assert taken(lie_on(V1, [], [1, 4]))
    assert taken(lie_on(V1, [addressee_record(16, party=OTHER)], [2]))


def test_7_erasing_a_label_takes_what_is_under_it_along() -> None:
    delta = lie_on(V1)
    assert "label record 16" in refusal(delta, V1, [MaskRun(1, 1, 1)])
    assert "label record 0" in refusal(delta, V1, [MaskRun(0, 1, 1)])
    assert taken(delta, V1, [MaskRun(1, 1, 1), MaskRun(4, 1, 1)])


ME, STRANGER = Recipient(OTHER, frozenset()), Recipient(COMMUNITY, frozenset())
AMBER = attribute("amber", (3,))


@pytest.mark.parametrize(
    ("append", "void", "me", "byte"),
    [
        ([AMBER], [], ME, 3),
        ([attribute("strict", (16,))], [], STRANGER, 16),
        ([label_record(0, Label(Tlp.AMBER))], [0], ME, 0),
        ([label_record(0, Label(Tlp.CLEAR, only=True))], [0], ME, 0),
        ([], [2], ME, 16),
        ([addressee_record(0, party=COMMUNITY), AMBER], [], ME, 3),
    ],
)
def test_7_who_is_not_addressed_gets_nothing_amber(
    append: list[Record], void: list[int], me: Recipient, byte: int
) -> None:
    """Neither by what is appended nor by what was held under another label."""
    delta = lie_on(V1, append, void)
    assert (
        refusal(delta, me=me) == f"check 7: not addressed: {me.org} got a slot under label {byte}"
    )
    assert taken(delta)
    assert taken(delta, me=Recipient(ORG, frozenset()))


def test_7_who_is_addressed_gets_it() -> None:
    for who in ({"party": OTHER}, {"community": COMMUNITY}):
        me = Recipient(OTHER, frozenset({COMMUNITY}))
        assert taken(lie_on(V1, [addressee_record(0, **who), AMBER]), me=me)


def test_examining_asks_for_everything_but_the_signature() -> None:
    right = extended(V1, [attribute("new")])
    false = replace(right, signatures=(replace(right.signatures[0], sig=bytes(64)),))
    assert refusal(false).startswith("check 3")
    got = examine_delta(read_delta(false.encode()), V1)
    assert json.loads(got.records[5].slots[0] or b"")["value"] == "new.example"
    for delta, held, check in [
        (replace(right, signatures=()), V1, 3),
        (lie_on(V1, live=9), V1, 4),
        (lie_on(V1, root=bytes(32)), V1, 5),
        (right, V2, 6),
        (lie_on(V1, [], [0]), V1, 7),
    ]:
        with pytest.raises(RefusedError, match=f"check {check}"):
            examine_delta(delta, held)
