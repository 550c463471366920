"""Urgent events told to hospitals: to whom, what, once; acknowledged, or told again."""

from dataclasses import replace
from typing import Any

import pytest

from federation.transport import Transport
from node.actions.alerts import decide, list_waiting, send_alert
from node.actions.alerts_ack import (
    acknowledge,
    escalate_due,
    overdue_states,
    set_contacts,
    set_webhook,
    states_of,
)
from node.actions.alerts_send import PATIENCE, deliver_due, webhook_headers, webhook_secret
from node.actions.alerts_tell import Alert, as_machine, newest_alerts, tell_due
from node.actions.caller import Caller
from node.actions.errors import BadInputError, NotAllowedError, NotFoundError
from node.actions.recall import recall
from node.node import Node
from node.storage import alert_ways
from node.storage.feed import rows_after
from policies.label import Label
from policies.tlp import Tlp
from sharing.event import Audience
from tests.node.actions.house import BE, ESSAIS, FR, VAL, House


def seen(node: Node, caller: Caller) -> list[tuple[int, str, str | None]]:
    return [(one.number, one.kind, one.info) for one in newest_alerts(node, caller)]


def sent(house: House, tlp: Tlp = Tlp.GREEN, info: str = "Ransomware", **more: Any) -> str:
    event = house.world.post("FR", info, tlp, ["c2.example"], published=False, **more)
    assert send_alert(house.node, house.amelie, FR, event).is_new
    return event


def setting(house: House, **changed: Any) -> Node:
    """The node with other settings, from now on."""
    settings = house.node.settings.model_copy(update=changed)
    node = replace(house.node, settings=settings)
    house.world.nodes["FR"] = node
    return node


def test_an_alert_is_published_urgent_to_peers_and_told_to_every_hospital_that_may_see_it(
    house: House,
) -> None:
    event = sent(house)
    for caller in (house.claire, house.other, house.amelie):
        assert seen(house.node, caller) == [(1, "alert", "Ransomware")]
    house.world.project("FR")
    with house.node.store.read() as unit:
        (row,) = rows_after(unit.connection, BE, 0, 9)
    assert (row.offer.event, row.offer.urgent) == (event, True)


def test_an_alert_amber_for_another_hospital_is_not_told_and_leaves_no_gap(house: House) -> None:
    only = Label(Tlp.AMBER, only=True)
    sent(house, info="For Val alone", label=only, audience=Audience(frozenset({VAL.org})))
    sent(house, info="For everybody")
    assert seen(house.node, house.other) == [(1, "alert", "For everybody")]
    assert [number for number, _, _ in seen(house.node, house.claire)] == [2, 1]


def test_red_is_never_told_to_a_machine(house: House) -> None:
    sent(house, Tlp.RED, "Red canary", audience=Audience(frozenset({VAL.org})))
    assert seen(house.node, house.amelie) == [(1, "alert", "Red canary")]
    assert seen(house.node, as_machine(house.amelie)) == []
    assert seen(house.node, as_machine(house.claire)) == []


def test_the_same_version_is_told_once_and_the_next_as_an_update(house: House) -> None:
    event = sent(house)
    assert not send_alert(house.node, house.amelie, FR, event).is_new
    house.world.edit("FR", event, "Ransomware, now with a key")
    assert send_alert(house.node, house.amelie, FR, event).is_new
    assert [kind for _, kind, _ in seen(house.node, house.claire)] == ["update", "alert"]


def test_what_was_narrowed_after_it_was_told_is_not_shown_any_more(house: House) -> None:
    event = sent(house)
    named, only = Audience(frozenset({VAL.org})), Label(Tlp.AMBER, only=True)
    house.world.edit("FR", event, "For Val alone", label=only, audience=named)
    assert seen(house.node, house.other) == []


def test_a_recall_is_told_to_those_who_were_told_and_says_nothing_else(house: House) -> None:
    event = sent(house)
    recall(house.node, house.amelie, FR, event, "error")
    tell_due(house.node)
    newest = newest_alerts(house.node, house.claire)[0]
    assert (newest.kind, newest.info, newest.tlp) == ("withdrawn", None, None)


