"""Rulebooks that differ from the shipped one in one thing, and two operators who apply them."""

from node.actions.caller import Caller
from node.actions.rulebooks import Proposed, approve, propose
from node.node import Node
from policies.rulebook import shipped

NATIONAL = shipped("national").text

TIGHTER = (
    NATIONAL
    + """
@id("no.green-to-be")
@reason("nothing but TLP:CLEAR goes to Belgium for now")
forbid (principal in Role::"member", action, resource)
when { principal.country == "BE" && resource.tlp >= 2 };
"""
)
"""BE loses what is GREEN."""

FINANCE_TO_DE = (
    NATIONAL
    + """
@id("de.finance-alone")
@reason("what concerns finance goes to Germany alone")
forbid (principal, action, resource)
when { resource.categories.contains(Category::"finance") }
unless { principal.country == "DE" || context.client || context.own };
"""
)
"""Everybody but DE loses what concerns finance."""

CLINICAL_FREE = NATIONAL.replace('@id("hold.clinical")', '@id("hold.posture")').replace(
    'resource.categories.contains(Category::"clinical")',
    'resource.categories.contains(Category::"security-posture")',
)
"""Clinical impact is no longer held, what tells of somebody's protection is."""


def operator(node: Node, name: str = "amelie") -> Caller:
    return Caller(name, node.org, node.me, "operator")


def put_in_force(node: Node, text: str, name: str = "changed") -> Proposed:
    """Propose by one operator; let another approve where that is needed."""
    done = propose(node, operator(node), text, name, "a test")
    if done.about.state == "waiting":
        done = approve(node, operator(node, "bernard"), done.about.number)
    assert done.about.state == "in force"
    return done
