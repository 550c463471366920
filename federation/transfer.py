"""The transfer statement: what a sender signs for one page (sealing.md §2.10).

It binds exact item lines to one sender, one recipient and one request; one item line, its tree path
and this statement prove "X sent exactly this to Y". It travels as the page's last line, a DSSE
envelope signed by one transport key of the sender. Well-formed is not yet true: `admit` decides.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from federation.errors import BadLineError
from federation.lines import (
    CURSOR,
    HEX_32,
    INCARNATION,
    NONCE,
    UUID,
    Fields,
    read_line,
    write_instant,
    write_line,
)
from federation.wire import ITEMS_CAP
from sharing.seal.dsse import Signature, read_envelope, sign_envelope, write_envelope
from sharing.seal.keys import Signer

TRANSFER_TYPE = "application/vnd.fisn.transfer.v1+json"

_KID = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class OutboxSet:
    """All that stands in the sender's feed for us at `head`: how many names, and their sum."""

    n: int
    sum: str


@dataclass(frozen=True, slots=True)
class TransferStatement:
    """What the sender signs for one page: these item lines, for you, in answer to this request.

    `after` and `upto` bound the page's positions, `head` is the newest position there is, `more`
    says that asking again at once pays, `next` is the cursor to ask with. `outbox` (`set`) is what
    a receiver that has read to `head` should have been told (`told.py`); null: not said.
    """

    sender: str
    to: str
    incarnation: str
    after: int | None
    upto: int
    head: int
    more: bool
    next: str
    count: int
    root: str
    rulebook: str
    roster: int
    nonce: str
    at: datetime
    keys: tuple[str, ...]
    outbox: OutboxSet | None = None

    def write(self) -> bytes:
        """The payload that is signed."""
        return write_line(
            {
                "_type": "fisn.transfer/1",
                "from": self.sender,
                "to": self.to,
                "incarnation": self.incarnation,
                "after": self.after,
                "upto": self.upto,
                "head": self.head,
                "more": self.more,
                "next": self.next,
                "count": self.count,
                "root": self.root,
                "set": None
                if self.outbox is None
                else {"n": self.outbox.n, "sum": self.outbox.sum},
                "rulebook": self.rulebook,
                "roster": self.roster,
                "nonce": self.nonce,
                "at": write_instant(self.at),
                "keys": list(self.keys),
            }
        )

    @classmethod
    def read(cls, payload: bytes) -> "TransferStatement":
        """A well-formed transfer statement.

        Raises:
            BadLineError: it is none.
        """
        fields = read_line(payload, "transfer statement")
        fields.exactly("_type", "fisn.transfer/1")
        statement = cls(
            sender=fields.text("from", UUID),
            to=fields.text("to", UUID),
            incarnation=fields.text("incarnation", INCARNATION),
            after=fields.integer_or_null("after"),
            upto=fields.integer("upto"),
            head=fields.integer("head"),
            more=fields.flag("more"),
            next=fields.text("next", CURSOR),
            count=fields.integer("count", 0, ITEMS_CAP),
            root=fields.text("root", HEX_32),
            outbox=_read_set(fields),
            rulebook=fields.text("rulebook", HEX_32),
            roster=fields.integer("roster"),
            nonce=fields.text("nonce", NONCE),
            at=fields.instant("at"),
            keys=fields.texts("keys", _KID, 1),
        )
        fields.close()
        return statement


def _read_set(fields: Fields) -> OutboxSet | None:
    if fields.holds_null("set"):
        fields.null("set")
        return None
    members = fields.nested("set")
    outbox = OutboxSet(members.integer("n"), members.text("sum", HEX_32))
    members.close()
    return outbox


@dataclass(frozen=True, slots=True)
class Trailer:
    """The last line of a page, read and not yet believed: statement, its bytes, signatures."""

    statement: TransferStatement
    payload: bytes
    signatures: tuple[Signature, ...]


def write_trailer(statement: TransferStatement, signer: Signer) -> bytes:
    """The trailer line, without its line feed; `statement.keys` names the signer's key."""
    payload = statement.write()
    signatures = sign_envelope(TRANSFER_TYPE, payload, (signer,))
    return write_envelope(TRANSFER_TYPE, payload, signatures)


def read_trailer(line: bytes) -> Trailer:
    """A well-formed trailer line.

    Raises:
        BadLineError: it is none.
    """
    read_line(line, "trailer line")
    try:
        payload, signatures = read_envelope(line, TRANSFER_TYPE)
    except ValueError as error:
        raise BadLineError(f"trailer line: {error}") from error
    return Trailer(TransferStatement.read(payload), payload, signatures)