def test_only_an_operator_sends_alerts_and_only_of_this_node(house: House) -> None:
    event = house.world.post("FR", "Ransomware", published=False)
    for caller in (house.claire, house.reader):
        with pytest.raises(NotAllowedError):
            send_alert(house.node, caller, FR, event)
    with pytest.raises(NotFoundError):
        send_alert(house.node, house.amelie, BE, event)


@pytest.mark.parametrize(
    ("announce", "listed", "told"),
    [("all", [], 1), ("listed", [BE], 1), ("listed", [], 0), ("analyst", [BE], 0)],
)
def test_an_urgent_event_of_another_member_is_told_by_this_nodes_rule_alone(
    federated: House, announce: str, listed: list[str], told: int
) -> None:
    node = setting(federated, announce=announce, announce_from=frozenset(listed))
    federated.world.post("BE", "Ransomware in BE", urgent=True)
    federated.world.project("BE")
    federated.world.pull("FR", "BE")
    tell_due(node)
    assert len(seen(node, federated.claire)) == told
    assert len(list_waiting(node, federated.reader)) == 1 - told


def test_what_waits_is_told_or_dropped_by_an_analyst_and_by_nobody_else(federated: House) -> None:
    world, node = federated.world, federated.node
    for info in ("First", "Second"):
        world.post("BE", info, urgent=True)
    world.project("BE")
    world.pull("FR", "BE")
    first, second = list_waiting(node, federated.reader)
    with pytest.raises(NotAllowedError):
        decide(node, federated.claire, first.number, tell=True)
    assert decide(node, federated.reader, second.number, tell=True).is_new
    assert decide(node, federated.reader, first.number, tell=False).is_new
    assert not decide(node, federated.reader, first.number, tell=True).is_new
    assert [info for _, _, info in seen(node, federated.claire)] == [second.info]
    assert list_waiting(node, federated.reader) == ()


def test_one_version_that_comes_from_two_sources_is_told_once(federated: House) -> None:
    world = federated.world
    node = setting(federated, announce="all")
    world.post("BE", "Ransomware in BE", urgent=True)
    world.settle()
    tell_due(node)
    assert len(seen(node, federated.claire)) == 1


def test_the_first_acknowledgement_of_an_organisation_counts(house: House) -> None:
    event = sent(house)
    first = acknowledge(house.node, house.claire, 1)
    house.world.clock.turn(minutes=5)
    again = acknowledge(house.node, replace(house.claire, name="night shift"), 1)
    assert (first.seen_by, first.is_new) == ("claire", True)
    assert (again.seen_by, again.seen_at, again.is_new) == ("claire", first.seen_at, False)
    by_org = {one.org: one.seen_by for one in states_of(house.node, house.amelie, FR, event)}
    assert by_org == {VAL.org: "claire", ESSAIS.org: None, FR: None}


def test_nobody_acknowledges_for_others_or_reads_who_has(house: House) -> None:
    event = sent(house)
    with pytest.raises(NotFoundError):
        acknowledge(house.node, house.claire, 2)
    with pytest.raises(NotAllowedError):
        states_of(house.node, house.claire, FR, event)


def test_an_alert_nobody_acknowledged_in_time_goes_to_the_second_contact_once(
    house: House,
) -> None:
    node = setting(house, escalate_after_min=30)
    for caller in (house.claire, house.other):
        set_contacts(node, caller, mail="", second_mail="boss@hospital.example", language="fr")
    sent(house)
    acknowledge(node, house.claire, 1)
    house.world.clock.turn(minutes=29)
    assert escalate_due(node) == 0
    assert overdue_states(node, house.amelie) == ()
    house.world.clock.turn(minutes=1)
    assert escalate_due(node) == 1
    assert escalate_due(node) == 0
    (late,) = overdue_states(node, house.amelie)
    assert (late.org, late.overdue) == (ESSAIS.org, True)
    assert [one.way for one in late.deliveries] == ["second"]
    acknowledge(node, house.other, 1)
    assert overdue_states(node, house.amelie) == ()


