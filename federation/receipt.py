"""The receipt: a receiver's signed answer to one item (federation.md §1.2, sealing.md §2.10).

`erased` answers what took something back (WITHDRAW, RECALL, a PUT that shows less): it is gone
here. `refused` is the signed refusal: the item failed a check, and is held against who sent it. A
receipt names its item by the hash of the exact line that travelled, is bound to one recipient, and
is signed by one transport key. It holds no content: of a refusal only the number of the check and a
word of a closed list.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType

from federation.auth import sign_request
from federation.call import Call, Reply
from federation.errors import BadLineError, BadReceiptError, BadReplyError
from federation.lines import HEX_32, UUID, Fields, read_line, write_instant, write_line
from federation.peer import Peer
from sharing.errors import RefusedError, UnreadableError
from sharing.seal import limits
from sharing.seal.dsse import (
    Signature,
    read_envelope,
    sign_envelope,
    verify_envelope,
    write_envelope,
)
from sharing.seal.keys import KeyRegistry, Signer, Use
from sharing.seal.strictjson import read_object

RECEIPT_TYPE = "application/vnd.fisn.receipt.v1+json"
RECEIPTS_PATH = "/fed/v1/receipts"
RECEIPT_CAP = 8 * 1024
PARTIES_CAP = 1_000_000

# What each check may say for itself; the first word where its own is none of the list.
WORDS: Mapping[int, tuple[str, ...]] = MappingProxyType(
    {
        3: ("grammar", "unasked"),
        4: ("version",),
        5: ("seal", "statement", "equivocation", "void", "recall", "not-addressed"),
        6: ("digest",),
        7: ("not-addressed", "widened-by-relay"),
        8: ("patients",),
    }
)

_SEAL_WORDS = {"seal check 7": "not-addressed"}  # sealing.md §2.7, step 7

_TYPE = "fisn.receipt/1"
_OUTCOME = re.compile("erased|refused")
_WORD = re.compile("|".join(word for words in WORDS.values() for word in words))
_KID = re.compile(r"[A-Za-z0-9_-]{43}")
_REPLY_CAP = 64 * 1024
_TAKEN = (200, 204)

# Why a receipt is turned down for good: titles of the answer. Its status alone may be anybody's on
# the way, such as a 400 for bytes that broke.
NO_RECEIPT, NO_SUCH_ITEM, ERASED_BEFORE = "no receipt", "no such item", "erased before"
_TURNED_DOWN: Mapping[object, int] = MappingProxyType(
    {NO_RECEIPT: 400, NO_SUCH_ITEM: 422, ERASED_BEFORE: 409}
)


class Outcome(StrEnum):
    """What became of the item."""

    ERASED = "erased"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an item was refused: the check's number, and a word of that check's list."""

    check: int
    word: str

    @classmethod
    def of(cls, check: int, reason: str) -> "Refusal":
        """What may be told of a reason that may hold more: its first word, if it is listed.

        Raises:
            KeyError: there is no such check of an item (our bug).
        """
        words = WORDS[check]
        told = reason.partition(":")[0]
        word = _SEAL_WORDS.get(told) or told.partition(" ")[0]
        return cls(check, word if word in words else words[0])


