"""The scenario file as values: who is there, what happens when, and who must see what at the end.

The file is TOML (`cassiopee.toml`). Reading it checks all references, so that a slip in the file is
told by name at once and not found in the middle of the play.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from importlib.resources import files
from typing import Any

from node.actions.caller import Role
from node.demo.errors import ScenarioError

Fields = dict[str, Any]  # what a hospital types: field name -> JSON value


@dataclass(frozen=True, slots=True)
class NodePlan:
    """One node of the federation."""

    key: str
    org: str
    name: str
    country: str
    role: str  # national | hub


@dataclass(frozen=True, slots=True)
class EnrolmentPlan:
    """The rule a node's hospitals accepted: for which fields it may name which nodes."""

    node: str
    id: str
    version: int
    named: Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class OrgPlan:
    """A hospital, supplier or authority enrolled at a node."""

    key: str
    node: str
    org: str
    name: str
    kind: str
    enrolment: str = ""
    details: Fields = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PersonPlan:
    """Somebody with a login and a token at one node."""

    login: str
    node: str
    org: str  # key of a node or an org
    role: Role


@dataclass(frozen=True, slots=True)
class Step:
    """One act through a real door at one instant."""

    at: datetime
    by: str
    act: str  # report | refused | publish | sight | release | sign | declare | hand-over | recall
    incident: str
    says: str
    body: Fields  # report, refused: the stage as posted; sight: the sightings
    field: str | None = None  # release: the field
    to: tuple[str, ...] = ()  # release, sign, declare, hand-over: keys of nodes or orgs
    ground: str = ""  # sign: consent | order, and its reference
    reference: str = ""
    chosen: tuple[str, ...] = ()  # declare: names of fields; declare, recall: values of indicators
    finds: tuple[str, ...] = ()  # report, refused: kinds of patient data found in it
    no_patient: str = ""  # report: why what is found is none
    reason: str = ""  # recall: why, as a recall names it


@dataclass(frozen=True, slots=True)
class Later:
    """An entry of the timeline the product cannot play yet, and what it waits for."""

    at: datetime
    says: str
    waits_for: str


class Check(StrEnum):
    """What a cell of the visibility table demands."""

    ABSENT = "absent"
    EQUALS = "equals"
    EQUALS_TWIN = "equals-twin"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Cell:
    """What one column must see of one datum at one instant."""

    at: datetime
    check: Check
    value: Any = None  # in place of the row's `exact` or `twin`


@dataclass(frozen=True, slots=True)
class Row:
    """One datum of the visibility table."""

    datum: str
    part: str  # fields | indicators | notice | sightings | receipts | page: where it is looked for
    exact: Any
    twin: Any
    cells: dict[str, tuple[Cell, ...]]  # by column key; several where something is released between
    incident: str = ""  # of the scenario; empty: its subject
    is_table: bool = True  # else it comes from the timeline


@dataclass(frozen=True, slots=True)
class Column:
    """One reader of the table: a person, an organisation that is handed files, or nobody yet."""

    key: str
    title: str
    login: str | None = None
    files: str | None = None  # key of the organisation whose files it reads


