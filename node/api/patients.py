"""The routes of what persons released as no patient data."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import orjson
from fastapi import APIRouter
from starlette.responses import Response

from node.actions.caller import Caller
from node.actions.patients import list_releases
from node.api.answers import answer, told
from node.node import Node
from node.storage.patients import PatientReleaseRow

_PATH = "/patients/releases"


@dataclass(frozen=True, slots=True)
class PatientReleaseShown:
    """One person's word that a finding is no patient data; `envelope` is signed (DSSE)."""

    finding: str
    org: str
    person: str
    role: str
    reason: str
    released_at: datetime
    envelope: dict[str, Any]

    @classmethod
    def of(cls, row: PatientReleaseRow) -> Self:
        """Give a kept release as it is shown."""
        return cls(
            finding=row.finding,
            org=row.org,
            person=row.person,
            role=row.role,
            reason=row.reason,
            released_at=row.released_at,
            envelope=orjson.loads(row.envelope),
        )


def add_patients(api: APIRouter, node: Node, who: Caller) -> None:
    """Add the routes of releases."""

    @api.get(_PATH, tags=["patients"], responses=told(list[PatientReleaseShown]))
    def list_the_patient_releases(caller: Caller = who) -> Response:
        """Give the newest releases: one's own organisation's, all of them for the staff."""
        return answer([PatientReleaseShown.of(row) for row in list_releases(node, caller)])
