"""Forms with one spelling: base64, hex, varint, uuid, instants.

A second spelling of one value would let a relay change bytes that a hash or signature does not
cover, so every reader here refuses what its writer would not have written. Readers raise
UnreadableError with a reason that never repeats the input; the caller names thing and check.
"""

import base64
import binascii
import re
from datetime import UTC, datetime

from sharing.errors import UnreadableError

HASH_BYTES = 32

_HEX = re.compile(r"(?:[0-9a-f]{2})*")
_KID = re.compile(r"[A-Za-z0-9_-]{43}")
_HASH_HEX = re.compile(r"[0-9a-f]{64}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)


def read_base64(text: object) -> bytes:
    """Bytes of padded, canonical RFC 4648 §4 base64."""
    if not isinstance(text, str):
        raise UnreadableError("not base64")
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnreadableError("not base64") from error
    if write_base64(raw) != text:
        raise UnreadableError("base64 not canonical")
    return raw


def write_base64(raw: bytes) -> str:
    """Padded base64."""
    return base64.b64encode(raw).decode("ascii")


def write_base64url(raw: bytes) -> str:
    """Unpadded base64url, as key ids are written."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def read_hex(text: object) -> bytes:
    """Bytes of lower-case hex."""
    if not isinstance(text, str) or not _HEX.fullmatch(text):
        raise UnreadableError("not lower-case hex")
    return bytes.fromhex(text)


def read_hash(text: object) -> bytes:
    """The 32 bytes of a hash in lower-case hex."""
    if not isinstance(text, str) or not _HASH_HEX.fullmatch(text):
        raise UnreadableError("not 64 lower-case hex digits")
    return bytes.fromhex(text)


def read_uuid(text: object) -> str:
    """A uuid in its one spelling: lower case, with hyphens."""
    if not isinstance(text, str) or not _UUID.fullmatch(text):
        raise UnreadableError("not a lower-case uuid")
    return text


def read_kid(text: object) -> str:
    """The id of a key: a SHA-256 in unpadded base64url."""
    if not isinstance(text, str) or not _KID.fullmatch(text):
        raise UnreadableError("not 43 letters of base64url")
    return text


def read_instant(text: object) -> datetime:
    """The UTC instant of an RFC 3339 text."""
    if not isinstance(text, str) or not _INSTANT.fullmatch(text):
        raise UnreadableError("not RFC 3339")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UnreadableError("not RFC 3339") from error


def write_instant(at: datetime) -> str:
    """RFC 3339 in UTC, whole seconds, ending in Z."""
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def write_varint(number: int) -> bytes:
    """Minimal unsigned LEB128."""
    if number < 0x80:
        return bytes((number,))
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def read_varint(raw: bytes, at: int) -> tuple[int, int]:
    """The number at `at` and where the next thing starts; at most 2**35 - 1."""
    number = shift = 0
    for position in range(at, min(at + 5, len(raw))):
        byte = raw[position]
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            if byte == 0 and shift:
                break
            return number, position + 1
        shift += 7
    raise UnreadableError("varint cut short, too long or not minimal")
