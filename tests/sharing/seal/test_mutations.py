"""Any bytes give a value or our refusal, nothing else; and what was changed is refused."""

import json
import random
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharing.errors import ForeignFault, RefusedError
from sharing.seal.canonical import write_base64
from sharing.seal.delta import read_delta
from sharing.seal.dsse import sign_envelope
from sharing.seal.keys import KeyRegistry
from sharing.seal.maps import decode_map
from sharing.seal.package import load_holding
from sharing.seal.recall import verify_recall
from sharing.seal.records import Header
from sharing.seal.statement import PAYLOAD_TYPE, Statement
from sharing.seal.tables import ClassTable, decode_void
from tests.sharing.seal.notary import REGISTRY, SIGNER, sealed, verified
from tests.sharing.seal.shapes import SHAPES, Shape

FLIPS = 1300  # of each shape, over 20 000 in all
FULL, DELTA = SHAPES["full"].raw, SHAPES["delta"].raw

every_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=list(SHAPES))


def assert_refused(shape: Shape, changed: bytes) -> None:
    """Refused, by a check of the format and with no other exception."""
    with pytest.raises(RefusedError) as refused:
        shape.read(changed)
    assert refused.value.check in range(1, 8)


@every_shape
def test_every_shape_is_accepted_as_it_stands(shape: Shape) -> None:
    shape.read(shape.raw)


def test_there_are_twenty_thousand_flips() -> None:
    assert sum(min(FLIPS, 8 * len(shape.raw)) for shape in SHAPES.values()) >= 20_000


