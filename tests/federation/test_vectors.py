"""The bytes of fed/1, pinned: other bytes mean another version and another file."""

import base64
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from federation.auth import Received, sign_request, verify_request
from federation.call import Call
from federation.cursor import read_cursor, write_cursor
from federation.errors import BadLineError
from federation.feed import OutboxRow, Question, plan_page, write_page
from federation.opening import open_page
from federation.wire import Ground, Op, read_item_line
from sharing.seal.keys import KeyRegistry
from sharing.seal.package import write_package
from tests.federation.simulator import Receiver, SimulatedPeer
from tests.federation.strategies import (
    BE,
    FR,
    NOW,
    OTHER_EVENT,
    RULEBOOK,
    feed,
    nonce,
    put_line,
    sealed,
    signer,
)

VECTOR: dict[str, Any] = json.loads((Path(__file__).parent / "vectors" / "fed1.json").read_text())
REGISTRY = KeyRegistry.read({"members": VECTOR["registry"]["members"]})
REQUEST = VECTOR["request"]


def test_the_request_is_signed_to_the_byte() -> None:
    call = sign_request(
        Call(REQUEST["method"], REQUEST["path"]),
        base_url=REQUEST["base_url"],
        signer=signer(BE),
        nonce=REQUEST["nonce"],
        now=NOW,
    )
    assert dict(call.headers) == REQUEST["headers"]


def test_the_request_verifies() -> None:
    received = Received(REQUEST["method"], REQUEST["path"], tuple(REQUEST["headers"].items()))
    requester = verify_request(received, base_url=REQUEST["base_url"], registry=REGISTRY, now=NOW)
    assert (requester.org, requester.nonce) == (BE, REQUEST["nonce"])


def test_the_signature_base_is_that_of_rfc_9421() -> None:
    """Section 2.5, written out by hand; the library has no part in it."""
    _, _, parameters = REQUEST["headers"]["signature-input"].partition("fed=")
    lines = (
        f'"@method": {REQUEST["method"]}',
        f'"@target-uri": {REQUEST["base_url"]}{REQUEST["path"]}',
        f'"@signature-params": {parameters}',
    )
    found = re.fullmatch(r"fed=:(.+):", REQUEST["headers"]["signature"])
    assert found is not None
    key = REGISTRY.keys[signer(BE).kid]
    assert key.verifies("\n".join(lines).encode(), base64.b64decode(found[1]))


def test_the_cursor_is_made_and_read_to_the_byte() -> None:
    cursor = dict(VECTOR["cursor"])
    key, token, pos = bytes.fromhex(cursor.pop("key")), cursor.pop("token"), cursor.pop("pos")
    assert write_cursor(key=key, pos=pos, **cursor) == token
    assert read_cursor(token, key=key, **cursor) == pos


def test_the_page_is_written_to_the_byte() -> None:
    holding = sealed()
    grounds = (Ground("label", 2, 3, 0), Ground("policy", 10, 1, 1, ("attack_vector",)))
    lines = [
        replace(put_line(holding, 1), urgent=True, withheld=grounds),
        replace(put_line(sealed(event=OTHER_EVENT), 3), op=Op.WITHDRAW, digest=None),
    ]
    plan = plan_page(
        [OutboxRow(line, RULEBOOK, dirty=False) for line in lines], after=0, rulebook=RULEBOOK
    )
    chunks = write_page(
        feed(), Question(0, None, nonce()), plan, lambda _: write_package(holding), head=9, now=NOW
    )
    assert b"".join(chunks).decode() == VECTOR["page"]["text"]


def test_the_page_opens() -> None:
    ask = replace(Receiver(BE).question(SimulatedPeer(FR)), nonce=VECTOR["page"]["nonce"])
    page = open_page(VECTOR["page"]["text"].encode(), ask, registry=REGISTRY, now=NOW)
    assert [item.line.pos for item in page.items] == [1, 3]


@pytest.mark.parametrize("what", VECTOR["refused_item_lines"])
def test_a_line_of_another_spelling_or_meaning_is_refused(what: str) -> None:
    with pytest.raises(BadLineError):
        read_item_line(VECTOR["refused_item_lines"][what].encode())