@dataclass(frozen=True, slots=True)
class Scenario:
    """The whole file."""

    name: str
    starts_at: datetime
    ends_at: datetime
    canaries: Mapping[str, tuple[str, ...]]  # by the node they must not leave, or NOBODY
    subject: str  # the incident the table is about
    nodes: tuple[NodePlan, ...]
    enrolments: tuple[EnrolmentPlan, ...]
    orgs: tuple[OrgPlan, ...]
    people: tuple[PersonPlan, ...]
    steps: tuple[Step, ...]
    later: tuple[Later, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    @property
    def looks(self) -> tuple[datetime, ...]:
        """Give the instants at which somebody is to look at something, in order."""
        cells = (cell for row in self.rows for some in row.cells.values() for cell in some)
        return tuple(sorted({cell.at for cell in cells if cell.check is not Check.LATER}))

    def person(self, login: str) -> PersonPlan:
        """Give the person of that login."""
        return next(person for person in self.people if person.login == login)

    def org_of(self, key: str) -> str:
        """Give the org uuid of a node or an enrolled organisation."""
        named = {node.key: node.org for node in self.nodes}
        return (named | {org.key: org.org for org in self.orgs})[key]

    def name_of(self, key: str) -> str:
        """Give the name of a node or an enrolled organisation."""
        named = {node.key: node.name for node in self.nodes}
        return (named | {org.key: org.name for org in self.orgs})[key]


NOBODY = "nobody"
"""The owner of canaries that no file of any node may hold."""


def shipped_scenario() -> Scenario:
    """Give the scenario that travels with the product."""
    text = files("node.demo").joinpath("cassiopee.toml").read_text(encoding="utf-8")
    return read_scenario(text)


def read_scenario(text: str) -> Scenario:
    """Read a scenario file.

    Raises:
        ScenarioError: it is not TOML, or a person, node, field or column it names does not exist.
    """
    try:
        raw = tomllib.loads(text)
        scenario = Scenario(
            name=raw["name"],
            starts_at=datetime.fromisoformat(raw["starts_at"]),
            ends_at=datetime.fromisoformat(raw["ends_at"]),
            canaries={key: tuple(texts) for key, texts in raw["canaries"].items()},
            subject=raw["subject"],
            nodes=tuple(NodePlan(**one) for one in raw["node"]),
            enrolments=tuple(EnrolmentPlan(**one) for one in raw["enrolment"]),
            orgs=tuple(OrgPlan(**one) for one in raw["org"]),
            people=tuple(PersonPlan(**one) for one in raw["person"]),
            steps=tuple(_step(one) for one in raw["step"]),
            later=tuple(
                Later(datetime.fromisoformat(one["at"]), one["says"], one["waits_for"])
                for one in raw["later"]
            ),
            columns=tuple(Column(**one) for one in raw["column"]),
            rows=tuple(_row(one, raw["subject"]) for one in raw["row"]),
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        message = f"scenario file: {error!r}"
        raise ScenarioError(message) from error
    _check_references(scenario)
    return scenario


def _step(raw: Fields) -> Step:
    body: Fields = {}
    if raw["act"] in {"report", "refused"}:
        body = raw["fields"] | {
            "report_id": raw["report_id"],
            "indicators": raw.get("indicators", []),
        }
    if raw["act"] == "sight":
        body = {"sightings": raw["sightings"]}
    return Step(
        at=datetime.fromisoformat(raw["at"]),
        by=raw["by"],
        act=raw["act"],
        incident=raw["incident"],
        says=raw["says"],
        body=body,
        field=raw.get("field"),
        to=tuple(raw.get("to", ())),
        ground=raw.get("ground", ""),
        reference=raw.get("reference", ""),
        chosen=tuple(raw.get("chosen", ())),
        finds=tuple(raw.get("finds", ())),
        no_patient=raw.get("no_patient", ""),
        reason=raw.get("reason", ""),
    )


def _row(raw: Fields, subject: str) -> Row:
    return Row(
        datum=raw["datum"],
        part=raw["part"],
        exact=raw.get("exact"),
        twin=raw.get("twin"),
        cells={key: _cells(cell) for key, cell in raw["cells"].items()},
        incident=raw.get("incident", subject),
        is_table=raw.get("is_table", True),
    )


def _cells(raw: list[Any]) -> tuple[Cell, ...]:
    several = raw if isinstance(raw[0], list) else [raw]
    return tuple(
        Cell(datetime.fromisoformat(at), Check(check), *value) for at, check, *value in several
    )


def _check_references(scenario: Scenario) -> None:
    nodes = {node.key for node in scenario.nodes}
    orgs = nodes | {org.key for org in scenario.orgs}
    logins = {person.login for person in scenario.people}
    columns = {column.key for column in scenario.columns}
    incidents = {step.incident for step in scenario.steps}
    wanted = [
        *((f"node of rule {rule.id}", rule.node, nodes) for rule in scenario.enrolments),
        *(
            (f"one named by rule {rule.id}", key, nodes)
            for rule in scenario.enrolments
            for keys in rule.named.values()
            for key in keys
        ),
        *((f"node of {org.key}", org.node, nodes) for org in scenario.orgs),
        *((f"node of {one.login}", one.node, nodes) for one in scenario.people),
        *((f"org of {one.login}", one.org, orgs) for one in scenario.people),
        *(("owner of canaries", key, nodes | {NOBODY}) for key in scenario.canaries),
        *((f"actor of the step at {step.at}", step.by, logins) for step in scenario.steps),
        *((f"receiver at {step.at}", key, orgs) for step in scenario.steps for key in step.to),
        *((f"login of column {c.key}", c.login, logins) for c in scenario.columns if c.login),
        *((f"files of column {c.key}", c.files, orgs) for c in scenario.columns if c.files),
        *((f"incident of {row.datum}", row.incident, incidents) for row in scenario.rows),
    ]
    for what, key, known in wanted:
        if key not in known:
            message = f"scenario file: {what} is {key!r}, which is not in the file"
            raise ScenarioError(message)
    for row in scenario.rows:
        if set(row.cells) != columns:
            odd = ", ".join(sorted(set(row.cells) ^ columns))
            message = f"scenario file: row {row.datum!r} and the columns differ in: {odd}"
            raise ScenarioError(message)
