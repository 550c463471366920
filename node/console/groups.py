"""Pages of sharing groups: all of them, one to edit, and what an edit would give and take."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from node.actions.errors import BadInputError, NotFoundError
from node.actions.groups import GroupShown, show_group, show_groups
from node.actions.groups_change import (
    GroupForeseen,
    change_group,
    create_group,
    end_group,
    foresee_group,
)
from node.actions.own import check_operator
from node.actions.people import Session
from node.actions.towards import party_named
from node.api.groups import GroupId
from node.console.render import Show, see_other
from node.console.session import Form, form_of, session_of
from node.node import Node

_GROUPS = "/console/groups"


def add_groups(routes: APIRouter, node: Node, show: Show) -> None:
    """Add the table of groups and the form of a new one."""
    who, posted = Depends(session_of(node)), Depends(form_of(node))

    def table(
        request: Request,
        session: Session,
        form: Form | None = None,
        wrong: BadInputError | None = None,
    ) -> Response:
        names = ("name", "releasability", "members")
        return show.page(
            request,
            "groups.html",
            session,
            422 if wrong else 200,
            groups=show_groups(node, session.caller),
            typed={name: form.one(name) if form else "" for name in names},
            why=str(wrong) if wrong else "",
        )

    @routes.get(_GROUPS)
    def groups(request: Request, session: Annotated[Session, who]) -> Response:
        return table(request, session)

    @routes.post(_GROUPS)
    def make(request: Request, form: Annotated[Form, posted]) -> Response:
        try:
            done = create_group(node, form.caller, _said(node, form))
        except BadInputError as error:
            return table(request, form.session, form, error)
        return see_other(f"{_GROUPS}/{done.group.group}")

    _add_one(routes, node, show)


def _add_one(routes: APIRouter, node: Node, show: Show) -> None:
    who, posted = Depends(session_of(node)), Depends(form_of(node))

    def page(
        request: Request,
        session: Session,
        group: str,
        typed: Mapping[str, str] | None = None,
        seen: GroupForeseen | None = None,
        why: str = "",
    ) -> Response:
        found = show_group(node, session.caller, group)
        values = {
            "found": found,
            "typed": typed or _typed(found),
            "seen": seen,
            "ends": typed is None and seen is not None,
            "why": why,
        }
        return show.page(request, "group.html", session, 422 if why else 200, **values)

    @routes.get(_GROUPS + "/{group}")
    def one(request: Request, session: Annotated[Session, who], group: GroupId) -> Response:
        return page(request, session, group)

    @routes.post(_GROUPS + "/{group}")
    def look_or_change(request: Request, form: Annotated[Form, posted], group: GroupId) -> Response:
        names = ("name", "releasability", "members", "shows_members")
        typed = {name: form.one(name) for name in names}
        try:
            said = _said(node, form)
            if form.one("act") == "change":
                change_group(node, form.caller, group, said)
                return see_other(f"{_GROUPS}/{group}")
            seen = foresee_group(node, form.caller, group, said)
        except BadInputError as error:
            return page(request, form.session, group, typed, why=str(error))
        return page(request, form.session, group, typed, seen)

    @routes.get(_GROUPS + "/{group}/end")
    def ask_end(request: Request, session: Annotated[Session, who], group: GroupId) -> Response:
        check_operator(session.caller, "end sharing groups")
        seen = foresee_group(node, session.caller, group, {}, ends=True)
        return page(request, session, group, seen=seen)

    @routes.post(_GROUPS + "/{group}/end")
    def do_end(form: Annotated[Form, posted], group: GroupId) -> Response:
        end_group(node, form.caller, group)
        return see_other(f"{_GROUPS}/{group}")


def _typed(found: GroupShown) -> dict[str, str]:
    lines = [
        f"{each.org}{f' via {each.via}' if each.via else ''} {each.name}".rstrip()
        for each in found.members
    ]
    return {
        "name": found.name,
        "releasability": found.releasability,
        "members": "\n".join(lines),
        "shows_members": "yes" if found.shows_members else "",
    }


def _said(node: Node, form: Form) -> dict[str, object]:
    """What the form says of a group."""
    lines = [line.strip() for line in form.one("members").split("\n") if line.strip()]
    return {
        "name": form.one("name"),
        "releasability": form.one("releasability"),
        "members": [_member(node, line) for line in lines],
        "shows_members": form.one("shows_members") == "yes",
    }


def _member(node: Node, line: str) -> dict[str, object]:
    """A line of members: a name we know, or `uuid [via uuid] [name]`."""
    try:
        return {"org": party_named(node, line)}
    except NotFoundError:
        org, _, rest = line.partition(" ")
    if not rest.startswith("via "):
        return {"org": org, "name": rest.strip()}
    via, _, name = rest.removeprefix("via ").partition(" ")
    return {"org": org, "via": via, "name": name.strip()}
