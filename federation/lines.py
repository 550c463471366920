"""One line of JSON in, typed fields out, and nothing else.

Every line of fed/1 is one JSON object in one spelling: no whitespace, shortest escapes, no name
twice (RFC 7493), no fractions, at most 64 KiB and 32 deep. One spelling means that a line cannot be
changed without changing what it says, and that reading and writing again gives the same bytes.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

import orjson

from federation.errors import BadLineError

LINE_CAP = 64 * 1024
DEPTH_CAP = 32
INTEGER_CAP = 2**53 - 1  # RFC 7493 §2.2

HEX_32 = re.compile(r"[0-9a-f]{64}")
INCARNATION = re.compile(r"[0-9a-f]{32}")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
NONCE = re.compile(r"[A-Za-z0-9_-]{22,64}")
CURSOR = re.compile(r"[A-Za-z0-9_-]{1,256}")
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,63}")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)


def write_line(members: Mapping[str, object]) -> bytes:
    """The one spelling of these members, without the line feed.

    Raises:
        ValueError: longer than a reader would take (our bug).
    """
    line = orjson.dumps(dict(members))
    if len(line) > LINE_CAP:
        raise ValueError(f"a line of {len(line)} bytes, at most {LINE_CAP} travel")
    return line


def read_line(line: bytes, what: str) -> "Fields":
    """The members of one line (without its line feed).

    Raises:
        BadLineError: too long, too deep, not one JSON object, or not in its one spelling.
    """
    if len(line) > LINE_CAP:
        raise BadLineError(f"{what}: {len(line)} bytes, at most {LINE_CAP}")
    if depth(line) > DEPTH_CAP:
        raise BadLineError(f"{what}: nested deeper than {DEPTH_CAP}")
    try:
        members = orjson.loads(line)
        spelled = orjson.dumps(members)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError) as error:
        raise BadLineError(f"{what}: not JSON") from error
    if not isinstance(members, dict) or spelled != line:
        raise BadLineError(f"{what}: not one JSON object in its shortest spelling")
    return Fields(what, members)


def depth(text: bytes) -> int:
    """How deep a JSON text nests, at most, without parsing it."""
    if text.count(b"{") + text.count(b"[") <= DEPTH_CAP:
        return text.count(b"{") + text.count(b"[")  # cannot nest deeper than it opens
    deepest = level = 0
    for byte in _STRING.sub(b"", text):
        if byte in b"{[":
            level += 1
            deepest = max(deepest, level)
        elif byte in b"}]":
            level -= 1
    return deepest


def write_instant(at: datetime) -> str:
    """RFC 3339 in UTC with a Z."""
    return at.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


class Fields:
    """Takes the members of one foreign object by name and type; `close` refuses what is left."""

    __slots__ = ("_left", "_what")

    def __init__(self, what: str, members: Mapping[str, object]) -> None:
        self._what = what
        self._left = dict(members)

    def take(self, name: str) -> object:
        """The member as it came."""
        if name not in self._left:
            raise BadLineError(f"{self._what}: {name} is missing")
        return self._left.pop(name)

    def wrong(self, name: str, wanted: str) -> BadLineError:
        """The error for a member that is not what was wanted; never shows its value."""
        return BadLineError(f"{self._what}: {name} is not {wanted}")

    def integer(self, name: str, low: int = 0, high: int = INTEGER_CAP) -> int:
        """A whole number within [low, high]."""
        value = self.take(name)
        if type(value) is not int or not low <= value <= high:
            raise self.wrong(name, f"a whole number from {low} to {high}")
        return value

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self.take(name)
        if type(value) is not bool:
            raise self.wrong(name, "true or false")
        return value

    def text(self, name: str, pattern: re.Pattern[str]) -> str:
        """A string that matches the pattern as a whole."""
        value = self.take(name)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise self.wrong(name, "of its form")
        return value

    def text_or_null(self, name: str, pattern: re.Pattern[str]) -> str | None:
        """A string that matches, or null."""
        if self.holds_null(name):
            self.null(name)
            return None
        return self.text(name, pattern)

    def integer_or_null(self, name: str) -> int | None:
        """A whole number, or null."""
        if self.holds_null(name):
            self.null(name)
            return None
        return self.integer(name)

    def holds(self, name: str) -> bool:
        """Whether the member is there; it stays to be taken."""
        return name in self._left

    def holds_null(self, name: str) -> bool:
        """Whether the member is there and null; it stays to be taken."""
        return name in self._left and self._left[name] is None

    def null(self, name: str) -> None:
        """Null and nothing else."""
        if self.take(name) is not None:
            raise self.wrong(name, "null")

    def exactly(self, name: str, value: str | int) -> None:
        """This very text or number and no other."""
        found = self.take(name)
        if type(found) is not type(value) or found != value:
            raise self.wrong(name, str(value))

    def instant(self, name: str) -> datetime:
        """An instant in UTC, RFC 3339 with a Z."""
        value = self.take(name)
        if not isinstance(value, str) or not _INSTANT.fullmatch(value):
            raise self.wrong(name, "an instant in UTC")
        try:
            return datetime.fromisoformat(value.removesuffix("Z")).replace(tzinfo=UTC)
        except ValueError as error:
            raise self.wrong(name, "an instant in UTC") from error

    def texts(self, name: str, pattern: re.Pattern[str], cap: int) -> tuple[str, ...]:
        """A list of at most `cap` strings that match."""
        found: list[str] = []
        for value in self._list(name, cap):
            if not isinstance(value, str) or not pattern.fullmatch(value):
                raise self.wrong(name, "a list of strings of its form")
            found.append(value)
        return tuple(found)

    def nested_list(self, name: str, cap: int) -> "list[Fields]":
        """A list of at most `cap` objects."""
        found: list[Fields] = []
        for value in self._list(name, cap):
            if not isinstance(value, dict):
                raise self.wrong(name, "a list of objects")
            found.append(Fields(f"{self._what}, {name}", value))
        return found

    def nested(self, name: str) -> "Fields":
        """One object."""
        value = self.take(name)
        if not isinstance(value, dict):
            raise self.wrong(name, "an object")
        return Fields(f"{self._what}, {name}", value)

    def close(self) -> None:
        """Refuse members that nobody asked for."""
        if self._left:
            raise BadLineError(f"{self._what}: {len(self._left)} members that fed/1 does not know")

    def _list(self, name: str, cap: int) -> list[object]:
        value = self.take(name)
        if not isinstance(value, list) or len(value) > cap:
            raise self.wrong(name, f"a list of at most {cap}")
        return value
