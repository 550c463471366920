"""JSON with one meaning, and nothing that looks like it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.errors import UnreadableError
from sharing.seal.strictjson import read_object, read_objects
from tests.sharing.seal.strategies import VALUES

GOOD = [
    b"{}",
    b'{"a":1}',
    b'{ "a" : [ 1 , 2.5 , null ] }',
    b'{"a":1e2,"b":-0.0,"c":1E-3}',
    b'{"a":"\\u00e9\\/","b":"\xc3\xa9"}',
    '{"a":"\U0001f600 ｆｕｌｌ"}'.encode(),
    b'{"a":' + b"[" * 31 + b"]" * 31 + b"}",
    b'{"a":"' + b"{[" * 40 + b'"}',
]
BAD = [
    b"",
    b"[]",
    b"1",
    b'"a"',
    b"{",
    b'{"a":1}{"b":2}',
    b'{"a":1},{"b":2}',
    b' {"a":1}',
    b'{"a":1} ',
    b'\xef\xbb\xbf{"a":1}',
    b'{"a":1,"a":1}',
    b'{"a":1,"a":1e7}',
    b'{"a":{"b":1,"b":2}}',
    b'{"a":1,"\\u0061":2}',
    b'{"a":NaN}',
    b'{"a":Infinity}',
    b'{"a":-Infinity}',
    b'{"a":1e400}',
    b'{"a":01}',
    b'{"a":+1}',
    b'{"a":.5}',
    b'{"a":1,}',
    b"{'a':1}",
    b'{"a":"\\ud800"}',
    b'{"a":"\\udc00\\ud800"}',
    b'{"a":"\xff"}',
    b'{"a":"\xed\xa0\x80"}',
    b'{"a":"\xc0\x80"}',
    b'{"a":"\n"}',
    b'{"a":"\\uffff"}',
    '{"a":"\ufdd0"}'.encode(),
    '{"a":"\U0001fffe"}'.encode(),
    '{"\uffff":1}'.encode(),
    b'{"a":' + b"[" * 32 + b"]" * 32 + b"}",
    b'{"a":' * 40 + b"1" + b"}" * 40,
    b'{"a":' + b"[" * 300 + b"]" * 300 + b"}",
    b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
    b'{"a":/*c*/1}',
]


@pytest.mark.parametrize("text", GOOD)
def test_an_object_is_read(text: bytes) -> None:
    assert read_object(text) == json.loads(text)


def test_an_integer_beyond_a_double_is_read_as_one() -> None:
    assert read_object(b'{"a":123456789012345678901234567890}') == {"a": 1.2345678901234568e29}


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_anything_else_is_refused(text: bytes) -> None:
    with pytest.raises(UnreadableError):
        read_object(text)


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_anything_else_is_refused_among_good_ones(text: bytes) -> None:
    with pytest.raises(UnreadableError):
        list(read_objects([*GOOD, text, *GOOD]))


def test_texts_that_are_objects_only_together_are_refused() -> None:
    for texts in (
        [b'{"a":1},{"b":2}', b'{"c":"}', b'{"}'],
        [b'{"a":1},{"b":[{}', b"{}]}"],
        [b'{"a":1', b'"b":2}'],
        [b'{"a":1},{"b":[1', b"2]}"],
        [b'{"a":1},{"b":[{}', b'{}]},{"c":"}', b'{"}'],
        [b"{}", b"{},{}", b'{"a":[[{}', b"{}]]}"],
        [b'{"a":"}', b'{"}'],
    ):
        with pytest.raises(UnreadableError):
            list(read_objects(texts))


PIECES = st.lists(
    st.sampled_from([b"{", b"}", b"[", b"]", b",", b'"', b'"a":', b"1", b"{}", b"},{"])
)


@given(st.lists(PIECES.map(b"".join), min_size=1, max_size=4))
def test_texts_are_read_together_only_if_each_is_read_alone(texts: list[bytes]) -> None:
    try:
        together: object = [value for few in read_objects(texts) for value in few]
    except UnreadableError:
        together = None
    try:
        alone: object = [read_object(text) for text in texts]
    except UnreadableError:
        alone = None
    assert together == alone


@given(st.lists(st.dictionaries(st.text("ab\u00e9\U0001f600", max_size=3), VALUES), max_size=200))
def test_many_are_read_as_one_by_one(values: list[dict[str, object]]) -> None:
    texts = [json.dumps(value).encode() for value in values]
    assert [value for few in read_objects(texts) for value in few] == values
    assert [read_object(text) for text in texts] == values
