"""What staff see of the signed roster: a banner while it is old, and who waits for them."""

from dataclasses import replace
from datetime import timedelta

from federation.gossip import Gossip
from federation.members import endorse, sign_entry
from federation.trust import ROOT_TYPE, add_signature, unchecked_root, write_root, write_roster
from node.actions.roster import take, trust_root
from node.node import Node
from tests.federation.trusting import OFFLINE, ONLINE, keeper, key, public
from tests.node.api.hall import Hall

NEWCOMER = "1a6f1f3e-0009-4000-8000-000000000009"


def hold_roster(node: Node, *, late: timedelta) -> None:
    """The node trusts a root and holds a roster that ended so long ago, with a newcomer on it."""
    now = node.wall()
    envelope = write_root(
        version=1,
        expires=now + timedelta(days=300),
        threshold=3,
        keys=[public(name) for name in OFFLINE],
        online=[public(ONLINE)],
    )
    for name in OFFLINE[:3]:
        envelope = add_signature(ROOT_TYPE, envelope, keeper(name))
    trust_root(node, "shell", envelope, unchecked_root(envelope).fingerprint)
    facts = {
        "org": NEWCOMER,
        "name": "Node <b>",
        "role": "node",
        "country": "LU",
        "communities": [],
        "base_urls": ["https://lu.example"],
        "keys": [endorse(key("lu"), NEWCOMER, [keeper("lu")])],
    }
    roster = write_roster(
        version=7,
        issued=now - timedelta(days=7) - late,
        members=[sign_entry(facts, 1, [keeper("lu")])],
        revoked=(),
        removed=(),
        signers=[keeper(ONLINE)],
    )
    take(node, Gossip((), roster), "hub")


def test_a_node_without_a_signed_roster_is_told_nothing_of_it(hall: Hall) -> None:
    page = hall.browser("amelie").get("/console/peers").text
    assert "The signed roster" not in page
    assert "roster expired" not in page


def test_staff_see_on_every_page_that_the_roster_has_expired_and_hospitals_do_not(
    hall: Hall,
) -> None:
    hold_roster(replace(hall.node), late=timedelta(days=8))
    told = "The roster expired more than 7 days ago: no new members are accepted."
    for path in ("/console/peers", "/console/events"):
        page = hall.browser("amelie").get(path).text
        assert told in page
        assert 'class="tag bad">roster' in page
    assert told not in hall.browser("claire").get("/console/events").text


def test_who_waits_to_be_accepted_is_shown_with_its_fingerprint(hall: Hall) -> None:
    hold_roster(hall.node, late=timedelta(days=-6))
    page = hall.browser("amelie").get("/console/peers").text
    assert "Version 7, valid until" in page
    assert NEWCOMER in page
    assert "isac roster accept" in page
    assert "Node &lt;b&gt;" in page
    assert "roster expired" not in page
