"""The table of the 127 fields of a report, and the closed lists they speak of.

`fields.csv` is the only map from a field to what leaves the node; two people review each change of
it. `exact_to` and `twin_to` say who a sealed value is for (empty: it is never sealed in an event),
`derivation` how the twin is made. Where only a twin leaves, the exact value stays in the report.
"""

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files

from policies.tlp import Tlp, read_tlp

_LISTS = {"enum", "enum[]", "band"}


class Reach(StrEnum):
    """Who a sealed value of a field is for.

    federation: members and hub as its colour allows; hub, addressed: nobody but whom the enrolment
    names; with `+clients` also the clients of this node and of an addressed node.
    """

    FEDERATION = "federation"
    HUB = "hub"
    ADDRESSED = "addressed"
    HUB_AND_CLIENTS = "hub+clients"
    ADDRESSED_AND_CLIENTS = "addressed+clients"

    @property
    def only(self) -> bool:
        """Whether nobody but the named may have it."""
        return self in {Reach.HUB, Reach.ADDRESSED}

    @property
    def hub(self) -> bool:
        """Whether the table itself means it for the hub."""
        return self in {Reach.FEDERATION, Reach.HUB, Reach.HUB_AND_CLIENTS}


@dataclass(frozen=True, slots=True)
class Field:
    """One row of the table; `tlp` is None for what may not exist at all."""

    group: str
    name: str
    type: str
    values: str
    early_warning: str
    incident_notification: str
    final_report: str
    when: str
    tlp: Tlp | None
    personal: str
    leaves: str
    exact_to: Reach | None
    twin_to: Reach | None
    derivation: str
    twin_tlp: Tlp | None
    category: str

    @property
    def leaves_node(self) -> bool:
        """Whether any form of it may become a record of an event."""
        return self.exact_to is not None or self.twin_to is not None

    @property
    def categories(self) -> frozenset[str]:
        """The categories of its label."""
        return frozenset({self.category}) if self.category else frozenset()

    @property
    def allowed(self) -> tuple[str, ...]:
        """The words a closed list allows, in the table's order; empty for an open field."""
        return words(self.values) if self.type in _LISTS else ()


@dataclass(frozen=True, slots=True)
class IndicatorKind:
    """A kind of indicator: its MISP type and category, and whether machines may look for it."""

    misp: str
    category: str
    acts: bool


def _text(name: str) -> str:
    """Read a data file of this folder."""
    return files("sharing.incidents").joinpath(name).read_text(encoding="utf-8")


def _reach(text: str) -> Reach | None:
    return Reach(text) if text else None


def _field(row: dict[str, str]) -> Field:
    return Field(
        group=row["group"],
        name=row["field"],
        type=row["type"],
        values=row["values"],
        early_warning=row["early_warning"],
        incident_notification=row["incident_notification"],
        final_report=row["final_report"],
        when=row["when"],
        tlp=read_tlp(row["tlp"]),
        personal=row["personal"],
        leaves=row["leaves"],
        exact_to=_reach(row["exact_to"]),
        twin_to=_reach(row["twin_to"]),
        derivation=row["derivation"],
        twin_tlp=read_tlp(row["twin_tlp"]),
        category=row["category"],
    )


_VOCABULARY = tomllib.loads(_text("vocabulary.toml"))

LISTS: Mapping[str, tuple[str, ...]] = {
    name: tuple(items) for name, items in _VOCABULARY["lists"].items()
}
"""The closed lists by name."""
SHAPES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    name: {member: (spec[0], spec[1]) for member, spec in shape.items()}
    for name, shape in _VOCABULARY["shapes"].items()
}
"""Members of structured fields by name: type and values; a name ending in ! must be there."""
FACILITIES: Mapping[str, str] = _VOCABULARY["facility"]
"""What kind of place an entity type is, in one plain word."""
INDICATORS: Mapping[str, IndicatorKind] = {
    name: IndicatorKind(kind["misp"], kind["category"], kind["acts"])
    for name, kind in _VOCABULARY["indicators"].items()
}
"""Kinds of indicators by name."""
FIELDS: Mapping[str, Field] = {
    field.name: field for field in map(_field, csv.DictReader(_text("fields.csv").splitlines()))
}
"""Every field by name, in the table's order."""


def words(values: str) -> tuple[str, ...]:
    """The words of a `values` column: `a|b` or the list that `@name` names."""
    if values.startswith("@"):
        return LISTS[values[1:]]
    return tuple(values.split("|")) if values else ()
