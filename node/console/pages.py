"""The console: pages for people, at `/console`.

Every page is one or two actions shown; nothing is decided here. All of it works without scripts:
links, plain forms, a redirect after each post. htmx only saves reloading.
"""

from fastapi import APIRouter, Request
from starlette.responses import Response

from node.console import assets
from node.console.acts import add_acts
from node.console.alarms import add_alarms
from node.console.alerts import add_alert_acts, add_alert_ways, add_alerts
from node.console.events import add_events, add_sharing
from node.console.groups import add_groups
from node.console.holds import add_files, add_holds, add_ledger
from node.console.receipts import add_receipts
from node.console.render import Show
from node.console.report import add_report
from node.console.rules import add_rules
from node.console.session import find_quietly
from node.console.signin import add_sign_in
from node.console.states import add_states
from node.node import Node


def router(node: Node) -> APIRouter:
    """Give the pages of this node."""
    files = assets.read_assets()
    show = Show(node, files)
    routes = APIRouter(include_in_schema=False, route_class=show.route_class())
    add_sign_in(routes, node, show)
    add_events(routes, node, show)
    add_sharing(routes, node, show)
    add_acts(routes, node, show)
    add_holds(routes, node, show)
    add_files(routes, node, show)
    add_ledger(routes, node, show)
    add_receipts(routes, node, show)
    add_report(routes, node, show)
    add_alarms(routes, node, show)
    add_alerts(routes, node, show)
    add_alert_acts(routes, node, show)
    add_alert_ways(routes, node, show)
    add_states(routes, node, show)
    add_rules(routes, node, show)
    add_groups(routes, node, show)
    routes.include_router(assets.router(files))
    _add_nowhere(routes, node, show)
    return routes


def _add_nowhere(routes: APIRouter, node: Node, show: Show) -> None:
    @routes.get("/console/{rest:path}")
    def nowhere(request: Request, rest: str) -> Response:
        del rest
        why = "The address is not one of ours."
        session = find_quietly(node, request)
        return show.problem(request, session, 404, "There is no such page", why)
