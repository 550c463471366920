from collections.abc import Mapping
from dataclasses import replace
from uuid import uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.auth import Received, verify_request
from federation.call import Reply
from federation.errors import BadReceiptError, BadReplyError
from federation.peer import peers_of
from federation.receipt import (
    RECEIPT_CAP,
    RECEIPT_TYPE,
    WORDS,
    Downstream,
    Outcome,
    Receipt,
    Refusal,
    bring,
    is_taken,
    name_of_item,
    read_receipt,
    write_receipt,
)
from sharing.errors import ForeignFault
from sharing.seal.dsse import read_envelope, sign_envelope, write_envelope
from tests.federation.strategies import (
    BE,
    DE,
    FR,
    NOW,
    REGISTRY,
    URLS,
    nonce,
    registry_where,
    signer,
)

ERASED = Receipt(
    sender=BE,
    to=FR,
    origin=FR,
    event="5e1f8a30-7d1c-4b5e-9a2f-6d5c4b3a2f10",
    version=(1, 3),
    item=name_of_item(b'{"pos":4}'),
    outcome=Outcome.ERASED,
    why=None,
    downstream=Downstream(3, 2),
    at=NOW,
)
REFUSED = replace(
    ERASED, outcome=Outcome.REFUSED, why=Refusal(7, "not-addressed"), downstream=None, version=None
)


def written(receipt: Receipt = ERASED, by: str = BE, use: str = "transport") -> bytes:
    return write_receipt(receipt, signer(by, use))


def read(envelope: bytes, *, sender: str = BE, me: str = FR) -> Receipt:
    return read_receipt(envelope, sender=sender, me=me, registry=REGISTRY, now=NOW)


def refused(envelope: bytes, reason: str, *, sender: str = BE, me: str = FR) -> None:
    with pytest.raises(BadReceiptError) as caught:
        read(envelope, sender=sender, me=me)
    assert caught.value.reason == reason


def resealed(payload: bytes) -> bytes:
    """The payload under a signature that holds."""
    signatures = sign_envelope(RECEIPT_TYPE, payload, (signer(BE),))
    return write_envelope(RECEIPT_TYPE, payload, signatures)


def said(otherwise: Mapping[str, object], receipt: Receipt = ERASED) -> bytes:
    """The receipt with other members, signed as it then is."""
    payload, _ = read_envelope(written(receipt), RECEIPT_TYPE)
    return resealed(orjson.dumps({**orjson.loads(payload), **otherwise}))


def test_a_receipt_reads_as_it_was_written() -> None:
    for receipt in (ERASED, REFUSED, replace(ERASED, downstream=Downstream(0, 0))):
        assert read(written(receipt)) == receipt


def test_only_who_it_is_from_brings_it_and_only_who_it_is_for_takes_it() -> None:
    refused(written(), "from", sender=DE)
    refused(written(), "to", me=DE)
    refused(written(replace(ERASED, to=DE)), "to")
    refused(written(replace(ERASED, sender=DE)), "from")


def test_only_a_transport_key_of_its_sender_signs_it() -> None:
    refused(written(by=DE), "signature")
    refused(written(use="seal"), "signature")
    gone = registry_where(BE, compromised_since="2026-11-21T00:00:00Z")
    with pytest.raises(BadReceiptError) as caught:
        read_receipt(written(), sender=BE, me=FR, registry=gone, now=NOW)
    assert caught.value.reason == "signature"


def test_what_a_retired_key_signed_still_counts() -> None:
    retired = registry_where(BE, not_after="2026-11-21T00:00:00Z")
    assert read_receipt(written(), sender=BE, me=FR, registry=retired, now=NOW) == ERASED


def test_no_member_of_a_signed_receipt_can_be_changed() -> None:
    payload, signatures = read_envelope(written(), RECEIPT_TYPE)
    members = orjson.loads(payload)
    for name, other in {
        "origin": BE,
        "event": str(uuid4()),
        "epoch": 2,
        "seq": 4,
        "item": "0" * 64,
        "downstream": {"sent": 3, "confirmed": 3},
        "at": "2026-01-28T00:00:00Z",
    }.items():
        assert members[name] != other
        changed = orjson.dumps({**members, name: other})
        refused(write_envelope(RECEIPT_TYPE, changed, signatures), "signature")


@pytest.mark.parametrize(
    "otherwise",
    [
        {"_type": "fisn.receipt/2"},
        {"outcome": "kept"},
        {"outcome": "refused"},
        {"reason": {"check": 7, "word": "not-addressed"}},
        {"downstream": None},
        {"downstream": {"sent": 1, "confirmed": 2}},
        {"downstream": {"sent": 1, "confirmed": -1}},
        {"downstream": {"sent": True, "confirmed": 0}},
        {"downstream": {"sent": 1, "confirmed": 0, "more": 0}},
        {"epoch": None},
        {"epoch": None, "seq": None},
        {"seq": 2**60},
        {"item": "0" * 63},
        {"item": "A" * 64},
        {"from": "BE"},
        {"at": "yesterday"},
        {"keys": []},
        {"note": "x"},
    ],
)
def test_what_is_not_of_its_form_is_refused_though_it_is_signed(
    otherwise: dict[str, object],
) -> None:
    refused(said(otherwise), "form")


