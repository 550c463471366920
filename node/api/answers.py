"""Answers as bytes: plain values go out through orjson, instants as RFC 3339 with a Z.

What is said of an answer in the API's description is read off the very dataclasses that actions
give back; no field is written down twice.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Protocol, get_type_hints

import orjson
from pydantic import BaseModel, create_model
from starlette.responses import Response

_IS_NEW = "is_new"  # told by the status, so that a repeated act has the same body

Described = dict[int | str, dict[str, Any]]


class Done(Protocol):
    """What an act gives back; `is_new` False: it was done before and changed nothing."""

    @property
    def is_new(self) -> bool:
        """Whether the act changed something."""


def answer(value: object, status: int = 200) -> Response:
    """Give `value` as a JSON answer."""
    body = orjson.dumps(value, default=_plain, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)
    return Response(body, status, media_type="application/json")


def answer_done(done: Done, first: int = 201) -> Response:
    """Give what an act did: `first` at first, 200 with the same body when it is repeated."""
    said = {name: _ordered(getattr(done, name)) for name in _names(type(done))}
    return answer(said, first if done.is_new else 200)


def told(kind: object, status: int = 200, *, repeats: bool = False) -> Described:
    """Describe an answer of this type; `repeats`: the same again is answered 200."""
    described: Described = {status: {"model": _model(kind)}}
    if repeats:
        described[200] = {"model": _model(kind), "description": "It was done before: same body."}
    return described


def _model(kind: object) -> object:
    if not isinstance(kind, type) or not is_dataclass(kind) or _IS_NEW not in get_type_hints(kind):
        return kind
    hints = get_type_hints(kind)
    given: dict[str, Any] = {name: (hints[name], ...) for name in _names(kind)}
    model: type[BaseModel] = create_model(kind.__name__, __doc__=kind.__doc__, **given)
    return model


def _names(kind: type[object]) -> list[str]:
    if not is_dataclass(kind):
        raise TypeError(kind.__name__)
    return [each.name for each in fields(kind) if each.name != _IS_NEW]


def _ordered(value: object) -> object:
    """Give a mapping in the order of its keys: the same answer, byte for byte, whoever made it."""
    if not isinstance(value, Mapping):
        return value
    return {str(key): value[key] for key in sorted(value, key=str)}


def _plain(value: object) -> object:
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(type(value).__name__)
