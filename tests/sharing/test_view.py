"""A view shows what was disclosed, never more, in words for its reader."""

import re
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest
from hypothesis import given

from policies.decide import Judge
from policies.label import Label
from policies.rulebook import shipped
from policies.tlp import Pap, Tlp
from sharing.event import Audience, Draft, Mark, Tag
from sharing.project import Standing, project, withheld_grounds
from sharing.seal.holding import Holding
from sharing.seal.package import load_holding, write_package
from sharing.seal.records import Kind
from sharing.slots import Names, add_attributes, cut_event
from sharing.view import View, label_json, to_json, view
from tests.sharing.incidents.cassiopee import EVENT as INCIDENT
from tests.sharing.incidents.cassiopee import event_log, notified, report_log, submitted
from tests.sharing.making import (
    BE,
    DE,
    FR,
    HOSPITAL,
    NOW,
    OTHER_HOSPITAL,
    counting,
    party,
    received,
    resealed,
    sealed,
)
from tests.sharing.strategies import drafts
from tests.sharing.test_slots import EVENT, GREEN, attribute, held, uuid_source

JUDGE = Judge(shipped("national"))
PEER = Standing(own=False, client=False, direct=True, published=True)
CLIENT = replace(PEER, client=True)
FAR = party(OTHER_HOSPITAL, "hospital", "BE")


def seen(holding: Holding, org: str = BE) -> View:
    return view(
        holding, project(holding, party(org), PEER, JUDGE, (), NOW).masks, reader=party(org)
    )


def test_a_view_names_its_log_and_version() -> None:
    shown = seen(held(replace(EVENT, attributes=(attribute(),))))
    assert (shown.origin, shown.uuid, shown.log) == (FR, EVENT.uuid, "event")
    assert (shown.epoch, shown.seq, shown.sealed_at) == (0, 1, NOW.replace(microsecond=0))
    assert shown.event.attributes[0].value == "192.0.2.1"
    assert (shown.entity, shown.fields, shown.notice, shown.own) == ("", (), "", False)


@given(drafts)
def test_a_view_tells_nothing_that_was_not_disclosed(draft: Draft) -> None:
    holding = sealed(cut_event(draft, Names(counting())), draft.event.uuid)
    shown = seen(holding)
    masks = project(holding, party(BE), PEER, JUDGE, (), NOW).masks
    there = received(holding, dict(masks)) if masks else None
    if there is not None:
        assert view(there, there.masks, reader=party(BE)).event == shown.event
    else:
        assert not shown.event.attributes
        assert not shown.event.info


@given(drafts)
def test_any_view_is_json(draft: Draft) -> None:
    holding = sealed(cut_event(draft, Names(counting())), draft.event.uuid)
    plain = to_json(view(holding, holding.masks, reader=party(FR), own=True))
    assert orjson.loads(orjson.dumps(plain))["uuid"] == draft.event.uuid


def test_json_says_labels_in_words_and_leaves_out_what_is_empty() -> None:
    strict = attribute(2, mark=Mark(Label(Tlp.AMBER, Pap.RED), Audience(frozenset({BE}))))
    holding = held(replace(EVENT, attributes=(attribute(), strict), tags=(Tag("osint"),)))
    plain = to_json(view(holding, holding.masks, reader=party(FR), own=True))
    event = plain["event"]
    assert isinstance(event, dict)
    assert event["tags"] == [{"name": "osint"}]
    assert "objects" not in event
    attributes = event["attributes"]
    assert isinstance(attributes, list)
    labels = {a["uuid"]: a["label"] for a in attributes if isinstance(a, dict)}
    assert labels[strict.uuid] == label_json(Label(Tlp.AMBER, Pap.RED))
    assert plain["label"] == {
        "tlp": "green",
        "pap": "clear",
        "categories": [],
        "until": None,
        "only": False,
        "relay": True,
    }


def test_an_events_time_follows_its_versions_and_never_goes_back() -> None:
    first = held(replace(EVENT, attributes=(attribute(),)))
    assert seen(first).event.timestamp == EVENT.timestamp
    change = add_attributes(first, [attribute(2)], Names.of(first, uuid_source(first)))
    second = resealed(first, change, NOW + timedelta(days=1))
    assert seen(second).event.timestamp == int((NOW + timedelta(days=1)).timestamp())


def test_a_disclosed_tag_stricter_than_the_label_wins_and_a_looser_one_does_not() -> None:
    records = cut_event(
        Draft(replace(EVENT, attributes=(attribute(),)), GREEN, HOSPITAL), Names(counting())
    )
    tagged = cut_event(
        Draft(replace(EVENT, tags=(Tag("tlp:red"), Tag("tlp:clear"))), Label(Tlp.RED), HOSPITAL),
        Names(uuid_source(held(EVENT))),
    )
    tags = [
        replace(r, header=replace(r.header, labels=(2,)))
        for r in tagged
        if r.header.kind == Kind.EVENT_TAG
    ]
    assert seen(sealed([*records, *tags], EVENT.uuid)).label.tlp is Tlp.RED
    assert seen(sealed([*records, tags[1]], EVENT.uuid)).label.tlp is Tlp.GREEN


