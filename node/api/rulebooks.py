"""The routes of rulebooks: the one in force, all there ever were, what another would change."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from node.actions.caller import Caller
from node.actions.foresee import Foreseen
from node.actions.own import check_operator
from node.actions.rulebook_text import CheckedRulebook, check_rules, checked, try_cases
from node.actions.rulebooks import (
    Proposed,
    RulebookRead,
    RulebookShown,
    approve,
    foresee_proposal,
    foresee_rules,
    list_rules,
    propose,
    read_rules,
    reject,
)
from node.api.answers import answer, answer_done, told
from node.node import Node
from policies.cases import Outcome

_TEXT = """@id("members.green")
@reason("up to TLP:GREEN goes to members of the federation")
permit (principal in Role::"member", action, resource)
when { resource.tlp <= 2 };
"""
_CASES = """[party.peer]
kind = "node"

[[case]]
says = "GREEN goes to a peer"
subject = { tlp = "green" }
party = "peer"
relation = ["published", "direct"]
expect = "disclose"
for = ["members.green"]
"""

Number = Annotated[
    int, Path(ge=1, le=2**31, description="As the history numbers it.", examples=[2])
]


class RulebookBody(BaseModel):
    """A rulebook's own policies; the floor is added here."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(description="Cedar text.", examples=[_TEXT])
    name: str = Field(description="What it is called.", examples=["national"])


class ProposalBody(RulebookBody):
    """A rulebook to put in force."""

    why: str = Field(description="Kept for ever.", examples=["agreed with BE on 20 January"])


class CasesBody(RulebookBody):
    """A rulebook, and what it is expected to say."""

    cases: str = Field(description="Cases as TOML.", examples=[_CASES])


class RejectionBody(BaseModel):
    """Why a proposal is turned down."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(description="Kept for ever.", examples=["DE has not agreed to it"])


def add_rules(api: APIRouter, node: Node, who: Caller) -> None:
    """Add the routes that tell of rules."""

    @api.get("/rulebooks", tags=["rules"], responses=told(list[RulebookShown]))
    def list_the_rulebooks(caller: Caller = who) -> Response:
        """Give every rulebook that was ever proposed here, newest first."""
        return answer(list_rules(node, caller))

    @api.get("/rulebooks/in-force", tags=["rules"], responses=told(RulebookRead))
    def read_the_rulebook_in_force(caller: Caller = who) -> Response:
        """Give the rulebook in force, with its text and every policy's reason."""
        return answer(read_rules(node, caller))

    @api.get("/rulebooks/{number}", tags=["rules"], responses=told(RulebookRead))
    def read_a_rulebook(number: Number, caller: Caller = who) -> Response:
        """Give one of the history."""
        return answer(read_rules(node, caller, number))

    @api.get("/rulebooks/{number}/diff", tags=["rules"], responses=told(Foreseen))
    def foresee_a_proposal(number: Number, caller: Caller = who) -> Response:
        """Say what it would change of all that is stored, as things stand now."""
        return answer(foresee_proposal(node, caller, number))

    @api.post("/rulebooks/check", tags=["rules"], responses=told(CheckedRulebook))
    def check_a_rulebook(body: RulebookBody, caller: Caller = who) -> Response:
        """Check a text together with the floor; 422 names the policy at fault and says why."""
        check_operator(caller, "check rules here")
        return answer(checked(check_rules(body.text, body.name)))

    @api.post("/rulebooks/test", tags=["rules"], responses=told(Outcome))
    def test_a_rulebook(body: CasesBody, caller: Caller = who) -> Response:
        """Ask a text its cases; `contradictions` say where it answers otherwise."""
        check_operator(caller, "test rules here")
        return answer(try_cases(body.text, body.name, body.cases))

    @api.post("/rulebooks/diff", tags=["rules"], responses=told(Foreseen))
    def foresee_a_rulebook(body: RulebookBody, caller: Caller = who) -> Response:
        """Say what a text would change of all that is stored, before anybody applies it."""
        return answer(foresee_rules(node, caller, body.text, body.name))


def add_rule_acts(api: APIRouter, node: Node, who: Caller) -> None:
    """Add the routes by which operators change the rules."""

    @api.post(
        "/rulebooks", tags=["rules"], status_code=201, responses=told(Proposed, 201, repeats=True)
    )
    def propose_a_rulebook(body: ProposalBody, caller: Caller = who) -> Response:
        """Propose a rulebook; one that lets nobody have more is in force at once.

        One that lets anybody have more is proposed and approved by persons who sign in at the
        console: a token is answered 403.
        """
        return answer_done(propose(node, caller, body.text, body.name, body.why))

    @api.post("/rulebooks/{number}/approve", tags=["rules"], responses=told(Proposed))
    def approve_a_rulebook(number: Number, caller: Caller = who) -> Response:
        """Put in force what another operator proposed: no token may, a person signs in for it."""
        return answer_done(approve(node, caller, number), 200)

    @api.post("/rulebooks/{number}/reject", tags=["rules"], responses=told(Proposed))
    def reject_a_rulebook(number: Number, body: RejectionBody, caller: Caller = who) -> Response:
        """Turn a proposal down; its author may, too."""
        return answer_done(reject(node, caller, number, body.reason), 200)
