"""Pages of what waits for persons: the queue, a release, files for authorities; and the ledger."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from node.actions.caller import Caller
from node.actions.disclosed import who_had_event, who_had_value
from node.actions.errors import BadInputError, NotFoundError
from node.actions.handover import (
    declare,
    hand_over,
    list_authorities,
    list_declarations,
    list_parts,
)
from node.actions.holds import Hold, Slot, list_holds, preview_release, release
from node.actions.people import Session
from node.actions.read import read_event
from node.api.bodies import EventId, Origin
from node.api.events import PACKAGE_TYPE
from node.console.render import Show, see_other
from node.console.session import Form, form_of, session_of
from node.node import Node
from policies.release import Ground

_EVENT = "/console/events/{origin}/{event}"
_HOLD = "/console/holds/{origin}/{event}/{party}"


@dataclass(frozen=True, slots=True)
class Batch:
    """What of one log waits to go to one party: what a person looks at in one go."""

    holds: tuple[Hold, ...]

    @property
    def first(self) -> Hold:
        """One of them: log and party are those of all."""
        return self.holds[0]

    @property
    def path(self) -> str:
        """Its page."""
        return f"/console/holds/{self.first.origin}/{self.first.event}/{self.first.party}"

    @property
    def names(self) -> tuple[str, ...]:
        """What waits, each once."""
        return tuple(dict.fromkeys(hold.name for hold in self.holds))

    @property
    def reasons(self) -> dict[str, str]:
        """Sentence by policy, of all that hold any of it."""
        return {each.id: each.text for hold in self.holds for each in hold.reasons}

    @property
    def needs(self) -> tuple[str, ...]:
        """What a release takes beside an operator, of all of it."""
        return tuple(dict.fromkeys(need for hold in self.holds for need in hold.needs))

    @property
    def given(self) -> tuple[str, ...]:
        """Who has acted on any of it."""
        acts = dict.fromkeys((each.person, each.role) for hold in self.holds for each in hold.given)
        return tuple(f"{person}, {role}" for person, role in acts)

    @property
    def is_for_an_authority(self) -> bool:
        """Whether a release must say on what ground."""
        return any("reference" in need for need in self.needs)


def add_holds(routes: APIRouter, node: Node, show: Show) -> None:
    """Add the hold queue and the page of one release."""
    who, posted = Depends(session_of(node)), Depends(form_of(node))

    @routes.get("/console/holds")
    def holds(request: Request, session: Annotated[Session, who]) -> Response:
        batches = _batches(list_holds(node, session.caller))
        return show.page(request, "holds.html", session, batches=batches)

    @routes.get(_HOLD)
    def ask_release(
        request: Request, session: Annotated[Session, who], origin: str, event: str, party: str
    ) -> Response:
        batch = _batch(node, session.caller, (origin, event, party))
        return _release_page(node, show, request, session, batch)

    @routes.post(_HOLD + "/preview")
    def preview(form: Annotated[Form, posted], origin: str, event: str, party: str) -> Response:
        shown = preview_release(node, form.caller, origin, event, party, _slots(form))
        if not shown.package:
            raise NotFoundError("package: nothing leaves this node")
        headers = {"Content-Disposition": f'attachment; filename="{event}-preview.ndjson"'}
        return Response(shown.package, headers=headers, media_type=PACKAGE_TYPE)

    @routes.post(_HOLD)
    def do_release(
        request: Request, form: Annotated[Form, posted], origin: str, event: str, party: str
    ) -> Response:
        hold, slots, reason = (origin, event, party), _slots(form), form.one("reason")
        why = {name: form.one(name) for name in ("ground", "reference")}
        try:
            release(node, form.caller, *hold, slots, reason, **why)
        except BadInputError as error:
            batch = _batch(node, form.caller, hold)
            return _release_page(node, show, request, form.session, batch, form, error)
        return see_other("/console/holds")


def add_files(routes: APIRouter, node: Node, show: Show) -> None:
    """Add what is declared to authorities, and the file of what was released."""
    who, posted = Depends(session_of(node)), Depends(form_of(node))

    @routes.get("/console/files")
    def files(request: Request, session: Annotated[Session, who]) -> Response:
        known = list_declarations(node, session.caller)
        return show.page(request, "files.html", session, files=known)

    @routes.post("/console/files/{origin}/{event}")
    def file(form: Annotated[Form, posted], origin: Origin, event: EventId) -> Response:
        made = hand_over(node, form.caller, origin, event)
        headers = {"Content-Disposition": f'attachment; filename="{made.name}"'}
        return Response(made.content, headers=headers, media_type="application/zip")

    @routes.get(_EVENT + "/declare")
    def ask_declare(
        request: Request, session: Annotated[Session, who], origin: Origin, event: EventId
    ) -> Response:
        return _declare_page(node, show, request, session, (origin, event))

    @routes.post(_EVENT + "/declare")
    def do_declare(
        request: Request, form: Annotated[Form, posted], origin: Origin, event: EventId
    ) -> Response:
        try:
            made = declare(node, form.caller, origin, event, form.one("to"), _slots(form))
        except BadInputError as error:
            return _declare_page(node, show, request, form.session, (origin, event), error.why)
        return see_other(f"/console/holds/{made.origin}/{made.event}/{made.party}")


def add_ledger(routes: APIRouter, node: Node, show: Show) -> None:
    """Add who was given what, by value and by event."""
    who = Depends(session_of(node))

    @routes.get("/console/ledger")
    def ledger(request: Request, session: Annotated[Session, who], value: str = "") -> Response:
        wanted = value.strip()[:4096]
        had = who_had_value(node, session.caller, wanted) if wanted else ()
        return show.page(request, "ledger.html", session, value=wanted, had=had)

    @routes.get(_EVENT + "/ledger")
    def ledger_of(
        request: Request, session: Annotated[Session, who], origin: Origin, event: EventId
    ) -> Response:
        book = who_had_event(node, session.caller, origin, event)
        return show.page(request, "ledger_event.html", session, book=book)


def _release_page(
    node: Node,
    show: Show,
    request: Request,
    session: Session,
    batch: Batch,
    typed: Form | None = None,
    error: BadInputError | None = None,
) -> Response:
    first = batch.first
    slots = [Slot(each.record, each.slot_type, each.content) for each in batch.holds]
    shown = preview_release(node, session.caller, first.origin, first.event, first.party, slots)
    return show.page(
        request,
        "release.html",
        session,
        200 if error is None else 422,
        batch=batch,
        shown=shown,
        grounds=[each for each in Ground if each],
        typed={
            name: typed.one(name) if typed else "" for name in ("reason", "ground", "reference")
        },
        wrong={} if error is None else {error.field: error.why},
    )


def _declare_page(
    node: Node,
    show: Show,
    request: Request,
    session: Session,
    key: tuple[str, str],
    why: str = "",
) -> Response:
    return show.page(
        request,
        "declare.html",
        session,
        422 if why else 200,
        seen=read_event(node, session.caller, *key),
        parts=list_parts(node, session.caller, *key),
        authorities=list_authorities(node),
        why=why,
    )


def _batches(holds: Iterable[Hold]) -> list[Batch]:
    found: dict[tuple[str, str, str], list[Hold]] = {}
    for hold in holds:
        found.setdefault((hold.origin, hold.event, hold.party), []).append(hold)
    return [Batch(tuple(some)) for some in found.values()]


def _batch(node: Node, caller: Caller, key: tuple[str, str, str]) -> Batch:
    for batch in _batches(list_holds(node, caller)):
        if key == (batch.first.origin, batch.first.event, batch.first.party):
            return batch
    raise NotFoundError("hold")


def _slots(form: Form) -> Sequence[Slot]:
    """The slots that are ticked: record, type and, where it was shown, content."""
    slots = []
    for text in form.fields.get("slot", ()):
        record, _, rest = text.partition(":")
        slot_type, _, content = rest.partition(":")
        if not slot_type.isascii() or not slot_type.isdecimal() or len(slot_type) > 3:
            raise BadInputError("slot", "is none of this page")
        slots.append(Slot(record, int(slot_type), content or None))
    return slots
