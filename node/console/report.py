"""The page on which an incident is reported, often by one person, at night; and the receipt.

One page, no wizard. What was typed survives an error, and the field at fault is named. The report's
id is in the form from the start, so that sending it twice makes one report.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from node.actions.errors import BadInputError
from node.actions.own import check_submitter
from node.actions.patients import PatientDataError
from node.actions.people import Session, list_orgs
from node.actions.read import read_report
from node.actions.submit import submit_report
from node.api.bodies import Of, ReportId
from node.console.alarms import Alarm, alarms_of, release_ticked
from node.console.iocs import read_lines
from node.console.questions import CHAPTERS, CONTACT, LATER_STAGES, STAGES, TEN, Question
from node.console.render import Show, see_other
from node.console.session import Form, form_of, session_of
from node.console.typed import SERVICE_ROWS, place_of, read_stage
from node.console.zones import zone_names
from node.node import Node
from sharing.incidents.fields import LISTS

Typed = Mapping[str, list[str]]
_PATH = "/console/report"


def add_report(routes: APIRouter, node: Node, show: Show) -> None:
    """Add the form, what it says of pasted indicators, and the receipt."""
    who, posted = Depends(session_of(node)), Depends(form_of(node))
    page = _FormPage(node, show)

    @routes.get(_PATH)
    def ask(request: Request, session: Annotated[Session, who], of: str = "") -> Response:
        check_submitter(session.caller)
        if of:
            read_report(node, session.caller, of)
        report_id = of or str(UUID(bytes=node.rng(16), version=4))
        typed = {"report_id": [report_id], "is_new": ["" if of else "yes"]}
        return page.show(
            request, session, typed | ({} if of else _defaults(known_contact(node, session)))
        )

    @routes.post(_PATH)
    def take(request: Request, form: Annotated[Form, posted]) -> Response:
        check_submitter(form.caller)
        body, why_not = dict[str, object](), ""
        try:
            body = read_stage(form.fields, node.settings.country)
            why_not = release_ticked(node, form)
            done = submit_report(node, form.caller, body)
        except PatientDataError as error:
            alarms = alarms_of(error, body)
            faults = [(each.path, each.sentence) for each in alarms]
            return page.show(
                request, form.session, form.fields, faults, alarms=alarms, why_not=why_not
            )
        except BadInputError as error:
            faults = [(error.field, error.why), *error.others]
            return page.show(request, form.session, form.fields, faults)
        return see_other(f"/console/reports/{done.report_id}?sent={done.stage}")

    @routes.post(_PATH + "/indicators")
    def look(request: Request, form: Annotated[Form, posted]) -> Response:
        lines = read_lines(form.one("indicators"))
        return show.page(request, "indicators.html", form.session, lines=lines)

    @routes.get("/console/reports/{report_id}")
    def receipt(
        request: Request,
        session: Annotated[Session, who],
        report_id: ReportId,
        org: Of = None,
        sent: str = "",
    ) -> Response:
        report = read_report(node, session.caller, report_id, org)
        return show.page(request, "receipt.html", session, report=report, sent=sent)


class _FormPage:
    """The form, empty or as it was typed."""

    def __init__(self, node: Node, show: Show) -> None:
        self._node = node
        self._show = show
        self._country = node.settings.country

    def show(
        self,
        request: Request,
        session: Session,
        typed: Typed,
        faults: list[tuple[str, str]] | None = None,
        *,
        alarms: Sequence[Alarm] = (),
        why_not: str = "",
    ) -> Response:
        """Give the page; faults are (field, why), `why_not` what is wrong with a release."""
        wrong: dict[str, str] = {}
        for field, why in faults or []:
            wrong.setdefault(place_of(field, typed), why)
        is_new = bool(typed.get("is_new", [""])[0])
        return self._show.page(
            request,
            "report.html",
            session,
            422 if faults else 200,
            typed=typed,
            wrong=wrong,
            alarms=alarms,
            why_not=why_not,
            elsewhere={name: why for name, why in wrong.items() if name not in _ASKED},
            is_new=is_new,
            stages=STAGES if is_new else LATER_STAGES,
            ten=TEN,
            contact=CONTACT,
            is_known=bool(known_contact(self._node, session)),
            chapters=CHAPTERS,
            services=LISTS["service"],
            states=LISTS["degradation"],
            rows=SERVICE_ROWS,
            zones=zone_names(self._country),
            lines=read_lines("\n".join(typed.get("indicators", []))),
            is_open=lambda asked: any(_is_touched(each, typed, wrong) for each in asked),
        )


_ASKED = {
    *("stage", "indicators", "own_indicators"),
    *(question.name for question in (*TEN, *CONTACT)),
    *(question.name for chapter in CHAPTERS for question in chapter.questions),
}


def _is_touched(question: Question, typed: Typed, wrong: Mapping[str, str]) -> bool:
    return question.name in wrong or any(typed.get(question.name, ()))


def known_contact(node: Node, session: Session) -> dict[str, list[str]]:
    """Whom to ask at the reporter's organisation, as its enrolment knows it; empty: nobody."""
    home = next((org for org in list_orgs(node) if org.org == session.caller.org), None)
    details = home.details if home else {}
    names = ("contact_phone", "contact_email", "contact_name")
    return {name: [str(details[name])] for name in names if details.get(name)}


def _defaults(contact: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """What a new report says until its reporter says otherwise."""
    said = {question.name: [question.default] for question in TEN if question.default}
    said |= {each.name: contact[each.name] for each in CONTACT if each.name in contact}
    return said | {"stage": ["early_warning"], "indicators_tlp": ["GREEN"]}
