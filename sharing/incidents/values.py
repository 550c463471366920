"""Check one value of a report against its type, and bring it into its one spelling.

Types (columns `type` and `values` of fields.csv): text N and string N (at most N characters; a
string is one line), int, decimal, percent, bool, band (a whole number or a word of the list), enum,
id (matches a pattern), datetime (`day`: a bare date will do), country, nuts2, email, e164, uri,
uuid, uuid4 and object; `[]` makes a list. No message repeats a value, only what kind it was.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime

from policies.printable import printable
from sharing.event import Json
from sharing.incidents.fields import SHAPES, words

_LIST_ITEMS = 200
_COUNT_MAX = 10**12
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_PATTERNS = {
    "country": (re.compile(r"(?!EL)[A-Z]{2}"), "two capital letters (GR, not EL)"),
    "nuts2": (re.compile(r"[A-Z]{2}[A-Z0-9]{2}"), "a NUTS 2 code"),
    "email": (re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}"), "a mail address"),
    "e164": (re.compile(r"\+[1-9]\d{6,14}", re.ASCII), "a phone number like +33123456789"),
    "uri": (re.compile(r"[a-z][a-z0-9+.-]*:\S{1,500}"), "a URI"),
    "uuid": (_UUID, "a lower-case uuid"),
    "uuid4": (_UUID4, "a random (version 4) uuid in lower case"),
}


class BadValueError(ValueError):
    """A value that does not fit its type; `path` leads into a list or object, `why` says what."""

    def __init__(self, why: str, path: str = "") -> None:
        super().__init__(f"{path}: {why}" if path else why)
        self.why = why
        self.path = path

    def under(self, step: str) -> "BadValueError":
        """The same fault, one step further out."""
        return BadValueError(self.why, step + self.path)


def read_value(kind: str, values: str, given: object) -> Json:
    """Return the value in its one spelling.

    Raises:
        BadValueError: it does not fit; the message names kinds, never the value.
    """
    name, _, limit = kind.partition(" ")
    if name.endswith("[]"):
        return _read_list(f"{name[:-2]} {limit}".strip(), values, given)
    if name in {"text", "string"}:
        return _read_text(given, int(limit), one_line=name == "string")
    if name == "object":
        return _read_object(values.removeprefix("@"), given)
    if name in _PATTERNS:
        return _read_pattern(*_PATTERNS[name], given)
    return _READERS[name](values, given)


def read_instant(given: str) -> datetime:
    """The UTC instant of an RFC 3339 text; seconds may be missing."""
    try:
        at = datetime.fromisoformat(given)
    except ValueError as error:
        raise BadValueError("wants an instant like 2026-01-27T04:52Z, got text") from error
    if at.tzinfo is None:
        raise BadValueError("wants an instant with its offset from UTC, got one without")
    if not 1970 < at.year < 2200:
        raise BadValueError("wants an instant between 1971 and 2199")
    return at.astimezone(UTC)


def write_instant(at: datetime) -> str:
    """RFC 3339 in UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def class_of(given: object) -> str:
    """Name the kind of a value without repeating it."""
    match given:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int():
            return "a whole number"
        case float():
            return "a decimal number"
        case str():
            return f"text of {len(given)} characters"
        case list() | tuple():
            return f"a list of {len(given)}"
        case dict():
            return "an object"
        case _:
            return f"a {type(given).__name__}"


def _read_list(kind: str, values: str, given: object) -> Json:
    if not isinstance(given, list | tuple):
        raise BadValueError(f"wants a list, got {class_of(given)}")
    if len(given) > _LIST_ITEMS:
        raise BadValueError(f"holds {len(given)} items, at most {_LIST_ITEMS}")
    items: list[Json] = []
    for n, item in enumerate(given):
        try:
            items.append(read_value(kind, values, item))
        except BadValueError as error:
            raise error.under(f"[{n}]") from error
    return items


