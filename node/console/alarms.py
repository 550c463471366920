"""Findings of patient data on pages, each in its place, for who typed it and for nobody else.

What a form holds is shown back to who sent it, with what was found marked, and a box to say that
it is none. Where there is no form (a program, a file) the ids of findings are released by hand.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from node.actions.errors import BadInputError
from node.actions.patients import PatientDataError, list_releases, release_findings
from node.actions.people import Session
from node.console.render import Show, see_other
from node.console.session import Form, form_of, session_of
from node.node import Node
from sharing.patients.check import Found

TICKED = "no_patient"
"""The field of a form that names findings; with `_why` behind it, the reason."""
WHY = f"{TICKED}_why"

_PATH = "/console/patients"
_AROUND = 60
_STEP = re.compile(r"[.\[\]]+")


@dataclass(frozen=True, slots=True)
class Alarm:
    """A finding in what somebody typed; the text is empty where he did not type it just now."""

    id: str
    path: str
    sentence: str
    before: str
    found: str
    after: str


def alarms_of(error: PatientDataError, body: Mapping[str, object]) -> list[Alarm]:
    """Give each finding with the text around it, out of what was typed."""
    return [_alarm(each, body) for each in error.findings]


def release_ticked(node: Node, form: Form) -> str:
    """Release the findings ticked on a form, for the reason it gives; gives what is wrong with it.

    Raises:
        NotAllowedError: whoever posted it may not.
    """
    ticked = form.fields.get(TICKED, [])
    if not ticked:
        return ""
    try:
        release_findings(node, form.caller, ticked, form.one(WHY))
    except BadInputError as error:
        return error.why
    return ""


def add_alarms(routes: APIRouter, node: Node, show: Show) -> None:
    """Add the page where findings are released by their ids, and what was released."""
    who, posted = Depends(session_of(node)), Depends(form_of(node))

    @routes.get(_PATH)
    def releases(request: Request, session: Annotated[Session, who]) -> Response:
        return _page(node, show, request, session)

    @routes.post(_PATH)
    def release(request: Request, form: Annotated[Form, posted]) -> Response:
        try:
            release_findings(node, form.caller, form.one("findings").split(), form.one("reason"))
        except BadInputError as error:
            return _page(node, show, request, form.session, form, error)
        return see_other(_PATH)


def _page(
    node: Node,
    show: Show,
    request: Request,
    session: Session,
    form: Form | None = None,
    error: BadInputError | None = None,
) -> Response:
    return show.page(
        request,
        "patients.html",
        session,
        200 if error is None else 422,
        releases=list_releases(node, session.caller),
        typed={name: form.one(name) if form else "" for name in ("findings", "reason")},
        wrong={} if error is None else {error.field.partition("[")[0]: error.why},
    )


def _alarm(each: Found, body: Mapping[str, object]) -> Alarm:
    text, span = _text_at(each.path, body), each.finding
    start, end = (span.start, span.end) if span.end <= len(text) else (0, len(text))
    return Alarm(
        id=each.id,
        path=each.path,
        sentence=each.sentence.removeprefix(f"{each.path}, "),
        before=text[max(0, start - _AROUND) : start],
        found=text[start:end],
        after=text[end : end + _AROUND],
    )


def _text_at(path: str, body: Mapping[str, object]) -> str:
    """The text that a stage has at `affected_services[0].workaround`; empty where there is none."""
    value: object = body
    for step in filter(None, _STEP.split(path)):
        match value:
            case Mapping() if step in value:
                value = value[step]
            case list() if step.isdecimal() and int(step) < len(value):
                value = value[int(step)]
            case _:
                return ""
    return value if isinstance(value, str) else ""
