"""What clients post and ask, checked for shape only; the action checks what it means, once."""

from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

from sharing.incidents.fields import FIELDS
from sharing.incidents.fields import Field as Row
from sharing.seal.recall import REASONS

_UUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_ORG = "7a1f3c52-6d0e-4b7c-9a35-2f9f0c6e1f01"
_EVENT = "9d3c0f6e-5b7a-4c1e-8f25-4b1e7a0c2d33"
_REPORT = "3d0f8f1e-1f5e-4c86-9b0d-0c55e9f0a001"

Origin = Annotated[str, Path(pattern=_UUID, description="The node it comes from.", examples=[_ORG])]
EventId = Annotated[str, Path(pattern=_UUID, description="The event's uuid.", examples=[_EVENT])]
ReportId = Annotated[
    str,
    Path(pattern=_UUID, description="The id its reporter gave or was given.", examples=[_REPORT]),
]
Of = Annotated[
    str | None,
    Query(pattern=_UUID, description="Whose report, if several used its id.", examples=[_ORG]),
]
To = Annotated[
    str, Query(pattern=_UUID, description="The organisation that would get it.", examples=[_ORG])
]
After = Annotated[
    str | None,
    Query(
        max_length=73, pattern=r"^[0-9a-f-]{36}\.[0-9a-f-]{36}$", description="`next` of a page."
    ),
]
Limit = Annotated[int, Query(ge=1, le=500, description="At most so many.")]

_TYPES = {
    "int": "integer",
    "decimal": "number",
    "percent": "number",
    "bool": "boolean",
    "object": "object",
}


def _field_schema(row: Row) -> dict[str, Any]:
    """Describe one field of a report as its row in the table does."""
    kind = row.type.partition(" ")[0]
    one: dict[str, Any] = {"type": _TYPES.get(kind.removesuffix("[]"), "string")}
    if row.allowed:
        one = {"type": "string", "enum": list(row.allowed)}
    schema = {"type": "array", "items": one} if kind.endswith("[]") else one
    if kind == "band":  # a whole number, or a word of the list
        schema = {"anyOf": [{"type": "integer", "minimum": 0}, one]}
    leaves = row.leaves if row.leaves_node else "never leaves the node"
    return {**schema, "description": f"{row.group}. Type: {row.type}. Leaves: {leaves}."}


def _describe_fields(schema: dict[str, Any]) -> None:
    """Put the fields of the table into the description of a stage."""
    known = schema.setdefault("properties", {})
    rows = (row for row in FIELDS.values() if row.type != "forbidden")
    schema["properties"] = {row.name: _field_schema(row) for row in rows} | known
    schema["examples"] = [_STAGE]


_STAGE = {
    "report_id": _REPORT,
    "stage": "early_warning",
    "aware_at": "2026-01-27T04:52:00Z",
    "contact_email": "soc@hospital.example",
    "title": "Ransomware in the imaging network of a hospital",
    "summary_internal": "PACS encrypted since 03:55Z.",
    "suspected_malicious": "yes",
    "cross_border": "unknown",
    "ambulance_diversion": "yes",
    "indicators": [
        {
            "type": "ipv4",
            "value": "198.51.100.23",
            "role": "c2",
            "tlp": "GREEN",
            "context": "tunnel into the imaging network",
        }
    ],
}


class StageBody(BaseModel):
    """One stage of a report: fields of the table, `indicators`, `choices` (field -> colour).

    What a stage leaves out stands as the stage before said it; null takes a field back.
    """

    model_config = ConfigDict(extra="allow", json_schema_extra=_describe_fields)

    stage: str = Field(description="Which stage it is.", examples=["early_warning"])
    report_id: str | None = Field(default=None, description="None: a new report.")
    indicators: list[dict[str, Any]] | None = None
    choices: dict[str, str] | None = Field(default=None, description="A stricter colour by field.")