def _read_object(shape: str, given: object) -> Json:
    if not isinstance(given, Mapping):
        raise BadValueError(f"wants an object, got {class_of(given)}")
    members = {name.rstrip("!"): spec for name, spec in SHAPES[shape].items()}
    if unknown := sorted(str(name) for name in given if name not in members):
        raise BadValueError(f"has the unknown member `{printable(unknown[0])}`")
    missing = [n[:-1] for n in SHAPES[shape] if n.endswith("!") and given.get(n[:-1]) is None]
    if missing:
        raise BadValueError(f"lacks the member `{missing[0]}`")
    read: dict[str, Json] = {}
    for name, (kind, values) in members.items():
        if given.get(name) is None:
            continue
        try:
            read[name] = read_value(kind, values, given[name])
        except BadValueError as error:
            raise error.under(f".{name}") from error
    return read


def _read_text(given: object, limit: int, *, one_line: bool) -> str:
    if not isinstance(given, str):
        raise BadValueError(f"wants text, got {class_of(given)}")
    if len(given) > limit:
        raise BadValueError(f"holds {len(given)} characters, at most {limit}")
    if not given.strip():
        raise BadValueError("is empty")
    if any(0xD800 <= ord(letter) < 0xE000 for letter in given):
        raise BadValueError("holds a lone surrogate, which is no character")
    if one_line and any(letter in given for letter in "\r\n"):
        raise BadValueError("wants one line")
    return given


def _read_pattern(pattern: re.Pattern[str], wanted: str, given: object) -> str:
    if not isinstance(given, str) or not pattern.fullmatch(given) or not given.isprintable():
        raise BadValueError(f"wants {wanted}, got {class_of(given)}")
    return given


def _read_id(values: str, given: object) -> Json:
    return _read_pattern(re.compile(values, re.ASCII), "an identifier of its kind", given)


def _read_enum(values: str, given: object) -> Json:
    allowed = words(values)
    if not isinstance(given, str) or given not in allowed:
        shown = ", ".join(allowed[:12]) + (" …" if len(allowed) > 12 else "")
        raise BadValueError(f"wants one of {shown}; got {class_of(given)}")
    return given


def _read_int(_: str, given: object) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or not 0 <= given <= _COUNT_MAX:
        raise BadValueError(f"wants a whole number from 0 up, got {class_of(given)}")
    return given


def _read_band(values: str, given: object) -> Json:
    return _read_enum(values, given) if isinstance(given, str) else _read_int("", given)


def _read_decimal(_: str, given: object) -> int | float:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise BadValueError(f"wants a number from 0 up, got {class_of(given)}")
    if not 0 <= given <= _COUNT_MAX:  # no NaN and no infinity lies in there either
        raise BadValueError("wants a number from 0 up, got one out of range")
    return given


def _read_percent(_: str, given: object) -> Json:
    number = _read_decimal("", given)
    if number > 100:
        raise BadValueError("wants a number from 0 to 100, got a greater one")
    return number


def _read_bool(_: str, given: object) -> bool:
    if not isinstance(given, bool):
        raise BadValueError(f"wants true or false, got {class_of(given)}")
    return given


def _read_datetime(values: str, given: object) -> str:
    if not isinstance(given, str):
        raise BadValueError(f"wants an instant like 2026-01-27T04:52Z, got {class_of(given)}")
    if values == "day" and _DAY.fullmatch(given):
        try:
            return date.fromisoformat(given).isoformat()
        except ValueError as error:
            raise BadValueError("wants a day of the calendar, got text") from error
    return write_instant(read_instant(given))


def _read_forbidden(_: str, given: object) -> Json:
    raise BadValueError(f"may not be sent: patient data has no place here; got {class_of(given)}")


_READERS: Mapping[str, Callable[[str, object], Json]] = {
    "bool": _read_bool,
    "int": _read_int,
    "decimal": _read_decimal,
    "percent": _read_percent,
    "band": _read_band,
    "enum": _read_enum,
    "id": _read_id,
    "datetime": _read_datetime,
    "forbidden": _read_forbidden,
}