@every_shape
def test_every_flipped_bit_is_refused(shape: Shape) -> None:
    for place in random.Random(7).sample(range(8 * len(shape.raw)), FLIPS):
        changed = bytearray(shape.raw)
        changed[place // 8] ^= 1 << place % 8
        assert_refused(shape, bytes(changed))


@every_shape
def test_every_byte_lost_or_doubled_and_every_cut_is_refused(shape: Shape) -> None:
    raw = shape.raw
    for place in random.Random(8).sample(range(len(raw)), 100):
        assert_refused(shape, raw[:place] + raw[place + 1 :])
        assert_refused(shape, raw[:place] + raw[place : place + 1] + raw[place:])
        assert_refused(shape, raw[:place])
        assert_refused(shape, raw[place + 1 :])


@every_shape
def test_every_byte_put_in_is_refused_but_for_space_between_members(shape: Shape) -> None:
    """Line 0 is a JSON object, and nothing else is said about the white space in it (§5)."""
    numbers, before = random.Random(9), shape.read(shape.raw)
    for place in numbers.sample(range(len(shape.raw)), 100):
        for byte in (numbers.randrange(256), ord(" "), ord("\n"), ord("0"), ord("-"), ord("=")):
            changed = shape.raw[:place] + bytes((byte,)) + shape.raw[place:]
            if says_the_same(changed, shape.raw):
                assert shape.read(changed) == before
            else:
                assert_refused(shape, changed)


def says_the_same(one: bytes, other: bytes) -> bool:
    """Whether two heads are one JSON value, with the same lines after them."""
    (head, *lines), (other_head, *other_lines) = one.split(b"\n"), other.split(b"\n")
    with suppress(ValueError):
        return lines == other_lines and json.loads(head) == json.loads(other_head)
    return False


@every_shape
def test_lines_swapped_lost_or_doubled_are_refused(shape: Shape) -> None:
    head, *lines = shape.raw.splitlines(keepends=True)
    for at in range(len(lines)):
        for changed in (
            lines[:at] + lines[at + 1 :],
            lines[:at] + lines[at : at + 1] + lines[at:],
            lines[:at] + lines[at + 1 : at + 2] + lines[at : at + 1] + lines[at + 2 :],
        ):
            if changed != lines:
                assert_refused(shape, b"".join([head, *changed]))


Json = dict[str, object]


def with_head(raw: bytes, change: Callable[[Json], object]) -> bytes:
    line, rest = raw.split(b"\n", 1)
    head: Json = json.loads(line)
    change(head)
    return json.dumps(head, separators=(",", ":")).encode() + b"\n" + rest


def replaced(value: object) -> st.SearchStrategy[object]:
    """Something like this value, or quite unlike it."""
    unlike: st.SearchStrategy[object] = st.sampled_from(
        [None, True, 0, 1, -1, 2**53, 1.0, "", "A", "AA==", [], {}, [[0, 1]]]
    )
    if isinstance(value, list):
        inside = st.integers(0, max(0, len(value) - 1))
        smaller = inside.map(lambda at: value[:at] + value[at + 1 :])
        longer = inside.map(lambda at: [*value, *value[at : at + 1]])
        deeper = inside.flatmap(
            lambda at: replaced(value[at]).map(lambda item: [*value[:at], item, *value[at + 1 :]])
        )
        return unlike | smaller | longer | (deeper if value else unlike)
    if type(value) is int:
        return unlike | st.integers(-2, 200)
    return unlike


any_shape = st.sampled_from(sorted(SHAPES)).map(SHAPES.__getitem__)


@settings(max_examples=400)
@given(any_shape, st.data())
def test_a_changed_head_is_refused(shape: Shape, data: st.DataObject) -> None:
    head: Json = json.loads(shape.raw.split(b"\n", 1)[0])
    name = data.draw(st.sampled_from(sorted(set(head) - {"cls"})))
    value = data.draw(
        replaced(head[name]).filter(lambda new: json.dumps(new) != json.dumps(head[name]))
    )
    assert_refused(shape, with_head(shape.raw, lambda head: head.update({name: value})))


@given(st.data())
def test_a_changed_statement_is_refused_even_if_signed_again(data: st.DataObject) -> None:
    raw = FULL
    members: Json = json.loads(sealed().payload)
    name = data.draw(
        st.sampled_from(sorted(set(members) - {"prev", "epoch", "seq", "iat", "log", "event"}))
    )
    value = data.draw(
        replaced(members[name]).filter(lambda new: json.dumps(new) != json.dumps(members[name]))
    )
    payload = json.dumps({**members, name: value}).encode()
    signature = sign_envelope(PAYLOAD_TYPE, payload, [SIGNER])[0]
    sigs = [{"keyid": signature.keyid, "sig": write_base64(signature.sig)}]
    changed = with_head(raw, lambda head: head.update(payload=write_base64(payload), sigs=sigs))
    with pytest.raises(RefusedError):
        verified(changed)


def test_a_name_twice_in_the_head_is_refused() -> None:
    with pytest.raises(RefusedError, match="twice"):
        verified(FULL.replace(b'{"fise":1,', b'{"fise":1,"fise":1,', 1))


NOISE = st.binary(max_size=200) | st.text(max_size=80).map(str.encode)


@given(NOISE)
def test_any_bytes_give_a_value_or_our_refusal(raw: bytes) -> None:
    readers: list[Callable[[bytes], object]] = [
        verified,
        load_holding,
        read_delta,
        lambda raw: verified(raw + b"\n"),
        lambda raw: read_delta(raw + b"\n"),
        lambda raw: verified(FULL.split(b"\n", 1)[0] + b"\n" + raw + b"\n"),
        lambda raw: read_delta(DELTA.split(b"\n", 1)[0] + b"\n" + raw + b"\n"),
        lambda raw: verify_recall(raw, REGISTRY),
        KeyRegistry.read,
        Statement.decode,
        Header.decode,
        ClassTable.decode,
        decode_void,
        decode_map,
    ]
    for read in readers:
        with suppress(ForeignFault):
            read(raw)


@given(any_shape, st.data())
def test_any_cut_and_paste_gives_a_value_or_our_refusal(shape: Shape, data: st.DataObject) -> None:
    raw = shape.raw
    places = st.integers(0, len(raw))
    start, stop, to = data.draw(places), data.draw(places), data.draw(places)
    changed = raw[:to] + raw[min(start, stop) : max(start, stop)] + raw[to:]
    if changed != raw:
        assert_refused(shape, changed)
