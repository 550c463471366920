"""A person's act of release: signed, read back, and refused when a byte of it is another."""

from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.errors import RefusedError
from sharing.release_act import (
    PAYLOAD_TYPE,
    ReleaseAct,
    ReleasedSlot,
    make_release_act,
    verify_release_act,
)
from sharing.seal.canonical import read_base64, write_base64
from sharing.seal.dsse import sign_envelope, write_envelope
from tests.sharing.making import BE, DE, FR, NOW, REGISTRY, SIGNER

RECORD = "5e1f8a30-7d1c-4b5e-9a2f-6d5c4b3a2f11"
ACT = ReleaseAct(
    iss=FR,
    origin=FR,
    event="5e1f8a30-7d1c-4b5e-9a2f-6d5c4b3a2f10",
    party=BE,
    slots=(ReleasedSlot(RECORD, 10, "ab" * 32), ReleasedSlot(RECORD, 11, "cd" * 32)),
    person="amelie",
    role="operator",
    ground="order",
    reference="PR 26/0412",
    reason="asked by the case officer",
    rulebook="ef" * 32,
    iat=NOW,
)


def signed(**changed: object) -> bytes:
    """An envelope whose payload says something else, well signed all the same."""
    payload = orjson.loads(
        read_base64(orjson.loads(make_release_act(ACT, [SIGNER]))["payload"])
    ) | dict(changed)
    payload = {name: value for name, value in payload.items() if value is not None}
    raw = orjson.dumps(payload)
    return write_envelope(PAYLOAD_TYPE, raw, sign_envelope(PAYLOAD_TYPE, raw, [SIGNER]))


def test_what_was_said_comes_back_as_it_was_said() -> None:
    assert verify_release_act(make_release_act(ACT, [SIGNER]), REGISTRY) == ACT


@pytest.mark.parametrize("name", ["person", "role", "ground", "reference", "reason", "party"])
def test_no_word_of_it_can_be_changed(name: str) -> None:
    envelope = orjson.loads(make_release_act(ACT, [SIGNER]))
    payload = orjson.loads(read_base64(envelope["payload"]))
    payload[name] = DE if name == "party" else payload[name] + "x"
    envelope["payload"] = write_base64(orjson.dumps(payload))
    with pytest.raises(RefusedError, match="check 3"):
        verify_release_act(orjson.dumps(envelope), REGISTRY)


@pytest.mark.parametrize(
    "changed",
    [
        {"person": None},
        {"more": 1},
        {"_type": "fisn.release/2"},
        {"slots": [{"record": RECORD, "type": 0, "content": ""}]},
        {"slots": [{"record": RECORD, "type": 1}]},
        {"slots": ["x"]},
        {"party": "somebody"},
        {"reason": 7},
    ],
)
def test_what_does_not_read_as_an_act_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(RefusedError, match="check 2"):
        verify_release_act(signed(**changed), REGISTRY)


def test_only_the_node_it_names_can_have_signed_it() -> None:
    with pytest.raises(RefusedError, match="check 3"):
        verify_release_act(make_release_act(replace(ACT, iss=BE), [SIGNER]), REGISTRY)


def test_one_that_is_too_long_is_not_even_read() -> None:
    with pytest.raises(RefusedError, match="check 1"):
        verify_release_act(b" " * (8 << 20) + b"x", REGISTRY)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_act_or_refused(raw: bytes) -> None:
    with pytest.raises(RefusedError):
        verify_release_act(raw, REGISTRY)
