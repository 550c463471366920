"""JSON that has one meaning: I-JSON objects (RFC 7493), no deeper than `limits.JSON_DEPTH`.

orjson already refuses NaN, infinities, lone surrogates, bad UTF-8 and what follows the value, but
keeps the last of two equal names in silence. Bytes that it would itself have written cannot hold a
name twice, so most texts are settled by one comparison; only others are parsed again, slowly.
(Comparing lengths would not do: `1e7` is written back longer and makes up for a lost member.)
"""

import json
import re
from collections.abc import Iterator, Sequence
from operator import eq

import orjson

from sharing.errors import UnreadableError
from sharing.seal import limits

AT_ONCE = 32  # so few that the garbage collector sleeps through it, and memory is not felt
_BYTES_AT_ONCE = 1 << 18
_LEADS_OF_NONCHARACTERS = [b"\xef", b"\xf0", b"\xf1", b"\xf2", b"\xf3", b"\xf4"]
_NONCHARACTER = re.compile(
    b"\xef\xb7[\x90-\xaf]|\xef\xbf[\xbe\xbf]|[\xf0-\xf4][\x8f\x9f\xaf\xbf]\xbf[\xbe\xbf]"
)
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"')
_NO_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))
_ONE_KIND = bytes.maketrans(b"{}", b"[]")


def read_object(text: bytes) -> dict[str, object]:
    """The members of the one JSON object that fills `text`.

    Raises UnreadableError with a reason that repeats nothing of the text.
    """
    try:
        value = orjson.loads(text)
        written = orjson.dumps(value)
    except orjson.JSONDecodeError as error:
        raise UnreadableError(f"not JSON: {error.msg}") from None
    except orjson.JSONEncodeError:
        raise UnreadableError(f"JSON nested deeper than {limits.JSON_DEPTH}") from None
    if type(value) is not dict or not (text.startswith(b"{") and text.endswith(b"}")):
        raise UnreadableError("not exactly one object")
    if written.count(b"{") + written.count(b"[") > limits.JSON_DEPTH:
        _refuse_deep(written)
    if _may_hold_noncharacter(written) and _NONCHARACTER.search(written):
        raise UnreadableError("JSON text with a Unicode noncharacter")
    if written != text:
        json.loads(text, object_pairs_hook=_once, parse_int=str, parse_float=str)
    return value


def read_objects(texts: Sequence[bytes]) -> Iterator[list[dict[str, object]]]:
    """What `read_object` gives, for many texts of one line; a few of them at a time, in order."""
    for at in range(0, len(texts), AT_ONCE):
        few = list(texts[at : at + AT_ONCE])
        plain = _read_plain(few)
        if plain:
            yield plain
        else:
            yield from ([_read_line(text)] for text in few)


def _read_plain(texts: list[bytes]) -> list[dict[str, object]]:
    """The objects, parsed together, if nothing about them needs a closer look; else none.

    That each is written back as it came settles where each one ends, too.
    """
    together = b"[%b]" % b",".join(texts)
    if (
        len(together) > _BYTES_AT_ONCE
        or together.count(b"{") + together.count(b"[") > len(texts) + limits.JSON_DEPTH
        or _may_hold_noncharacter(together)
    ):
        return []
    try:
        values = orjson.loads(together)
        settled = len(values) == len(texts) and all(map(eq, map(orjson.dumps, values), texts))
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return []
    return values if settled and set(map(type, values)) == {dict} else []


def _read_line(text: bytes) -> dict[str, object]:
    if b"\n" in text or b"\r" in text:
        raise UnreadableError("more than one line")
    return read_object(text)


def _may_hold_noncharacter(text: bytes) -> bool:
    return not text.isascii() and any(lead in text for lead in _LEADS_OF_NONCHARACTERS)


def _refuse_deep(text: bytes) -> None:
    """Take away the innermost brackets as often as they may be nested; then none are left."""
    brackets = _STRING.sub(b"", text).translate(_ONE_KIND, _NO_BRACKETS)
    for _ in range(limits.JSON_DEPTH):
        brackets = brackets.replace(b"[]", b"")
    if brackets:
        raise UnreadableError(f"JSON nested deeper than {limits.JSON_DEPTH}")


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise UnreadableError("JSON name twice in one object")
    return members
