"""Any two sets come to agree in a bounded number of questions; answers that lie are refused."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import BadLineError, BadRepairError
from federation.repair import (
    DEPTH_CAP,
    FOUND_CAP,
    LISTED_CAP,
    Answer,
    Difference,
    Listed,
    Split,
    StretchAsk,
    answer_asks,
    reconcile,
)
from federation.repair_lines import (
    OpenedAnswers,
    Place,
    ask_items,
    ask_stretches,
    open_answers,
    read_answer,
    read_asks,
    read_wanted,
    write_answers,
)
from federation.told import WAYS, Fingerprint, bounds, parts_of, told_put, told_recall, total
from tests.federation.simulator import SimulatedPeer
from tests.federation.strategies import (
    BE,
    DE,
    FR,
    INCARNATION,
    NOW,
    REGISTRY,
    feed,
    nonce,
    signer,
)

NONCE = nonce()
names = st.binary(min_size=32, max_size=32)


@dataclass
class Names:
    """A side in memory; counts what it was asked for."""

    of: Iterable[bytes]
    order: list[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.order = sorted(set(self.of))

    def split(self, stretch: str) -> Sequence[Fingerprint]:
        return [Fingerprint.of(self.listed(part, len(self.order))) for part in parts_of(stretch)]

    def listed(self, stretch: str, limit: int) -> Sequence[bytes]:
        low, high = bounds(stretch)
        start, stop = bisect_left(self.order, low), bisect_right(self.order, high)
        return self.order[start : min(stop, start + limit)]


def hashed(count: int, salt: str = "") -> list[bytes]:
    return [sha256(f"{salt}{n}".encode()).digest() for n in range(count)]


def run(
    mine: Names, theirs: Names, spoil: Callable[[Answer], Answer] = lambda answer: answer
) -> tuple[Difference, int]:
    """What one run finds, and the bytes of the answers."""
    steps, size = reconcile(mine), 0
    asks = next(steps)
    while True:
        assert read_asks(b"".join(ask.write() + b"\n" for ask in asks)) == asks
        answers = [spoil(answer) for answer in answer_asks(asks, theirs)]
        assert [read_answer(answer.write()) for answer in answers] == answers
        size += sum(len(answer.write()) for answer in answers)
        try:
            asks = steps.send(answers)
        except StopIteration as end:
            return end.value, size


def like(prefix: bytes) -> st.SearchStrategy[bytes]:
    """Names that begin alike, so that stretches fill unevenly."""
    return st.binary(min_size=28, max_size=28).map(lambda rest: prefix + rest)


crowded = st.sets(names | like(b"\xab\xcd\xef\x01"), max_size=120)


@given(crowded, crowded, crowded)
def test_any_two_sets_differ_by_exactly_what_is_found(
    both: set[bytes], here: set[bytes], there: set[bytes]
) -> None:
    mine, theirs = both | here, both | there
    found, _ = run(Names(mine), Names(theirs))
    assert found.missing == theirs - mine
    assert found.extra == mine - theirs
    assert found.complete
    assert found.theirs == Fingerprint.of(sorted(theirs))
    assert found.rounds <= DEPTH_CAP + 1


@given(st.sets(names, max_size=40), st.sets(names, max_size=40))
def test_a_sum_follows_its_rows_one_step_at_a_time(before: set[bytes], after: set[bytes]) -> None:
    kept = Fingerprint.of(sorted(before))
    for name in before - after:
        kept += Fingerprint.step(name, None)
    for name in after - before:
        kept += Fingerprint.step(None, name)
    assert kept == Fingerprint.of(sorted(after))
    assert total(Names(after).split("")) == kept


@pytest.mark.parametrize("differences", [0, 1, 15, 150])
def test_the_cost_is_that_of_the_difference(differences: int) -> None:
    all_of_it = hashed(60_000)
    mine = Names(all_of_it[differences:])
    found, size = run(mine, Names(all_of_it))
    assert len(found.missing) == differences
    assert found.rounds <= 5
    assert size < 2_000 + differences * 9_000  # one listing of all: 4 MB


def test_where_all_is_missing_it_costs_little_more_than_an_index() -> None:
    theirs = hashed(15_000)
    found, size = run(Names([]), Names(theirs))
    assert found.missing == set(theirs)
    assert size < 1.1 * 67 * len(theirs)


def test_where_nothing_is_left_there_all_of_ours_is_extra() -> None:
    mine = hashed(3_000)
    found, size = run(Names(mine), Names([]))
    assert found.extra == set(mine)
    assert size < 2_000


def test_one_run_brings_home_no_more_than_it_can_carry() -> None:
    theirs = hashed(3 * FOUND_CAP)
    found, _ = run(Names([]), Names(theirs))
    assert not found.complete
    assert FOUND_CAP <= len(found.missing) < FOUND_CAP + LISTED_CAP
    assert found.missing < set(theirs)


def test_names_tell_logs_versions_and_slots_apart() -> None:
    told = {
        told_put(FR, BE, 0, b"map"),
        told_put(BE, FR, 0, b"map"),
        told_put(FR, BE, 1, b"map"),
        told_put(FR, BE, 0, b"other"),
        told_recall(FR, BE, (0, 1)),
        told_recall(FR, BE, (1, 0)),
    }
    assert len(told) == 6


# A source that lies


def first_part_less(answer: Answer) -> Answer:
    match answer:
        case Split("", parts):
            return answer
        case Split(stretch, parts):
            return Split(stretch, (parts[0] - Fingerprint(0, 1), *parts[1:]))
        case Listed(stretch, told):
            return Listed(stretch, told[1:])


def test_parts_that_do_not_add_up_to_the_whole_are_refused() -> None:
    with pytest.raises(BadRepairError, match="sum"):
        run(Names(hashed(1_000)), Names(hashed(1_001)), first_part_less)


def test_endless_depth_is_refused() -> None:
    def deeper(answer: Answer) -> Answer:
        parts = [Fingerprint(10**9, 7), *[Fingerprint()] * (WAYS - 1)]
        return Split(answer.stretch, tuple(parts))

    with pytest.raises(BadRepairError, match="depth"):
        run(Names([]), Names(hashed(2_000)), deeper)


def test_an_answer_to_another_stretch_is_refused() -> None:
    with pytest.raises(BadRepairError, match="order"):
        run(
            Names(hashed(999)),
            Names(hashed(1_000)),
            lambda answer: replace(answer, stretch="0"),
        )


@pytest.mark.parametrize("count", [0, 2])
def test_no_answer_and_one_too_many_are_refused(count: int) -> None:
    steps = reconcile(Names([]))
    next(steps)
    with pytest.raises(BadRepairError, match="count"):
        steps.send([Listed("", ())] * count)


def test_a_source_lists_no_more_than_fits_in_a_line() -> None:
    (answer,) = answer_asks([StretchAsk("", listed=True)], Names(hashed(LISTED_CAP + 1)))
    assert isinstance(answer, Split)
    (answer,) = answer_asks([StretchAsk("", listed=True)], Names(hashed(LISTED_CAP)))
    assert isinstance(answer, Listed)


def test_a_source_leaves_for_later_what_would_be_too_much_at_once() -> None:
    theirs = Names(hashed(LISTED_CAP))
    asks = [StretchAsk("", listed=True)] * 300
    assert 100 < len(list(answer_asks(asks, theirs))) < 130


# Lines

OVERLAPPING = [("", "0"), ("a", "ab"), ("b", "a"), ("a", "a")]


@pytest.mark.parametrize("stretches", OVERLAPPING)
def test_stretches_that_overlap_are_no_question(stretches: tuple[str, ...]) -> None:
    with pytest.raises(BadLineError, match="overlap"):
        read_asks(b"".join(StretchAsk(one, listed=False).write() + b"\n" for one in stretches))


zero = "0" * 64
one = f"{1:064x}"
BAD_ANSWERS = [
    b'{"stretch":"a"}',
    b'{"stretch":"A","names":[]}',
    b'{"stretch":"' + b"a" * (DEPTH_CAP + 1) + b'","names":[]}',
    b'{"stretch":"","names":["' + one.encode() + b'","' + zero.encode() + b'"]}',
    b'{"stretch":"","names":["' + one.encode() + b'","' + one.encode() + b'"]}',
    b'{"stretch":"f","names":["' + one.encode() + b'"]}',
    b'{"stretch":"","names":["01"]}',
    b'{"stretch":"","split":[]}',
    b'{"stretch":"","split":[' + b",".join([b'[1,"x"]'] * WAYS) + b"]}",
    b'{"stretch":"","split":[' + b",".join([b'[-1,"' + zero.encode() + b'"]'] * WAYS) + b"]}",
    b'{"stretch":"","split":[' + b",".join([b'[true,"' + zero.encode() + b'"]'] * WAYS) + b"]}",
    b'{"stretch":"","split":[' + b",".join([b'[%d,"' % 2**53 + zero.encode() + b'"]'] * 16) + b"]}",
    b'{"stretch":"","names":[],"more":1}',
    b'{"stretch": "","names":[]}',
    b"[]",
    b"",
]


@pytest.mark.parametrize("line", BAD_ANSWERS)
def test_a_malformed_answer_is_refused(line: bytes) -> None:
    with pytest.raises(BadLineError):
        read_answer(line)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_question_or_a_bad_line(body: bytes) -> None:
    for read in (read_asks, read_wanted, read_answer):
        try:
            read(body)
        except BadLineError:
            continue


# Who says so


def answers() -> bytes:
    body: list[Answer] = [Listed("0", (bytes(32),)), Split("1", (Fingerprint(),) * WAYS)]
    return write_answers(feed(), body, pos=7, nonce=NONCE, now=NOW)


def opened(body: bytes, source: str = FR, me: str = BE, asked: str = NONCE) -> OpenedAnswers:
    return open_answers(body, source=source, me=me, nonce=asked, registry=REGISTRY, now=NOW)


def test_an_answer_is_of_its_source_for_us_to_this_question_at_one_place() -> None:
    found = opened(answers())
    assert found.place == Place(INCARNATION, 7)
    assert [one.stretch for one in found.answers] == ["0", "1"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (answers().replace(b'[[0,"0', b'[[1,"0', 1), "root"),
        (answers().split(b"\n", 1)[1], "count"),
        (answers().rsplit(b"\n", 2)[0] + b"\n", "grammar"),
        (answers()[:-1], "grammar"),
        (b"", "grammar"),
        (answers().replace(b'"sig":"', b'"sig":"A', 1), "grammar"),
    ],
)
def test_a_changed_answer_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(BadRepairError) as caught:
        opened(body)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("source", "me", "asked", "reason"),
    [(DE, BE, NONCE, "signature"), (FR, DE, NONCE, "to"), (FR, BE, nonce("other"), "nonce")],
)
def test_an_answer_of_another_for_another_or_to_another_question_is_refused(
    source: str, me: str, asked: str, reason: str
) -> None:
    with pytest.raises(BadRepairError) as caught:
        opened(answers(), source, me, asked)
    assert caught.value.reason == reason


def test_a_question_travels_signed_over_its_body() -> None:
    peer = SimulatedPeer(FR).peer
    me = signer(BE)
    asks = [StretchAsk("a", listed=True)]
    stretches = ask_stretches(peer, asks, nonce=NONCE, signer=me, now=NOW)
    assert read_asks(stretches.body) == (StretchAsk("a", listed=True),)
    items = ask_items(peer, [bytes(32), (FR, BE)], nonce=NONCE, signer=me, now=NOW)
    assert read_wanted(items.body) == (bytes(32), (FR, BE))
    for call in (stretches, items):
        assert "content-digest" in call.headers["signature-input"]
