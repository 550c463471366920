"""What an operator must not overlook stands on the peers' page and in the API's answer."""

from node.storage.quarantine import QuarantineRow, add_quarantine
from tests.node.api.hall import BE, Hall

EVENT = "6f0c6a1e-1111-4222-8333-444455556666"


def refuse(hall: Hall, *, in_force: bytes | None) -> None:
    now = hall.node.clock()
    seen = None if in_force is None else now
    src = None if in_force is None else BE
    row = QuarantineRow(
        BE, 7, BE, EVENT, 5, "equivocation: x", b"{}", b"x", now, in_force, src, seen
    )
    with hall.node.store.write() as unit:
        assert add_quarantine(unit.connection, row)


def test_two_statements_for_one_version_are_told_in_words(hall: Hall) -> None:
    refuse(hall, in_force=b"x")
    page = hall.browser("amelie").get("/console/peers").text
    assert "two statements" in page
    assert f"node BE signed two statements for one version of event {EVENT}." in page
    assert "isac quarantine export 1" in page
    [told] = hall.api("amelie").get("/peers").json()["equivocations"]
    assert (told["id"], told["origin"], told["event"]) == (1, BE, EVENT)
    assert told["told"] in page.replace("&#39;", "'")


def test_what_is_merely_refused_is_counted_and_no_alarm(hall: Hall) -> None:
    refuse(hall, in_force=None)
    page = hall.browser("amelie").get("/console/peers").text
    assert "two statements" not in page
    state = hall.api("amelie").get("/peers").json()
    assert state["equivocations"] == []
    assert [peer["quarantined"] for peer in state["peers"] if peer["org"] == BE] == [1]
