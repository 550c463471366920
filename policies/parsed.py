"""A parsed policy, node by node."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import cast

from cedarpy import pst

_OWNERS = ("principal", "resource", "context")


def nodes_of(root: object) -> Iterator[object]:
    """Yield every node of a parsed policy, itself first."""
    yield root
    if isinstance(root, Mapping):
        parts: list[object] = list(cast("Mapping[str, object]", root).values())
    elif isinstance(root, tuple):
        parts = list(cast("tuple[object, ...]", root))
    elif is_dataclass(root):
        parts = [getattr(root, part.name) for part in fields(root)]
    else:
        parts = []
    for part in parts:
        yield from nodes_of(part)


def facts_read(node: object) -> Iterator[str]:
    """Yield the fact that a node reads ("resource.tlp"); where it is not plain of whom, of all."""
    match node:
        case pst.GetAttr(base=pst.Var(name=owner), attr=name):
            yield f"{owner}.{name}"
        case pst.GetAttr(attr=name):
            yield from (f"{owner}.{name}" for owner in _OWNERS)
        case _:
            pass
