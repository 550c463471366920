"""Heads: how far a peer knows the asker's own logs, for one that comes back from a backup.

The answer is a DSSE envelope under the peer's transport key, bound to who asked and to the nonce of
the request. It names each log of the asker that the peer ever saw, with the newest version, whether
or not anything of it is still held there, and hands back the asker's own recalls. No content.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from urllib.parse import parse_qsl

from federation.auth import sign_request
from federation.call import PAGE_CAP, Call, Reply
from federation.errors import BadLineError, BadReplyError, BadRequestError
from federation.lines import LINE_CAP, UUID, Fields, read_line, write_line
from federation.peer import Peer
from sharing.errors import RefusedError
from sharing.seal import limits
from sharing.seal.dsse import read_envelope, sign_envelope, verify_envelope, write_envelope
from sharing.seal.keys import KeyRegistry, Signer, Use

HEADS_PATH = "/fed/v1/heads"
HEADS_TYPE = "application/vnd.fisn.heads.v1+json"
HEADS_CAP = 1000  # in one answer

_TYPE = "fisn.heads/1"
_BUSY = (429, 503)
_ROOM = LINE_CAP - 1024  # for the heads of an answer, beside all else that it says
_KID = re.compile(r"[A-Za-z0-9_-]{43}")
_NONCE = re.compile(r"[A-Za-z0-9_-]{22,64}")
_BASE64 = re.compile(r"[A-Za-z0-9+/=]+")


@dataclass(frozen=True, slots=True)
class ToldHead:
    """The newest version of one log that the peer knows; `recall` is the asker's own envelope."""

    event: str
    epoch: int
    seq: int
    recall: bytes | None = field(default=None, repr=False)


def heads_call(peer: Peer, *, after: str | None, nonce: str, signer: Signer, now: datetime) -> Call:
    """The signed question for the heads of our logs whose uuids come after `after`."""
    path = HEADS_PATH if after is None else f"{HEADS_PATH}?after={after}"
    call = Call("GET", path, {"accept": HEADS_TYPE}, reply_cap=PAGE_CAP)
    return sign_request(call, base_url=peer.base_url, signer=signer, nonce=nonce, now=now)


def read_heads_query(query: str) -> str:
    """The uuid after which heads are asked for; empty: from the start.

    Raises:
        BadRequestError: reason `query`.
    """
    if not query:
        return ""
    pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=2)
    if [name for name, _ in pairs] != ["after"] or not UUID.fullmatch(pairs[0][1]):
        raise BadRequestError("query", "the query for heads knows `after`, a uuid")
    return pairs[0][1]


def that_fit(heads: Sequence[ToldHead]) -> Sequence[ToldHead]:
    """The first of these heads, as many as one answer holds: never none of some."""
    bytes_left = _ROOM
    for n, head in enumerate(heads[:HEADS_CAP]):
        bytes_left -= len(write_line(_told(head))) + 1
        if bytes_left < 0:
            return heads[:n]
    return heads[:HEADS_CAP]


def write_heads(
    heads: Sequence[ToldHead], *, me: str, to: str, nonce: str, more: bool, signer: Signer
) -> bytes:
    """The signed answer; `more` says that there are heads after the last of these."""
    payload = write_line(
        {
            "_type": _TYPE,
            "from": me,
            "to": to,
            "nonce": nonce,
            "more": more,
            "heads": [_told(head) for head in heads],
            "keys": [signer.kid],
        }
    )
    return write_envelope(HEADS_TYPE, payload, sign_envelope(HEADS_TYPE, payload, (signer,)))


def read_heads(
    reply: Reply,
    *,
    after: str | None,
    sender: str,
    me: str,
    nonce: str,
    registry: KeyRegistry,
    now: datetime,
) -> tuple[tuple[ToldHead, ...], bool] | None:
    """The heads after `after`, and whether there are more; None: the peer is busy.

    Raises:
        BadReplyError: it is no answer of this peer to this question.
    """
    if reply.status in _BUSY:
        return None
    if reply.status != 200 or reply.headers.get("content-type", "") != HEADS_TYPE:
        raise BadReplyError(f"the peer answered a question for heads with status {reply.status}")
    try:
        payload, signatures = read_envelope(reply.body, HEADS_TYPE)
        fields = read_line(payload, "heads")
        fields.exactly("_type", _TYPE)
        bound = (fields.text("from", UUID), fields.text("to", UUID), fields.text("nonce", _NONCE))
        more, kids = fields.flag("more"), fields.texts("keys", _KID, 1)
        heads = tuple(_head(Fields("head", one)) for one in _objects(fields.take("heads")))
        fields.close()
        verify_envelope(
            HEADS_TYPE,
            payload,
            signatures,
            keys=tuple(kids),
            org=sender,
            use=Use.TRANSPORT,
            registry=registry,
            first_seen_at=now,
        )
    except (BadLineError, ValueError, RefusedError) as error:
        raise BadReplyError(f"the peer's heads cannot be read: {error}") from error
    if bound != (sender, me, nonce):
        raise BadReplyError("the peer's heads answer somebody else's question")
    uuids = [after or "", *(head.event for head in heads)]
    if any(later <= earlier for earlier, later in pairwise(uuids)):
        raise BadReplyError("the peer's heads are out of order: they would never end")
    return heads, more


def _told(head: ToldHead) -> dict[str, object]:
    recall = None if head.recall is None else base64.b64encode(head.recall).decode()
    return {"event": head.event, "epoch": head.epoch, "seq": head.seq, "recall": recall}


def _head(fields: Fields) -> ToldHead:
    recall = fields.text_or_null("recall", _BASE64)
    head = ToldHead(
        event=fields.text("event", UUID),
        epoch=fields.integer("epoch", 0, limits.COUNTER - 1),
        seq=fields.integer("seq", 0, limits.COUNTER),
        recall=None if recall is None else base64.b64decode(recall, validate=True),
    )
    fields.close()
    return head


def _objects(value: object) -> list[dict[str, object]]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ValueError("heads are no list of objects")
    return value