@pytest.mark.parametrize(
    "reason",
    [
        {"check": 7, "word": "patients"},
        {"check": 9, "word": "not-addressed"},
        {"check": 2, "word": "signature"},
        {"check": 7, "word": "the password is x"},
        {"check": 7},
        "not-addressed",
        None,
    ],
)
def test_a_refusal_says_a_word_of_its_check_and_nothing_else(reason: object) -> None:
    refused(said({"reason": reason}, REFUSED), "form")


def test_there_is_one_spelling() -> None:
    payload, _ = read_envelope(written(), RECEIPT_TYPE)
    refused(resealed(payload.replace(b'"seq":3', b'"seq": 3')), "form")
    refused(resealed(payload.replace(b'"seq":3', b'"seq":3,"seq":3')), "form")
    refused(written() + b"\n", "form")
    spaced = written().replace(b'","', b'", "')
    refused(spaced, "form")
    other_type = orjson.loads(written()) | {"payloadType": "application/json"}
    refused(orjson.dumps(other_type), "form")
    twice = orjson.loads(written())
    twice["signatures"] *= 2
    refused(orjson.dumps(twice), "signature")
    unsigned = orjson.loads(written()) | {"signatures": []}
    refused(orjson.dumps(unsigned), "signature")


def test_a_receipt_is_short() -> None:
    refused(b"x" * (RECEIPT_CAP + 1), "size")
    assert max(map(len, (written(ERASED), written(REFUSED)))) < RECEIPT_CAP / 4


@given(st.binary(max_size=200) | st.binary(max_size=200).map(resealed))
def test_any_bytes_are_a_receipt_or_a_foreign_fault(raw: bytes) -> None:
    with pytest.raises(ForeignFault):
        read(raw)


@given(st.integers(0, 2000), st.binary(min_size=1, max_size=1))
def test_a_receipt_with_another_byte_anywhere_does_not_count(place: int, byte: bytes) -> None:
    envelope = written()
    place %= len(envelope)
    spoilt = envelope[:place] + byte + envelope[place + 1 :]
    if spoilt != envelope:
        with pytest.raises(BadReceiptError):
            read(spoilt)


@pytest.mark.parametrize(
    ("check", "reason", "word"),
    [
        (3, "grammar: op is not of its form", "grammar"),
        (3, "unasked: our own log came back", "unasked"),
        (4, "version: (1, 1) after (1, 2)", "version"),
        (5, "seal check 5: root", "seal"),
        (5, "seal check 7: not addressed: somebody", "not-addressed"),
        (5, "equivocation: two statements", "equivocation"),
        (6, "digest: another", "digest"),
        (7, "widened-by-relay: record 3 slot 1 (floor.relay)", "widened-by-relay"),
        (8, "attributes/0/value holds a name", "patients"),
        (5, "Jane Doe, born 1970", "seal"),
    ],
)
def test_of_a_reason_only_a_word_of_the_list_is_told(check: int, reason: str, word: str) -> None:
    assert Refusal.of(check, reason) == Refusal(check, word)
    assert word in WORDS[check]


def test_it_is_brought_by_a_signed_request_and_says_how_it_was_taken() -> None:
    peer = next(peer for peer in peers_of(REGISTRY, BE) if peer.org == FR)
    call = bring(peer, written(), nonce=nonce(), signer=signer(BE), now=NOW)
    sent = Received(call.method, call.path, tuple(call.headers.items()), call.body)
    assert verify_request(sent, base_url=URLS[FR], registry=REGISTRY, now=NOW).org == BE
    assert call.headers["content-type"] == RECEIPT_TYPE
    assert [is_taken(Reply(status, {}, b"")) for status in (200, 204)] == [True, True]
    titles = {400: "no receipt", 409: "erased before", 422: "no such item"}
    for status, title in titles.items():
        assert not is_taken(Reply(status, {}, b'{"title":"%b"}' % title.encode()))


def test_who_else_than_the_peer_turns_it_down_on_the_way_does_not_end_it() -> None:
    bodies = (b"", b"Bad Request", b'{"title":"Bad Request"}', b'["no receipt"]')
    for status in (400, 409, 413, 422):
        for body in (*bodies, b'{"title":"no receipt"}' if status != 400 else b"{}"):
            with pytest.raises(BadReplyError):
                is_taken(Reply(status, {}, body))
    for status in (301, 401, 403, 404, 429, 500, 503):
        with pytest.raises(BadReplyError):
            is_taken(Reply(status, {}, b""))
