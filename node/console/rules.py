"""Pages of the rules: the rulebook in force, all there ever were, and what another would change."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from node.actions.errors import ActionError, BadInputError
from node.actions.foresee import Foreseen, sentences_of
from node.actions.own import check_operator
from node.actions.people import Session
from node.actions.rulebooks import (
    RulebookRead,
    approve,
    foresee_proposal,
    foresee_rules,
    list_rules,
    propose,
    read_rules,
    reject,
)
from node.api.rulebooks import Number
from node.console.render import Show, see_other
from node.console.session import Form, form_of, session_of
from node.node import Node

_RULES = "/console/rules"


def add_rules(routes: APIRouter, node: Node, show: Show) -> None:
    """Add the pages that tell of rules, and the form that proposes others."""
    who, posted = Depends(session_of(node)), Depends(form_of(node))

    @routes.get(_RULES)
    def rules(request: Request, session: Annotated[Session, who]) -> Response:
        caller = session.caller
        kept = list_rules(node, caller)
        return show.page(
            request,
            "rules.html",
            session,
            found=read_rules(node, caller),
            waiting=[each for each in kept if each.state == "waiting"],
            kept=kept,
        )

    def form_page(
        request: Request,
        session: Session,
        typed: Mapping[str, str],
        seen: Foreseen | None = None,
        refused: BadInputError | None = None,
    ) -> Response:
        values = {
            "typed": typed,
            "seen": seen,
            "sentences_of": sentences_of,
            "at": refused.field if refused else "",
            "why": refused.why if refused else "",
        }
        status = 422 if refused else 200
        return show.page(request, "rules_new.html", session, status, **values)

    @routes.get(_RULES + "/new")
    def new(request: Request, session: Annotated[Session, who]) -> Response:
        check_operator(session.caller, "propose rules")
        found = read_rules(node, session.caller)
        typed = {"name": found.about.name, "text": found.text, "why": ""}
        return form_page(request, session, typed)

    @routes.post(_RULES + "/new")
    def look_or_propose(request: Request, form: Annotated[Form, posted]) -> Response:
        typed = {name: form.one(name) for name in ("name", "why")} | {"text": _text(form)}
        try:
            if form.one("act") == "propose":
                done = propose(node, form.caller, typed["text"], typed["name"], typed["why"])
                return see_other(f"{_RULES}/{done.about.number}")
            seen = foresee_rules(node, form.caller, typed["text"], typed["name"])
            return form_page(request, form.session, typed, seen)
        except BadInputError as error:
            return form_page(request, form.session, typed, refused=error)

    _add_proposals(routes, node, show)


def _add_proposals(routes: APIRouter, node: Node, show: Show) -> None:
    who, posted = Depends(session_of(node)), Depends(form_of(node))

    def page(
        request: Request, session: Session, number: int, status: int = 200, why: str = ""
    ) -> Response:
        found = read_rules(node, session.caller, number)
        seen = _foreseen(node, session, found)
        values = {"found": found, "seen": seen, "sentences_of": sentences_of, "why": why}
        return show.page(request, "rules_one.html", session, status, **values)

    @routes.get(_RULES + "/{number}")
    def one(request: Request, session: Annotated[Session, who], number: Number) -> Response:
        return page(request, session, number)

    @routes.post(_RULES + "/{number}/approve")
    def do_approve(form: Annotated[Form, posted], number: Number) -> Response:
        approve(node, form.caller, number)
        return see_other(f"{_RULES}/{number}")

    @routes.post(_RULES + "/{number}/reject")
    def do_reject(request: Request, form: Annotated[Form, posted], number: Number) -> Response:
        try:
            reject(node, form.caller, number, form.one("reason"))
        except BadInputError as error:
            return page(request, form.session, number, 422, error.why)
        return see_other(f"{_RULES}/{number}")


def _foreseen(node: Node, session: Session, found: RulebookRead) -> Foreseen | None:
    """What a proposal that waits would change as things stand, for whoever may decide."""
    if found.about.state != "waiting" or session.caller.role != "operator":
        return None
    try:
        return foresee_proposal(node, session.caller, found.about.number)
    except ActionError:
        return None  # a program of other days could read it; it can only be turned down


def _text(form: Form) -> str:
    """The text as it was typed, blanks and all: its digest is over every byte."""
    return next(iter(form.fields.get("text", ())), "")
