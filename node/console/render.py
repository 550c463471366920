"""Pages from templates: escaped always, with what every page needs beside what it shows."""

import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from node.actions.errors import ActionError
from node.actions.people import Session
from node.actions.roster import warning_of
from node.api.errors import status_of, why_of
from node.console.assets import PATH, Asset
from node.console.session import ForgedFormError, SignInFirstError, find_quietly, to_sign_in
from node.console.zones import wall
from node.node import Node
from node.storage.errors import StoredPackageError
from policies.errors import BadLabelError
from policies.tlp import Tlp, read_tlp
from sharing.errors import SharingError

# Our forms must say where they come from (Origin), which "no-referrer" would hide.
_HEADERS = {"Referrer-Policy": "same-origin"}
_STATES = {
    "hospital": ("events", "alerts", "groups", "report"),
    "operator": (
        "events",
        "alerts",
        "holds",
        "files",
        "ledger",
        "picture",
        "peers",
        "rules",
        "groups",
        "report",
    ),
    "analyst": ("events", "alerts", "holds", "ledger", "picture", "peers", "rules", "groups"),
    "hub_analyst": ("picture", "events", "peers", "rules"),
}
_LINKS = {
    "events": "Events",
    "alerts": "Alerts",
    "holds": "Held",
    "files": "Files",
    "ledger": "Ledger",
    "picture": "Picture",
    "peers": "Peers",
    "rules": "Rules",
    "groups": "Sharing groups",
    "report": "Report an incident",
}


@dataclass(frozen=True, slots=True)
class Link:
    """An entry of the menu."""

    path: str
    text: str


class Show:
    """Makes pages of one node."""

    def __init__(self, node: Node, assets: Mapping[str, Asset]) -> None:
        self._node = node
        self._environment = Environment(
            loader=PackageLoader("node.console"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            node_name=node.settings.name,
            file={name: f"{PATH}/{asset.tag}/{name}" for name, asset in assets.items()},
            name_of=self.name_of,
        )
        country = node.settings.country
        self._environment.filters.update(
            utc=utc, day=day, words=words, tlp=chip, wall=lambda at: wall(at, country)
        )

    def page(
        self,
        request: Request,
        template: str,
        session: Session | None,
        status: int = 200,
        **values: object,
    ) -> Response:
        """Give a page."""
        caller = session.caller if session else None
        text = self._environment.get_template(template).render(
            person=caller,  # in a template "caller" is a word of its language
            csrf=session.csrf if session else "",
            menu=menu(caller.role) if caller else [],
            path=request.url.path,
            roster_warning=warning_of(self._node) if caller and caller.is_staff else None,
            **values,
        )
        return HTMLResponse(text, status, _HEADERS)

    def name_of(self, org: str) -> str:
        """Give what a member of the federation is called on a page."""
        if org == self._node.org:
            return self._node.settings.name
        member = self._node.registry.members.get(org)
        if member is None:
            return org
        return "hub" if member.role == "hub" else f"node {member.country}"

    def problem(
        self, request: Request, session: Session | None, status: int, title: str, why: str
    ) -> Response:
        """Give the page that says why not."""
        return self.page(request, "problem.html", session, status, title=title, why=why)

    def route_class(self) -> type[APIRoute]:
        """Give a kind of route whose expected refusals become pages."""
        show = self

        class PageRoute(APIRoute):
            def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
                handle = super().get_route_handler()

                async def guarded(request: Request) -> Response:
                    try:
                        return await handle(request)
                    except SignInFirstError as error:
                        return to_sign_in(request, error)
                    except Exception as error:  # one of three places; what has no page goes on
                        told = _told(error)
                        if told is None:
                            raise
                        session = find_quietly(show._node, request)
                        return show.problem(request, session, *told)

                return guarded

        return PageRoute


def menu(role: str) -> list[Link]:
    """Give the menu of a role, most used first."""
    return [Link(f"/console/{name}", _LINKS[name]) for name in _STATES[role]]


def see_other(path: str) -> Response:
    """Send the browser on after a post."""
    return RedirectResponse(path, 303)


def utc(at: datetime | str) -> Markup:
    """Give an instant in UTC, to the minute."""
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    at = at.astimezone(UTC)
    return Markup('<time datetime="{}">{} UTC</time>').format(
        at.strftime("%Y-%m-%dT%H:%MZ"), at.strftime("%d %b %Y %H:%M")
    )


def day(at: datetime) -> Markup:
    """Give the day of an instant."""
    at = at.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        at.strftime("%Y-%m-%d"), at.strftime("%d %b %Y")
    )


def words(text: object) -> str:
    """Give a word of a list as people read it."""
    match text:
        case bool():
            return "yes" if text else "no"
        case list() | tuple():
            return ", ".join(map(words, text))
        case Mapping():
            return ", ".join(f"{words(name)}: {words(value)}" for name, value in text.items())
        case str() if re.fullmatch(r"[a-z0-9]+([_-][a-z0-9]+)*", text):
            return text.replace("_", " ")
        case str() if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text):
            return f"{text[:10]} {text[11:16]} UTC"
        case _:
            return str(text)


def chip(tlp: Tlp | str | None) -> Markup:
    """Give a TLP label in FIRST's colours."""
    known = read_tlp(tlp) if isinstance(tlp, str) else tlp
    if known is None:
        return Markup("")
    return Markup('<span class="tlp tlp-{}">{}</span>').format(
        known.word.replace("+", "-"), known.title
    )


def _told(error: Exception) -> tuple[int, str, str] | None:
    match error:
        case ForgedFormError():
            why = "The form was not sent from a page of this sign-in. Open the page anew."
            return 403, "This form does not count", why
        case RequestValidationError():
            return 404, "There is no such page", "The address is not one of ours."
        case HTTPException():
            return error.status_code, "This form cannot be read", str(error.detail)
        case ActionError() | BadLabelError() | SharingError() | StoredPackageError():
            known = status_of(error)
            return None if known is None else (*known, why_of(error))
        case _:
            return None
