"""Who reads what: of one incident, each in his own way; and answers that tell nothing of the rest."""

import pytest

from node.actions.errors import BadInputError, NotFoundError
from node.actions.explain import explain
from node.actions.publish import publish
from node.actions.read import list_events, read_event, read_report
from node.actions.search import search_values
from node.actions.submit import submit_event, submit_report
from sharing.view import to_json
from tests.node.actions.house import (
    BE,
    CANARIES,
    EARLY_WARNING,
    EVENT,
    FR,
    House,
    shown_fields,
    values,
)

MISSING = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize("asked", ["\0", f"{MISSING}\0", MISSING, "x" * 5000])
def test_what_can_be_no_id_is_simply_not_there(house: House, asked: str) -> None:
    done = submit_report(house.node, house.claire, EARLY_WARNING)
    for caller in (house.claire, house.amelie):
        with pytest.raises(NotFoundError):
            read_report(house.node, caller, asked)
    with pytest.raises(NotFoundError):
        explain(house.node, house.amelie, FR, done.event, asked)


def test_an_unpublished_incident_is_its_hospitals_and_its_nodes(house: House) -> None:
    done = submit_report(house.node, house.claire, EARLY_WARNING)
    for caller in (house.claire, house.amelie, house.reader):
        view = read_event(house.node, caller, FR, done.event)
        assert shown_fields(view)["summary_internal"] == EARLY_WARNING["summary_internal"]
        assert "10.20.30.40" in values(view)
        assert view.entity == "CH Val-Exemple"
    with pytest.raises(NotFoundError):
        read_event(house.node, house.other, FR, done.event)
    assert list_events(house.node, house.other).rows == ()
    assert search_values(house.node, house.other, "198.51.100.23") == ()


def test_another_hospital_sees_of_a_published_incident_what_the_table_lets_it(house: House) -> None:
    done = submit_report(house.node, house.claire, EARLY_WARNING)
    publish(house.node, house.amelie, FR, done.event)
    view = read_event(house.node, house.other, FR, done.event)
    fields = shown_fields(view)
    assert fields["summary_shareable"] == EARLY_WARNING["summary_shareable"]
    assert fields["affected_services"] == ["imaging_pacs_ris"]
    assert fields["supplier_name"] == "ImagoPartage Services"  # its own node's clients may know
    assert fields["occurred_from"] == "2026-01-27"
    assert view.entity == "a hospital in FR"
    assert view.notice == "some fields withheld"
    assert values(view) == {"198.51.100.23", "https://files.example.net/pacs/patch.bin"}
    shown = str(to_json(view))
    for secret in (*CANARIES, house.claire.org, "amelie", "claire", "data_breach"):
        assert secret not in shown


def test_a_report_log_is_never_read_as_an_event(house: House) -> None:
    submit_report(house.node, house.claire, EARLY_WARNING)
    with house.node.store.read() as unit:
        rows = unit.connection.exec_driver_sql("SELECT event FROM log WHERE type = 'report'")
        (report,) = rows.scalars()
    for caller in (house.claire, house.amelie):
        with pytest.raises(NotFoundError):
            read_event(house.node, caller, FR, report)
        assert report not in {row.event for row in list_events(house.node, caller).rows}


def test_what_is_not_there_and_what_may_not_be_seen_are_one_answer(house: House) -> None:
    done = submit_event(house.node, house.claire, {"Event": EVENT})
    answers = set()
    for origin, event in ((FR, done.event), (FR, MISSING), (BE, done.event), ("x", "y")):
        with pytest.raises(NotFoundError) as refused:
            read_event(house.node, house.other, origin, event)
        answers.add(str(refused.value))
    assert answers == {"no such event"}


def test_a_list_counts_and_pages_over_what_its_reader_may_see(house: House) -> None:
    for n in range(7):
        house.world.clock.turn(minutes=1)
        event = {"info": f"event {n}", "Attribute": [attribute(n, 0), attribute(n, 1)]}
        body = {"Event": event, "tlp": "green" if n % 2 else "red", "publish": True}
        submit_event(house.node, house.amelie, body)
    seen: list[str | None] = []
    after = None
    while True:
        page = list_events(house.node, house.other, after=after, limit=2)
        seen += [row.info for row in page.rows]
        assert all(row.attributes == 2 and not row.own for row in page.rows)
        after = page.next
        if after is None:
            break
    assert seen == ["event 5", "event 3", "event 1"]
    assert len(list_events(house.node, house.amelie).rows) == 7


def attribute(n: int, m: int) -> dict[str, str]:
    return {"type": "domain", "value": f"d{n}-{m}.example"}


def test_a_page_does_not_start_where_its_reader_cannot_see(house: House) -> None:
    hidden = submit_event(house.node, house.claire, {"Event": EVENT})
    for after in (f"{FR}.{hidden.event}", f"{FR}.{MISSING}", "nonsense"):
        with pytest.raises(BadInputError) as refused:
            list_events(house.node, house.other, after=after)
        assert str(refused.value) == "after: is not where a page ended"


def test_only_its_own_readers_learn_the_minute_an_event_came(house: House) -> None:
    done = submit_report(house.node, house.claire, EARLY_WARNING)
    publish(house.node, house.amelie, FR, done.event)
    (own,) = list_events(house.node, house.claire).rows
    (far,) = list_events(house.node, house.other).rows
    assert own.first_seen_at == house.world.clock.now
    assert own.incident
    assert far.first_seen_at.hour == far.first_seen_at.minute == 0
    assert not far.incident


def test_a_hit_tells_its_event_and_its_colour(house: House) -> None:
    done = submit_event(house.node, house.amelie, {"Event": EVENT, "tlp": "green", "publish": True})
    (hit,) = search_values(house.node, house.other, "LOGIN-portal.example ")
    assert (hit.event, hit.info, hit.tlp) == (done.event, EVENT["info"], "green")
    assert (hit.attribute, hit.type, hit.value) == (
        EVENT["Attribute"][0]["uuid"],
        "domain",
        "login-portal.example",
    )
    with pytest.raises(BadInputError):
        search_values(house.node, house.other, " ")
