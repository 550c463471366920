"""Taking an event back: nothing of it is left but the word for it."""

import sqlite3
from contextlib import closing

import pytest

from node.actions.errors import BadInputError, NotAllowedError, NotFoundError
from node.actions.publish import publish
from node.actions.read import list_events, read_event, read_report
from node.actions.recall import recall
from node.actions.sealing import read_own
from node.actions.search import search_values
from node.actions.submit import submit_event, submit_report
from node.node import Node
from node.storage import audit
from node.storage.dirt import is_dirty
from node.storage.logs import best_holding, find_log
from sharing.seal.recall import verify_recall
from tests.node.actions.house import BE, EARLY_WARNING, EVENT, FR, NOTIFICATION, House, values


def test_a_recalled_event_leaves_a_signed_word_and_no_byte_of_its_body(house: House) -> None:
    done = submit_event(house.node, house.amelie, {"Event": EVENT, "tlp": "green", "publish": True})
    taken = recall(house.node, house.amelie, FR, done.event, "false_positive")
    assert (taken.epoch, taken.seq, taken.is_new) == (0, 1, True)
    with house.node.store.read() as unit:
        row = find_log(unit.connection, FR, done.event)
        assert best_holding(unit.connection, FR, done.event) is None
        assert is_dirty(unit.connection, FR, done.event)
        line = audit.latest(unit.connection, 1)[0]
        for table in ("entry", "log_class", "holding"):
            left = unit.connection.exec_driver_sql(f"SELECT count(*) FROM {table}")
            assert left.scalar_one() == 0
    assert row is not None
    assert row.is_recalled
    assert row.recall is not None
    said = verify_recall(row.recall, house.node.registry)
    assert (said.iss, said.event, said.reason) == (FR, done.event, "false_positive")
    assert (line.action, line.detail["reason"]) == ("event.recall", "false_positive")
    assert list_events(house.node, house.amelie).rows == ()
    assert search_values(house.node, house.amelie, "login-portal.example") == ()
    with pytest.raises(NotFoundError):
        read_event(house.node, house.amelie, FR, done.event)


def test_what_was_recalled_is_not_in_the_database_file_either(federated: House) -> None:
    node, file = federated.node, federated.node.settings.data / "isac.db"
    named = {"type": "domain", "category": "Network activity", "value": "gone.example"}
    event = {**EVENT, "Attribute": [named]}
    done = submit_event(node, federated.amelie, {"Event": event, "tlp": "green"})
    told = b"gone.example"  # in its index row; the package is compressed
    _checkpoint(node)
    assert told in file.read_bytes()
    recall(node, federated.amelie, FR, done.event, "error")
    _checkpoint(node)
    assert told not in file.read_bytes()


def _checkpoint(node: Node) -> None:
    """Move the write-ahead log into the file, and empty it."""
    with closing(sqlite3.connect(node.settings.data / "isac.db")) as connection:
        assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)


def test_a_recalled_event_is_not_published(house: House) -> None:
    done = submit_event(house.node, house.amelie, {"Event": EVENT, "tlp": "green"})
    recall(house.node, house.amelie, FR, done.event, "error")
    with pytest.raises(NotFoundError):
        publish(house.node, house.amelie, FR, done.event)


def test_recalling_again_changes_nothing(house: House) -> None:
    done = submit_event(house.node, house.amelie, {"Event": EVENT, "tlp": "green"})
    recall(house.node, house.amelie, FR, done.event, "error")
    with house.node.store.read() as unit:
        before = find_log(unit.connection, FR, done.event)
    assert not recall(house.node, house.amelie, FR, done.event, "legal").is_new
    with house.node.store.read() as unit:
        assert find_log(unit.connection, FR, done.event) == before


def test_only_an_operator_recalls_and_only_what_is_the_nodes(house: House) -> None:
    done = submit_event(house.node, house.claire, {"Event": EVENT, "tlp": "green"})
    for caller in (house.claire, house.reader):
        with pytest.raises(NotAllowedError):
            recall(house.node, caller, FR, done.event, "error")
    with pytest.raises(BadInputError):
        recall(house.node, house.amelie, FR, done.event, "because")
    for origin, event in ((BE, done.event), (FR, EARLY_WARNING["report_id"])):
        with pytest.raises(NotFoundError):
            recall(house.node, house.amelie, origin, event, "error")


def test_a_later_stage_does_not_bring_a_recalled_incident_back(house: House) -> None:
    done = submit_report(house.node, house.claire, EARLY_WARNING)
    publish(house.node, house.amelie, FR, done.event)
    recall(house.node, house.amelie, FR, done.event, "source_request")
    later = submit_report(house.node, house.claire, NOTIFICATION)
    assert later.event == done.event
    with house.node.store.read() as unit:
        assert best_holding(unit.connection, FR, done.event) is None
    assert len(read_report(house.node, house.claire, EARLY_WARNING["report_id"]).stages) == 2


def test_a_later_stage_does_not_bring_a_recalled_indicator_back(house: House) -> None:
    node, amelie = house.node, house.amelie
    done = submit_report(node, house.claire, EARLY_WARNING)
    view = read_event(node, amelie, FR, done.event)
    uuids = [one.uuid for one in view.event.attributes if one.value == "198.51.100.23"]
    assert recall(node, amelie, FR, done.event, "false_positive", uuids).is_new
    assert "198.51.100.23" in values(read_event(node, amelie, FR, done.event))  # his report says so
    everything = {**NOTIFICATION, "indicators": EARLY_WARNING["indicators"], "title": "Still so"}
    for stage in (NOTIFICATION, everything):
        before = leaving(house, done.event)
        submit_report(node, house.claire, stage)
        assert leaving(house, done.event) != before
        assert b"198.51.100.23" not in leaving(house, done.event)
        assert b"files.example.net" in leaving(house, done.event)
    assert not recall(node, amelie, FR, done.event, "error", uuids).is_new


def leaving(house: House, event: str) -> bytes:
    """All of an incident that is sealed to leave, whoever may have it."""
    with house.node.store.read() as unit:
        own = read_own(unit, FR, event)
    assert own is not None
    return b"".join(own.holding.disclosure.slots)
