"""The routes of what waits for persons: holds, releases, files for authorities; and the ledger."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

import orjson
from fastapi import APIRouter, Query
from starlette.responses import Response

from node.actions.caller import Caller
from node.actions.disclosed import EventLedger, Had, who_had_event, who_had_value
from node.actions.handover import (
    DeclarationState,
    Declared,
    Part,
    declare,
    hand_over,
    list_declarations,
    list_parts,
)
from node.actions.holds import (
    Hold,
    Slot,
    list_acts,
    list_holds,
    preview_release,
)
from node.api.answers import Described, answer, answer_done, told
from node.api.bodies import ChoiceBody, DeclareBody, EventId, Origin, SlotBody
from node.api.events import PACKAGE_TYPE
from node.node import Node
from node.storage.releases import ActRow

DIGEST: Final = "X-Projection-Digest"
_ONE: Final = "/events/{origin}/{event}"
_BYTES: Final = {"schema": {"type": "string", "format": "binary"}}
_PREVIEW: Final[Described] = {
    200: {
        "description": "The package the party would then get; empty: nothing leaves the node.",
        "content": {PACKAGE_TYPE: _BYTES},
        "headers": {DIGEST: {"description": "Its projection.", "schema": {"type": "string"}}},
    }
}
_FILE: Final[Described] = {
    200: {
        "description": "The file: package, summary, and the acts that released it.",
        "content": {"application/zip": _BYTES},
    }
}


@dataclass(frozen=True, slots=True)
class ActShown:
    """One person's act, with the signed envelope (DSSE) that proves it."""

    person: str
    role: str
    party: str
    acted_at: datetime
    reason: str
    ground: str
    reference: str
    envelope: dict[str, object]


def add_holds(api: APIRouter, node: Node, who: Caller) -> None:
    """Add the routes of what is held, and of its release."""

    @api.get("/holds", tags=["holds"], responses=told(list[Hold]))
    def list_the_holds(caller: Caller = who) -> Response:
        """Give what waits for persons: for whom, why, what it takes, and who has acted."""
        return answer(list_holds(node, caller))

    @api.post("/releases/preview", tags=["holds"], responses=_PREVIEW)
    def preview_a_release(body: ChoiceBody, caller: Caller = who) -> Response:
        """Give what the party would get if these slots were released to it, byte for byte.

        No route releases them: a person does, at the console or the shell, and a token is none.
        """
        shown = preview_release(
            node, caller, body.origin, body.event, body.party, _slots(body.slots)
        )
        headers = {DIGEST: shown.digest} if shown.digest else None
        return Response(shown.package, headers=headers, media_type=PACKAGE_TYPE)

    @api.get(_ONE + "/acts", tags=["holds"], responses=told(list[ActShown]))
    def list_the_acts(origin: Origin, event: EventId, caller: Caller = who) -> Response:
        """Give every act on the holds of a log, each with its signed envelope."""
        return answer([_shown(act) for act in list_acts(node, caller, origin, event)])


def _shown(act: ActRow) -> ActShown:
    return ActShown(
        person=act.person,
        role=act.role,
        party=act.party,
        acted_at=act.acted_at,
        reason=act.reason,
        ground=act.ground,
        reference=act.reference,
        envelope=orjson.loads(act.envelope),
    )


def add_files(api: APIRouter, node: Node, who: Caller) -> None:
    """Add the routes of what is handed over to an authority."""

    @api.get(_ONE + "/parts", tags=["files"], responses=told(list[Part]))
    def list_the_parts(origin: Origin, event: EventId, caller: Caller = who) -> Response:
        """Give what of an event of this node may be chosen for a declaration."""
        return answer(list_parts(node, caller, origin, event))

    @api.post(
        _ONE + "/declarations",
        tags=["files"],
        status_code=201,
        responses=told(Declared, 201, repeats=True),
    )
    def declare_some_slots(
        origin: Origin, event: EventId, body: DeclareBody, caller: Caller = who
    ) -> Response:
        """Cut a declaration for an authority; it waits for two persons among the holds."""
        return answer_done(declare(node, caller, origin, event, body.to, _slots(body.slots)))

    @api.get("/declarations", tags=["files"], responses=told(list[DeclarationState]))
    def list_the_declarations(caller: Caller = who) -> Response:
        """Give every declaration of this node, and how far it is."""
        return answer(list_declarations(node, caller))

    @api.post("/declarations/{origin}/{event}/file", tags=["files"], responses=_FILE)
    def hand_a_file_over(origin: Origin, event: EventId, caller: Caller = who) -> Response:
        """Give the file of a released declaration; each time leaves its line in the audit."""
        file = hand_over(node, caller, origin, event)
        headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
        return Response(file.content, headers=headers, media_type="application/zip")


def add_ledger(api: APIRouter, node: Node, who: Caller) -> None:
    """Add the routes that say who was given what."""

    @api.get("/ledger", tags=["ledger"], responses=told(list[Had]))
    def ask_the_ledger(
        value: Annotated[str, Query(min_length=1, max_length=4096, examples=["198.51.100.23"])],
        caller: Caller = who,
    ) -> Response:
        """Give every party that was given this value, whatever has become of it since."""
        return answer(who_had_value(node, caller, value))

    @api.get(_ONE + "/ledger", tags=["ledger"], responses=told(EventLedger))
    def read_the_ledger(origin: Origin, event: EventId, caller: Caller = who) -> Response:
        """Give who was given what of an event, line by line and record by record."""
        return answer(who_had_event(node, caller, origin, event))


def _slots(given: list[SlotBody]) -> list[Slot]:
    return [Slot(each.record, each.slot_type, each.content) for each in given]
