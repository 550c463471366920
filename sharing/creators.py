"""Who made a thing, as parts of other tools' documents tell it; and which texts name somebody.

MISP gives clusters, analysts' notes and opinions a creator of their own (`Orgc`, `orgc_uuid`,
`authors`), carried here as they came. Where nobody is to learn who made an event, they stay behind.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from policies.printable import printable
from sharing.event import Attribute, Event, Json

_CREATOR = re.compile(
    r"orgc?(_?(uuid|name))?|organi[sz]ation|authors?|((event_)?creator|user)_?e?mail", re.IGNORECASE
)

LEFT_OUT = "[…]"

_APART = re.compile(r"[\W_]+")

Tells = Callable[[Json], bool]
_Part = TypeVar("_Part", Event, Attribute)


def everything(told: Json) -> bool:
    """That whatever is told of a creator stays behind."""
    del told
    return True


def without_creators(part: _Part, tells: Tells = everything) -> _Part:
    """The same part, less those carried members that name a creator and of which `tells` is true.

    The event's own creator (`Event.orgc`) is a slot of its own and stays.
    """
    left: _Part = _without(part, tells)
    return left


def _without(value: Any, tells: Tells) -> Any:  # noqa: ANN401  # any field of any part
    if isinstance(value, Mapping):
        return {
            name: _without(inner, tells)
            for name, inner in value.items()
            if not (_CREATOR.fullmatch(name) and tells(inner))
        }
    if isinstance(value, list | tuple):
        return type(value)(_without(each, tells) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        changed = {each.name: _without(getattr(value, each.name), tells) for each in fields(value)}
        return replace(value, **changed)
    return value


def naming(names: Iterable[str]) -> Callable[[str], bool]:
    """Tell of a text whether one of these stands in it as words of their own, however spelled.

    Neither case nor accents count, nor what stands between the words of a name: a domain made of
    them names it, too.
    """
    pattern = _pattern(map(_plain, names))
    return lambda text: bool(pattern.search(_plain(text)))


def without_names(value: Json, names: Collection[str]) -> Json:
    """The same JSON with `LEFT_OUT` in the place of these names in its texts."""
    if isinstance(value, str):
        left = _pattern(names).sub(LEFT_OUT, value)
        return LEFT_OUT if naming(names)(left) else left  # spelled so that we cannot cut it out
    if isinstance(value, list):
        return [without_names(each, names) for each in value]
    if isinstance(value, dict):
        return {name: without_names(inner, names) for name, inner in value.items()}
    return value


def _pattern(names: Iterable[str]) -> re.Pattern[str]:
    words = [r"[\W_]*".join(filter(None, _APART.split(name))) for name in names]
    either = "|".join(word for word in words if word) or r"(?!)"
    return re.compile(rf"(?<![^\W_])(?:{either})(?![^\W_])", re.IGNORECASE)


def texts_in(thing: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a part of an event, names of members too, with where it stands."""
    if isinstance(thing, str):
        yield path, thing
    elif isinstance(thing, Mapping):
        for n, (name, inner) in enumerate(thing.items(), 1):
            yield f"{path}/{n}", str(name)
            yield from texts_in(inner, f"{path}/{printable(name)}")
    elif isinstance(thing, list | tuple):
        for n, each in enumerate(thing, 1):
            yield from texts_in(each, f"{path}/{n}")
    elif is_dataclass(thing):
        for each in fields(thing):
            at = f"{path}/{each.name}" if path else each.name
            yield from texts_in(getattr(thing, each.name), at)


def _plain(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text)
    return "".join(c for c in apart if not unicodedata.combining(c)).casefold()
