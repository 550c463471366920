"""What each party sees when it looks: read through its own door, and kept.

A look is kept in the demo's directory, so that a play that is played again from its first step does
not look anew at what was not released yet then.
"""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from node.demo.check import Look
from node.demo.door import Door, Person
from node.demo.errors import DemoError
from node.demo.prepare import Stage
from node.demo.scenario import Check, Column, Row, Scenario
from node.roster import RosterFile
from node.settings import load_settings
from policies.party import STANDARD_ROLES, Party
from sharing.errors import RefusedError
from sharing.seal.keys import KeyRegistry
from sharing.seal.package import read_package
from sharing.seal.verify import verify
from sharing.view import to_json, view

PAGE, RECEIPTS = "page", "receipts"
_NOTHING: dict[str, Any] = {
    "fields": [],
    "event": {"attributes": []},
    "entity": "",
    "notice": "",
    "withheld": [],
}


class Looks:
    """Looks through the doors of a play's people; `event` tells (origin, event) of an incident."""

    def __init__(
        self,
        scenario: Scenario,
        stage: Stage,
        doors: Mapping[str, Door],
        people: Mapping[str, Person],
        event: Callable[[str], tuple[str, str]],
    ) -> None:
        self._scenario, self._stage = scenario, stage
        self._doors, self._people, self._event = doors, people, event
        self.seen: dict[Look, bytes] = {}

    def look(self, at: datetime) -> None:
        """Let everybody look who is to look at this instant."""
        for row in self._scenario.rows:
            for column in self._scenario.columns:
                cells = row.cells[column.key]
                if any(cell.at == at and cell.check is not Check.LATER for cell in cells):
                    self._look(Look.at(at, row, column), row, column)

    def _look(self, look: Look, row: Row, column: Column) -> None:
        if look in self.seen:
            return
        kept = self._stage.directory / "seen" / look.name
        if not kept.exists():
            kept.parent.mkdir(mode=0o700, exist_ok=True)
            fresh = kept.with_suffix(".new")
            fresh.write_bytes(self._read(look, row, column))
            fresh.replace(kept)
        self.seen[look] = kept.read_bytes()

    def _read(self, look: Look, row: Row, column: Column) -> bytes:
        origin, event = self._event(row.incident)
        if column.files is not None:
            return self._in_files(self._scenario.org_of(column.files), event)
        if column.login is None:
            raise DemoError(f"nobody looks for {column.title}")
        path = f"/events/{origin}/{event}"
        if look.part == PAGE:
            return self._people[column.login].read(path)
        return self._doors[column.login].get(f"{path}/recall" if look.part == RECEIPTS else path)

    def _in_files(self, org: str, event: str) -> bytes:
        """What the files say that were handed over about this event, put together."""
        told = json.loads(json.dumps(_NOTHING))
        for path in sorted(self._stage.files(org).glob(f"*-{event}.zip")):
            one = _read_file(path, self._registry())
            told["fields"] += one["fields"]
            told["event"]["attributes"] += one["event"].get("attributes", [])
            told["notice"] = told["notice"] or one["notice"]
        return json.dumps(told, ensure_ascii=False).encode()

    def _registry(self) -> KeyRegistry:
        home = next(iter(self._stage.homes.values()))
        return RosterFile(load_settings(home).roster_file)()


def _read_file(path: Path, registry: KeyRegistry) -> dict[str, Any]:
    """A file as its receiver reads it: the package checked against the roster first."""
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        raw = archive.read("declaration.ndjson")
    package = read_package(raw)
    try:
        checked = verify(package, registry, first_seen_at=package.statement.iat)
    except RefusedError as error:
        raise DemoError(f"{path.name}: {error}") from error
    reader = Party("", "node", "", STANDARD_ROLES["node"])
    told: dict[str, Any] = dict(
        to_json(view(checked.holding, checked.holding.masks, reader=reader))
    )
    return told
