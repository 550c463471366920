"""Members of a JSON object, each read into a type that cannot be wrong.

A reader takes what JSON gave and returns a value, or raises UnreadableError that repeats nothing.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from sharing.errors import UnreadableError
from sharing.seal.strictjson import read_object

T = TypeVar("T")
V = TypeVar("V")


def read_members(
    raw: bytes, names: frozenset[str], optional: frozenset[str] = frozenset()
) -> dict[str, object]:
    """The members of an object that has all of `names`, perhaps some of `optional`, no other."""
    members = read_object(raw)
    if not names <= members.keys() <= names | optional:
        raise UnreadableError("members missing or unknown")
    return members


def member(members: Mapping[str, object], name: str, read: Callable[[object], T]) -> T:
    """One member, read by `read`; what is wrong is told with the member's name."""
    if name not in members:
        raise UnreadableError(f"{name}: missing")
    return told(name, read, members[name])


def told(what: str, read: Callable[[V], T], value: V) -> T:
    """What `read` makes of `value`; what is wrong is told with what it was about."""
    try:
        return read(value)
    except UnreadableError as error:
        raise UnreadableError(f"{what}: {error}") from None


def read_text(value: object) -> str:
    """A string."""
    if not isinstance(value, str):
        raise UnreadableError("not a text")
    return value


def read_bool(value: object) -> bool:
    """A boolean, and not a number that looks like one."""
    if not isinstance(value, bool):
        raise UnreadableError("neither true nor false")
    return value


def read_list(value: object) -> list[object]:
    """An array."""
    if not isinstance(value, list):
        raise UnreadableError("not an array")
    return value


def count_up_to(most: int, *, least: int = 0) -> Callable[[object], int]:
    """A reader of integers `least`..`most`; neither a boolean nor 1.0 is one."""

    def read(value: object) -> int:
        if type(value) is not int or not least <= value <= most:
            raise UnreadableError(f"not an integer {least}..{most}")
        return value

    return read


def one_of(words: frozenset[str]) -> Callable[[object], str]:
    """A reader of a closed list."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            raise UnreadableError("not a word of the list")
        return value

    return read


def or_null(read: Callable[[object], T]) -> Callable[[object], T | None]:
    """A reader that takes null too."""
    return lambda value: None if value is None else read(value)
