import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import BadLineError
from federation.lines import DEPTH_CAP, LINE_CAP, depth, read_line, write_instant, write_line
from tests.federation.strategies import instants

plain_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), plain_json, max_size=6))
def test_a_written_line_reads_back(members: dict[str, object]) -> None:
    line = write_line(members)
    fields = read_line(line, "line")
    assert {name: fields.take(name) for name in members} == members
    assert b"\n" not in line


@given(st.binary(max_size=200))
def test_any_bytes_are_an_object_or_refused(line: bytes) -> None:
    try:
        read_line(line, "line").close()
    except BadLineError:
        return
    assert line == b"{}"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"null",
        b'{"a": 1}',
        b'{"a":1} ',
        b'{"a":1,"a":2}',
        b'{"\\u0061":1}',
        b'{"a":1.50}',
        b'{"a":"\xff"}',
        b'{"a":"\\ud800"}',
        b'{"a":NaN}',
    ],
)
def test_a_second_spelling_is_refused(line: bytes) -> None:
    with pytest.raises(BadLineError):
        read_line(line, "line")


def test_depth_is_refused_before_parsing() -> None:
    fits = b'{"a":' + b"[" * (DEPTH_CAP - 1) + b"]" * (DEPTH_CAP - 1) + b"}"
    read_line(fits, "line")
    with pytest.raises(BadLineError, match="deeper than 32"):
        read_line(b'{"a":' + b"[" * DEPTH_CAP + b"]" * DEPTH_CAP + b"}", "line")
    with pytest.raises(BadLineError, match="deeper than 32"):
        read_line(b"[" * 60_000, "line")


@given(plain_json)
def test_depth_never_underestimates(value: object) -> None:
    def nested(inside: object) -> int:
        match inside:
            case dict():
                return 1 + max(map(nested, inside.values()), default=0)
            case list():
                return 1 + max(map(nested, inside), default=0)
            case _:
                return 0

    assert depth(orjson.dumps(value)) >= nested(value)


def test_brackets_inside_strings_do_not_count_as_depth() -> None:
    assert depth(orjson.dumps({"a": '[{\\"' * 100})) == 1


def test_a_long_line_is_refused_and_never_written() -> None:
    with pytest.raises(BadLineError, match="bytes, at most"):
        read_line(b'{"a":"' + b"x" * LINE_CAP + b'"}', "line")
    with pytest.raises(ValueError, match="at most"):
        write_line({"a": "x" * LINE_CAP})


@given(instants)
def test_an_instant_reads_back(at: object) -> None:
    fields = read_line(write_line({"at": write_instant(at)}), "line")  # type: ignore[arg-type]  # drawn
    assert fields.instant("at") == at


@pytest.mark.parametrize(
    "at", ["2026-13-01T00:00:00Z", "2026-01-01T00:00:00", "2026-01-01", 5, "٢026-01-01T00:00:00Z"]
)
def test_a_wrong_instant_is_refused(at: object) -> None:
    with pytest.raises(BadLineError):
        read_line(write_line({"at": at}), "line").instant("at")


@pytest.mark.parametrize("value", [True, 1.0, "1", None, -1, 2**53])
def test_only_whole_numbers_in_range_are_integers(value: object) -> None:
    with pytest.raises(BadLineError):
        read_line(write_line({"n": value}), "line").integer("n")


def test_unknown_members_are_refused() -> None:
    fields = read_line(b'{"a":1,"b":2}', "line")
    fields.integer("a")
    with pytest.raises(BadLineError, match="does not know"):
        fields.close()


@pytest.mark.parametrize("value", [True, 1.0, "1", 2, None])
def test_a_fixed_number_takes_no_lookalike(value: object) -> None:
    with pytest.raises(BadLineError):
        read_line(write_line({"fed": value}), "line").exactly("fed", 1)
