"""Any bytes give a value or our refusal, nothing else; and what was changed is refused."""

import json
import random
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.errors import ForeignFault, RefusedError
from sharing.seal.canonical import write_base64
from sharing.seal.dsse import sign_envelope
from sharing.seal.keys import KeyRegistry
from sharing.seal.maps import decode_map
from sharing.seal.package import load_holding, write_package
from sharing.seal.recall import verify_recall
from sharing.seal.records import Header
from sharing.seal.statement import PAYLOAD_TYPE, Statement
from sharing.seal.tables import ClassTable, decode_void
from tests.sharing.seal.notary import REGISTRY, SIGNER, attribute, event_records, sealed, verified

FULL = write_package(sealed())
HOLDING = sealed([*event_records(), *(attribute(name) for name in range(80))])
_MASKS = {index: mask for index, mask in HOLDING.masks.items() if index % 5 or index < 3}
_PARTLY = next(index for index, mask in _MASKS.items() if mask == 0b111)
REDACTED = write_package(HOLDING, {**_MASKS, _PARTLY: 0b010})
FLIPS = 2500


@pytest.mark.parametrize("raw", [FULL, REDACTED], ids=["full", "redacted"])
def test_every_flipped_bit_is_refused(raw: bytes) -> None:
    verified(raw)
    for place in random.Random(7).sample(range(8 * len(raw)), min(FLIPS, 8 * len(raw))):
        changed = bytearray(raw)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(RefusedError):
            verified(bytes(changed))


@pytest.mark.parametrize("raw", [FULL, REDACTED], ids=["full", "redacted"])
def test_every_byte_lost_or_doubled_is_refused(raw: bytes) -> None:
    for place in random.Random(8).sample(range(len(raw)), 600):
        with pytest.raises(RefusedError):
            verified(raw[:place] + raw[place + 1 :])
        with pytest.raises(RefusedError):
            verified(raw[:place] + raw[place : place + 1] + raw[place:])


@pytest.mark.parametrize("raw", [FULL, REDACTED], ids=["full", "redacted"])
def test_lines_swapped_lost_or_doubled_are_refused(raw: bytes) -> None:
    head, *lines = raw.splitlines(keepends=True)
    for at in range(len(lines)):
        for changed in (
            lines[:at] + lines[at + 1 :],
            lines[:at] + lines[at : at + 1] + lines[at:],
            lines[:at] + lines[at + 1 : at + 2] + lines[at : at + 1] + lines[at + 2 :],
        ):
            if changed != lines:
                with pytest.raises(RefusedError):
                    verified(b"".join([head, *changed]))


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


@given(st.sampled_from([FULL, REDACTED]), st.data())
def test_a_changed_head_is_refused(raw: bytes, data: st.DataObject) -> None:
    head: Json = json.loads(raw.split(b"\n", 1)[0])
    name = data.draw(st.sampled_from(sorted(set(head) - {"cls"})))
    value = data.draw(
        replaced(head[name]).filter(lambda new: json.dumps(new) != json.dumps(head[name]))
    )
    with pytest.raises(RefusedError):
        verified(with_head(raw, lambda head: head.update({name: value})))


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
        lambda raw: verified(raw + b"\n"),
        lambda raw: verified(FULL.split(b"\n", 1)[0] + b"\n" + raw + b"\n"),
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


@given(st.sampled_from([FULL, REDACTED]), st.data())
def test_any_cut_and_paste_gives_a_value_or_our_refusal(raw: bytes, data: st.DataObject) -> None:
    places = st.integers(0, len(raw))
    start, stop, to = data.draw(places), data.draw(places), data.draw(places)
    changed = raw[:to] + raw[min(start, stop) : max(start, stop)] + raw[to:]
    with suppress(RefusedError):
        verified(changed)
        assert changed == raw