def test_readers_of_what_is_whole_are_told_nothing() -> None:
    holding = held(replace(EVENT, attributes=(attribute(),)))
    there = received(holding, dict(holding.masks))
    assert view(there, there.masks, reader=FAR).notice == ""
    assert view(holding, holding.masks, reader=FAR).notice == ""


def test_addressees_that_were_not_for_us_are_no_reason_for_a_notice() -> None:
    whole = replace(GREEN, only=True)
    holding = held(EVENT, whole, audience=Audience(frozenset({BE, DE})))
    there = received(holding, dict(project(holding, party(BE), PEER, JUDGE, (), NOW).masks))
    assert len(there.records) < there.statement.live
    assert view(there, there.masks, reader=party(BE)).notice == ""


def test_a_withheld_attribute_is_noticed_here_and_at_the_receiver() -> None:
    holding = held(
        replace(EVENT, attributes=(attribute(), attribute(2, mark=Mark(Label(Tlp.RED)))))
    )
    projection = project(holding, party(BE), PEER, JUDGE, (), NOW)
    assert seen(holding).notice == "some fields withheld"
    there = received(holding, dict(projection.masks))
    assert view(there, there.masks, reader=FAR).some_withheld
    blind = load_holding(write_package(holding, projection.masks, class_table=False))
    assert view(blind, blind.masks, reader=FAR).some_withheld
    told = withheld_grounds(projection)
    assert view(blind, blind.masks, reader=FAR, withheld=told).some_withheld


@pytest.mark.parametrize(
    ("entity_type", "entity"),
    [
        ("hospital_university", "a hospital in FR"),
        ("supplier_msp", "a supplier in FR"),
        ("emergency_medical_service", "a rescue service in FR"),
        ("other", "a health entity in FR"),
    ],
)
def test_far_readers_learn_what_kind_of_place_it_was(entity_type: str, entity: str) -> None:
    report = notified()
    log = event_log(replace(report, values={**report.values, "entity_type": entity_type}))
    shown = view(log, project(log, FAR, CLIENT, JUDGE, (), NOW).masks, reader=FAR)
    assert shown.entity == entity


def test_far_readers_get_no_time_of_day_anywhere() -> None:
    log = event_log(notified())
    shown = view(log, project(log, FAR, CLIENT, JUDGE, (), NOW).masks, reader=FAR)
    plain = orjson.dumps(to_json(shown)).decode()
    assert shown.sealed_at.hour == 0
    assert _times(plain) == []


def test_readers_of_a_plain_event_get_its_times_as_they_are() -> None:
    holding = held(replace(EVENT, attributes=(attribute(timestamp=1234567),)))
    assert view(holding, holding.masks, reader=FAR).event.attributes[0].timestamp == 1234567


def test_own_readers_see_indicators_once_with_all_their_words() -> None:
    report = notified()
    log, whole = event_log(report), report_log(report)
    shown = view(log, log.masks, reader=party(FR), report=whole, report_masks=whole.masks)
    assert len(shown.event.attributes) == len(report.indicators) == 15
    assert sum("context" in each.context for each in shown.event.attributes) == 15
    assert shown.own
    assert shown.entity == "CH Val-Exemple (fictitious)"
    uuids = {each.uuid for each in report.indicators if each.uuid in shown.shared}
    assert len(uuids) == 11


def test_own_readers_find_the_report_under_the_submitters_colour() -> None:
    report = notified()
    log, whole = event_log(report), report_log(report)
    shown = view(log, log.masks, reader=party(FR), report=whole, report_masks=whole.masks)
    title = shown.field("title")
    assert title is not None
    assert title.label.tlp is Tlp.AMBER_STRICT
    assert shown.shared["title"].tlp is Tlp.GREEN
    assert [each.name for each in shown.fields][:3] == ["report_id", "event_id", "stage"]


def test_a_voluntary_anonymous_notification_can_be_seen() -> None:
    report = submitted({"stage": "voluntary_notification", "title": "Near miss"}, NOW)
    log = event_log(
        replace(report, values={"title": "Near miss", "stage": "voluntary_notification"})
    )
    shown = view(log, project(log, FAR, CLIENT, JUDGE, (), NOW).masks, reader=FAR)
    assert shown.entity == "a health entity"
    assert shown.uuid == INCIDENT


def _times(plain: str) -> list[str]:
    return [t for t in re.findall(r"\dT(\d\d:\d\d(?::\d\d)?)", plain) if not t.startswith("00:00")]