class Hook:
    """Somebody who is called, and answers as told."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.calls: list[tuple[str, Any]] = []

    def status_of(self, call: Any, base_url: str) -> int:
        self.calls.append((base_url, call))
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


def hooked(house: House) -> str:
    return set_webhook(house.node, house.claire, "https://siem.example.org/hook?a=1").secret


def test_a_webhook_gets_the_alert_signed_and_is_not_called_again(house: House) -> None:
    secret = hooked(house)
    hook = Hook(200)
    sent(house)
    assert deliver_due(house.node, hook) == 1
    assert deliver_due(house.node, hook) == 0
    ((base, call),) = hook.calls
    assert (base, call.path) == ("https://siem.example.org", "/hook?a=1")
    assert b"Ransomware" in call.body
    at = house.world.clock()
    signed = webhook_headers(secret, call.headers["webhook-id"], at, call.body)
    assert signed.items() <= call.headers.items()


def test_a_webhook_is_never_told_what_a_machine_may_not_see(house: House) -> None:
    set_webhook(house.node, house.amelie, "https://siem.example.org/hook")
    hook = Hook(200)
    sent(house, Tlp.RED, "Red canary")
    assert deliver_due(house.node, hook) == 1
    assert hook.calls == []


def test_a_webhook_that_fails_is_tried_later_and_dead_after_three_days(house: House) -> None:
    hooked(house)
    hook = Hook(500)
    event = sent(house)
    deliver_due(house.node, hook)
    assert deliver_due(house.node, hook) == 0
    house.world.clock.turn(minutes=16)
    assert deliver_due(house.node, hook) == 1
    house.world.clock.turn(seconds=PATIENCE.total_seconds())
    assert deliver_due(house.node, hook) == 1
    house.world.clock.turn(days=1)
    assert deliver_due(house.node, hook) == 0
    states = {one.org: one.deliveries for one in states_of(house.node, house.amelie, FR, event)}
    (told,) = states[VAL.org]
    assert (told.state, told.status, told.tries) == ("dead", "500", 3)


@pytest.mark.parametrize(
    "url",
    [
        "http://siem.example.org/hook",
        "https://127.0.0.1/hook",
        "https://[::1]/hook",
        "https://10.0.0.1:8443/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/hook",
        "https://user:pass@siem.example.org/",
        "https://fr.example.org/console",
        "ftp://siem.example.org",
        "https://siem.example.org/a b",
        "https://siem.example.org/#x",
        "https://siem.example.org/" + "a" * 3000,
    ],
)
def test_an_address_inside_or_odd_is_no_webhook(house: House, url: str) -> None:
    with pytest.raises(BadInputError):
        set_webhook(house.node, house.claire, url)


def test_a_name_that_leads_inside_is_not_connected_to(house: House) -> None:
    set_webhook(house.node, house.claire, "https://rebound.example.org/hook")
    event = sent(house)
    inside = Transport(resolve=lambda host, port: ["10.0.0.1"])
    deliver_due(house.node, inside)
    states = {one.org: one.deliveries for one in states_of(house.node, house.amelie, FR, event)}
    (told,) = states[VAL.org]
    assert (told.state, told.status) == ("waiting", "NotAllowedHostError")


def test_a_webhooks_secret_is_in_no_row_and_another_each_time(house: House) -> None:
    first, second = hooked(house), hooked(house)
    assert first != second
    with house.node.store.read() as unit:
        way = alert_ways.find_way(unit.connection, VAL.org)
    assert webhook_secret(house.node, VAL.org, way.webhook_salt) == second
    assert second not in repr(way)


def test_contacts_of_another_organisation_are_an_operators_business(house: House) -> None:
    words = {"mail": "soc@hospital.example", "second_mail": "", "language": "de"}
    with pytest.raises(NotAllowedError):
        set_contacts(house.node, house.claire, **words, org=ESSAIS.org)
    assert set_contacts(house.node, house.amelie, **words, org=ESSAIS.org).language == "de"
    for wrong in ({"mail": "a@b\nBcc: c@d.example"}, {"mail": "nobody"}, {"language": "tlh"}):
        with pytest.raises(BadInputError):
            set_contacts(house.node, house.claire, **{**words, **wrong})


def test_an_alert_says_where_its_page_is(house: House) -> None:
    event = sent(house)
    alert: Alert = newest_alerts(house.node, house.claire)[0]
    assert alert.link == f"https://fr.example.org/console/events/{FR}/{event}"
    assert alert.tlp == "green"
