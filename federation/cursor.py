"""A peer's place in the feed we keep for it, as a token that only we can make and only it can use.

The token is base64url(incarnation | pos | HMAC(peer, incarnation, pos)). To the peer it is opaque;
to us it proves that this peer was given this place. The key never leaves the node.
"""

import base64
import binascii
import hashlib
import hmac
import struct
from dataclasses import dataclass

from federation.errors import BadCursorError

_PLACE = struct.Struct(">16sQ")
_MAC_SIZE = 32
_CONTEXT = b"isac-fed/1 cursor\x00"


@dataclass(frozen=True, slots=True)
class IncarnationChanged:
    """The place is genuine but belongs to an earlier life of the feed (restored from backup).

    Whoever holds it starts again at the beginning; equal digests make that cheap.
    """


def write_cursor(*, key: bytes, peer: str, incarnation: str, pos: int) -> str:
    """The token for this peer at this place; `incarnation` is 32 hex digits."""
    place = _PLACE.pack(bytes.fromhex(incarnation), pos)
    token = place + _mac(key, peer, place)
    return base64.urlsafe_b64encode(token).decode("ascii").rstrip("=")


def read_cursor(
    token: str,
    *,
    key: bytes,
    peer: str,
    incarnation: str,
) -> int | IncarnationChanged:
    """The pos in this token, or the news that the feed began a new life since.

    Raises:
        BadCursorError: not our token, altered, or made for another peer.
    """
    raw = _decode(token)
    place, mac = raw[: _PLACE.size], raw[_PLACE.size :]
    if not hmac.compare_digest(mac, _mac(key, peer, place)):
        raise BadCursorError("the cursor was not given to this peer")
    born, pos = _PLACE.unpack(place)
    if born != bytes.fromhex(incarnation):
        return IncarnationChanged()
    return int(pos)


def _mac(key: bytes, peer: str, place: bytes) -> bytes:
    named = peer.encode()
    return hmac.digest(
        key, _CONTEXT + struct.pack(">I", len(named)) + named + place, hashlib.sha256
    )


def _decode(token: str) -> bytes:
    size = _PLACE.size + _MAC_SIZE
    try:
        raw = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except (UnicodeEncodeError, binascii.Error) as error:
        raise BadCursorError("the cursor is not base64url") from error
    # base64 decoders are lenient: only our own spelling counts.
    if len(raw) != size or base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=") != token:
        raise BadCursorError(f"the cursor is not {size} bytes in base64url")
    return raw
