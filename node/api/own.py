"""Our own API, `/api/v1`: every route is one action, and nothing is decided here.

Bulk answers are bytes. What is not there and what the caller may not see are the same 404.
"""

from dataclasses import dataclass

from fastapi import APIRouter, Depends
from starlette.responses import Response

from node.actions.caller import Caller
from node.actions.peers import ExchangeState, exchange_state
from node.actions.picture import Picture, hub_picture
from node.api.alerts import add_alert_acts, add_alerts
from node.api.answers import answer, told
from node.api.auth import caller_of
from node.api.errors import PROBLEMS, ProblemRoute
from node.api.events import add_acts, add_decisions, add_events
from node.api.groups import add_groups
from node.api.holds import add_files, add_holds, add_ledger
from node.api.incidents import add_incidents
from node.api.patients import add_patients
from node.api.receipts import add_receipts
from node.api.rulebooks import add_rule_acts, add_rules
from node.node import Node


@dataclass(frozen=True, slots=True)
class Me:
    """Whom a token stands for, and at which node."""

    name: str
    org: str
    role: str
    node: str


def router(node: Node) -> APIRouter:
    """Give the routes of `/api/v1` on this node."""
    api = APIRouter(prefix="/api/v1", route_class=ProblemRoute, responses=PROBLEMS)
    who = Depends(caller_of(node))
    add_incidents(api, node, who)
    add_events(api, node, who)
    add_acts(api, node, who)
    add_holds(api, node, who)
    add_files(api, node, who)
    add_ledger(api, node, who)
    add_receipts(api, node, who)
    add_patients(api, node, who)
    add_decisions(api, node, who)
    add_groups(api, node, who)
    add_rules(api, node, who)
    add_rule_acts(api, node, who)
    add_alerts(api, node, who)
    add_alert_acts(api, node, who)
    _add_states(api, node, who)
    return api


def _add_states(api: APIRouter, node: Node, who: Caller) -> None:
    @api.get("/me", tags=["states"], responses=told(Me))
    def who_am_i(caller: Caller = who) -> Response:
        """Say whom the token stands for."""
        return answer(Me(caller.name, caller.org, caller.role, node.org))

    @api.get("/peers", tags=["states"], responses=told(ExchangeState))
    def list_the_peers(caller: Caller = who) -> Response:
        """Give the state of every peer, in words, and how many logs wait to be projected."""
        return answer(exchange_state(node, caller))

    @api.get("/picture", tags=["states"], responses=told(Picture))
    def draw_the_picture(caller: Caller = who) -> Response:
        """Give the incidents this node knows of, as its staff may see them, in rows and totals."""
        return answer(hub_picture(node, caller))