_TWINNED = {
    "type": "ip-dst",
    "category": "Network activity",
    "value": "198.51.100.7",
    "Tag": [{"name": "tlp:amber"}],
    "twin": {"value": "198.51.100.0/24", "tlp": "green"},
}
_OF_AN_ATTRIBUTE = (
    "An attribute may also have `profile`, how it is sealed: `compact`, its value and what it is "
    "withheld together, or `fine`, the value apart; left out, `fine` from AMBER on. And `twin`, a "
    'coarser value with a label of its own, `{"value": …, "tlp": …}`, never stricter than the '
    "value's: who may not have the value gets the twin, marked as coarse, with the attribute's "
    "type, category and time, and nothing detects by it. A twin needs a value and not the compact "
    "profile; an edit without it takes it back."
)

_OF_A_DISTRIBUTION = (
    "It and its parts may have `distribution`, a limit beside the label: 0 its creator, 1 this "
    "node, 2 no relay, 3 none, 4 a sharing group (`sharing_group_id`: uuid or number), 5 as its "
    "parent."
)


class EventBody(BaseModel):
    """A MISP event, with the label its author gives it."""

    model_config = ConfigDict(extra="forbid")

    Event: dict[str, Any] = Field(
        description=f"The event as MISP has it. {_OF_A_DISTRIBUTION} {_OF_AN_ATTRIBUTE}",
        examples=[
            {
                "info": "Phishing against hospital staff",
                "Attribute": [
                    {"type": "domain", "category": "Network activity", "value": "a.example"},
                    _TWINNED,
                ],
            }
        ],
    )
    tlp: str | None = Field(
        default=None,
        examples=["green"],
        description="Missing: the event's own tag, or amber+strict for a hospital's.",
    )
    pap: str | None = Field(default=None, examples=["clear"])
    addressees: list[str] | None = Field(
        default=None, description="Members or communities it names.", examples=[[_ORG]]
    )
    only: bool = Field(default=False, description="Nobody but the addressees may have it.")
    publish: bool = Field(default=False, description="An operator may publish it at once.")


class AttributesBody(BaseModel):
    """Attributes to add to an event of one's own."""

    model_config = ConfigDict(extra="forbid")

    Attribute: list[dict[str, Any]] = Field(
        description=f"Attributes as MISP has them. {_OF_AN_ATTRIBUTE}",
        examples=[[{"type": "ip-dst", "category": "Network activity", "value": "198.51.100.23"}]],
    )


class SlotBody(BaseModel):
    """One slot of a record, as a hold names it."""

    model_config = ConfigDict(extra="forbid")

    record: str = Field(pattern=_UUID, examples=[_EVENT])
    slot_type: int = Field(ge=1, le=255, examples=[11])
    content: str | None = Field(
        default=None, pattern="^[0-9a-f]{64}$", description="Only if it still reads so."
    )


_SLOTS = Field(min_length=1, max_length=10_000, description="As the holds name them.")


class ChoiceBody(BaseModel):
    """Held slots of one log, and the party they would go to."""

    model_config = ConfigDict(extra="forbid")

    origin: str = Field(pattern=_UUID, examples=[_ORG])
    event: str = Field(pattern=_UUID, description="The log, as the hold says.", examples=[_EVENT])
    party: str = Field(pattern=_UUID, examples=[_ORG])
    slots: list[SlotBody] = _SLOTS


class DeclareBody(BaseModel):
    """Slots of an event's report that are to be handed over to an authority."""

    model_config = ConfigDict(extra="forbid")

    to: str = Field(pattern=_UUID, description="The authority.", examples=[_ORG])
    slots: list[SlotBody] = _SLOTS


class SightingsBody(BaseModel):
    """Sightings: each names an attribute (origin, event, attribute) or a value."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"sightings": [{"value": "198.51.100.23", "type": "seen", "count": 3}]},
            ]
        },
    )

    sightings: list[dict[str, Any]]


class RecallBody(BaseModel):
    """Why an event, or what of it, is taken back."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(
        examples=["false_positive"],
        description=f"One of {', '.join(sorted(REASONS))}.",
    )
    attributes: list[Annotated[str, Field(pattern=_UUID)]] | None = Field(
        default=None,
        min_length=1,
        max_length=1000,
        description="Only these attributes of the event, by uuid; without it, all of the event.",
        examples=[["5e1f8a30-7d1c-4b5e-9a2f-6d5c4b3a2f11"]],
    )