@dataclass(frozen=True, slots=True)
class Downstream:
    """Of those it had passed the log on to: how many there are, how many have confirmed."""

    sent: int
    confirmed: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What `sender` answers to an item that `to` had sent it.

    `version` is the item's (epoch, seq), None where its line could not be read. `why` is there for
    `refused` only, `downstream` for `erased` only.
    """

    sender: str
    to: str
    origin: str
    event: str
    version: tuple[int, int] | None
    item: str
    outcome: Outcome
    why: Refusal | None
    downstream: Downstream | None
    at: datetime


def name_of_item(line: bytes) -> str:
    """The name of an item: H of its line as it travelled, without its line feed."""
    return sha256(line).hexdigest()


def write_receipt(receipt: Receipt, signer: Signer) -> bytes:
    """The signed envelope; the signer's key is a transport key of the receipt's sender."""
    epoch, seq = receipt.version or (None, None)
    why, downstream = receipt.why, receipt.downstream
    payload = write_line(
        {
            "_type": _TYPE,
            "from": receipt.sender,
            "to": receipt.to,
            "origin": receipt.origin,
            "event": receipt.event,
            "epoch": epoch,
            "seq": seq,
            "item": receipt.item,
            "outcome": receipt.outcome.value,
            "reason": None if why is None else {"check": why.check, "word": why.word},
            "downstream": None
            if downstream is None
            else {"sent": downstream.sent, "confirmed": downstream.confirmed},
            "at": write_instant(receipt.at),
            "keys": [signer.kid],
        }
    )
    signatures = sign_envelope(RECEIPT_TYPE, payload, (signer,))
    return write_envelope(RECEIPT_TYPE, payload, signatures)


def read_receipt(
    envelope: bytes, *, sender: str, me: str, registry: KeyRegistry, now: datetime
) -> Receipt:
    """The receipt, if `sender` signed it for us with a transport key of its own.

    A retired key still counts, a compromised one does not: `now` is when we first see it.

    Raises:
        BadReceiptError: with reason `size`, `form`, `from`, `to` or `signature`.
    """
    if len(envelope) > RECEIPT_CAP:
        raise BadReceiptError("size", f"{len(envelope)} bytes, at most {RECEIPT_CAP}")
    try:
        read_line(envelope, "receipt envelope")
        payload, signatures = read_envelope(envelope, RECEIPT_TYPE)
        receipt, kid = _read(payload)
    except (BadLineError, ValueError) as error:
        raise BadReceiptError("form", str(error)) from error
    if receipt.sender != sender:
        raise BadReceiptError("from", "another member brings it than it is from")
    if receipt.to != me:
        raise BadReceiptError("to", "it is meant for another recipient")
    _check_signed(payload, signatures, kid, sender=sender, registry=registry, now=now)
    return receipt


def _check_signed(
    payload: bytes,
    signatures: tuple[Signature, ...],
    kid: str,
    *,
    sender: str,
    registry: KeyRegistry,
    now: datetime,
) -> None:
    try:
        verify_envelope(
            RECEIPT_TYPE,
            payload,
            signatures,
            keys=(kid,),
            org=sender,
            use=Use.TRANSPORT,
            registry=registry,
            first_seen_at=now,
        )
    except RefusedError as error:
        raise BadReceiptError("signature", error.reason) from error


def _read(payload: bytes) -> tuple[Receipt, str]:
    """A well-formed receipt and the one key it lists; BadLineError, or ValueError of its shape."""
    fields = read_line(payload, "receipt")
    fields.exactly("_type", _TYPE)
    receipt = Receipt(
        sender=fields.text("from", UUID),
        to=fields.text("to", UUID),
        origin=fields.text("origin", UUID),
        event=fields.text("event", UUID),
        version=_read_version(fields),
        item=fields.text("item", HEX_32),
        outcome=Outcome(fields.text("outcome", _OUTCOME)),
        why=_read_why(fields),
        downstream=_read_downstream(fields),
        at=fields.instant("at"),
    )
    keys = fields.texts("keys", _KID, 1)
    fields.close()
    is_erased = receipt.outcome is Outcome.ERASED
    if is_erased is (receipt.downstream is None) or is_erased is (receipt.why is not None):
        raise ValueError(f"{receipt.outcome} with the wrong one of reason and downstream")
    if (is_erased and receipt.version is None) or not keys:
        raise ValueError("no version of what is erased, or no key")
    return receipt, keys[0]


def _read_version(fields: Fields) -> tuple[int, int] | None:
    if fields.holds_null("epoch"):
        fields.null("epoch")
        fields.null("seq")
        return None
    return fields.integer("epoch", 0, limits.COUNTER), fields.integer("seq", 0, limits.COUNTER)


def _read_why(fields: Fields) -> Refusal | None:
    if fields.holds_null("reason"):
        fields.null("reason")
        return None
    members = fields.nested("reason")
    why = Refusal(members.integer("check"), members.text("word", _WORD))
    members.close()
    if why.word not in WORDS.get(why.check, ()):
        raise ValueError(f"check {why.check} does not say that word")
    return why


def _read_downstream(fields: Fields) -> Downstream | None:
    if fields.holds_null("downstream"):
        fields.null("downstream")
        return None
    members = fields.nested("downstream")
    told = Downstream(
        members.integer("sent", 0, PARTIES_CAP), members.integer("confirmed", 0, PARTIES_CAP)
    )
    members.close()
    if told.confirmed > told.sent:
        raise ValueError("more have confirmed than there are")
    return told


def bring(peer: Peer, envelope: bytes, *, nonce: str, signer: Signer, now: datetime) -> Call:
    """The signed request that brings a receipt to the peer; safe to repeat with another nonce."""
    headers = {"content-type": RECEIPT_TYPE}
    call = Call("POST", RECEIPTS_PATH, headers, body=envelope, reply_cap=_REPLY_CAP)
    return sign_request(call, base_url=peer.base_url, signer=signer, nonce=nonce, now=now)


def is_taken(reply: Reply) -> bool:
    """Whether the peer has taken the receipt; False: it has turned it down, for good.

    Raises:
        BadReplyError: neither, or it is not the peer's own word; ask again later.
    """
    if reply.status in _TAKEN:
        return True
    if reply.status in _TURNED_DOWN.values() and _TURNED_DOWN.get(_title(reply)) == reply.status:
        return False
    raise BadReplyError(f"the peer answered with status {reply.status}")


def _title(reply: Reply) -> object:
    try:
        return str(read_object(reply.body).get("title"))
    except UnreadableError:
        return None
