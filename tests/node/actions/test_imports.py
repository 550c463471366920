"""Bringing in MISP files: real ones, broken ones, the same one twice."""

from pathlib import Path

import orjson
import pytest

from node.actions.errors import BadInputError, ConflictError, NotAllowedError
from node.actions.imports import import_misp
from node.actions.read import list_events, read_event
from node.actions.search import search_values
from node.actions.towards import find_target, offer_to
from node.storage.logs import best_holding, find_log
from policies.tlp import Tlp
from sharing.formats.misp import BadMispError
from sharing.seal.package import load_holding
from tests.node.actions.house import BE, EVENT, FR, House, values

FILE = orjson.dumps(
    {
        "response": [
            {"Event": EVENT},
            {"Event": {**EVENT, "uuid": "5e1f8a30-7d1c-4b5e-9a2f-6d5c4b3a2f20"}},
        ]
    }
)


def rows(house: House) -> int:
    with house.node.store.read() as unit:
        return int(unit.connection.exec_driver_sql("SELECT count(*) FROM log").scalar_one())


def test_a_files_events_keep_their_uuids_and_stay_at_home_without_a_colour(house: House) -> None:
    done = import_misp(house.node, house.amelie, "two.json", FILE, tlp=None, publish=False)
    assert [one.done.event[-2:] for one in done] == ["10", "20"]
    assert all(one.done.is_new and one.done.origin == FR for one in done)
    view = read_event(house.node, house.amelie, FR, done[0].done.event)
    assert (view.label.tlp, view.published) == (Tlp.AMBER_STRICT, False)
    assert "unverified-origin" in view.label.categories
    assert list_events(house.node, house.other).rows == ()


def test_the_same_file_again_changes_nothing_and_says_so(house: House) -> None:
    first = import_misp(house.node, house.amelie, "two.json", FILE, tlp=Tlp.GREEN, publish=True)
    house.world.clock.turn(hours=1)
    again = import_misp(house.node, house.amelie, "two.json", FILE, tlp=Tlp.GREEN, publish=True)
    assert not any(one.done.is_new for one in again)
    assert [(one.done.event, one.done.seq) for one in again] == [
        (one.done.event, one.done.seq) for one in first
    ]
    assert rows(house) == 2


def test_what_was_held_goes_with_the_colour_it_is_given_later(house: House) -> None:
    held = import_misp(house.node, house.amelie, "two.json", FILE, tlp=None, publish=False)
    assert list_events(house.node, house.other).rows == ()
    gone = import_misp(house.node, house.amelie, "two.json", FILE, tlp=Tlp.GREEN, publish=True)
    assert [one.done.event for one in gone] == [one.done.event for one in held]
    assert all(one.published and one.done.is_new for one in gone)
    assert rows(house) == 2
    seen = {row.event for row in list_events(house.node, house.other).rows}
    view = read_event(house.node, house.amelie, FR, gone[0].done.event)
    assert (view.label.tlp, view.published) == (Tlp.GREEN, True)
    assert gone[0].done.event in seen


def test_what_is_published_keeps_its_colour(house: House) -> None:
    import_misp(house.node, house.amelie, "two.json", FILE, tlp=Tlp.GREEN, publish=True)
    with pytest.raises(ConflictError, match="another colour"):
        import_misp(house.node, house.amelie, "two.json", FILE, tlp=Tlp.CLEAR, publish=True)


@pytest.mark.parametrize("cut", [1, 20, len(FILE) // 2, len(FILE) - 1])
def test_a_file_that_was_cut_short_leaves_nothing(house: House, cut: int) -> None:
    with pytest.raises(BadMispError, match=r"two\.json"):
        import_misp(house.node, house.amelie, "two.json", FILE[:cut], tlp=Tlp.GREEN, publish=True)
    assert rows(house) == 0


def test_an_event_that_says_something_else_keeps_the_whole_file_out(house: House) -> None:
    one = orjson.dumps({"Event": {**EVENT, "info": "other words"}})
    import_misp(house.node, house.amelie, "one.json", one, tlp=Tlp.GREEN, publish=True)
    with pytest.raises(ConflictError, match=EVENT["uuid"]):
        import_misp(house.node, house.amelie, "two.json", FILE, tlp=Tlp.GREEN, publish=True)
    assert rows(house) == 1


def test_who_may_bring_in_and_publish(house: House) -> None:
    for caller, tlp, publish in ((house.reader, None, False), (house.claire, Tlp.GREEN, True)):
        with pytest.raises(NotAllowedError):
            import_misp(house.node, caller, "two.json", FILE, tlp=tlp, publish=publish)
    with pytest.raises(BadInputError):
        import_misp(house.node, house.amelie, "two.json", FILE, tlp=None, publish=True)
    done = import_misp(house.node, house.claire, "two.json", FILE, tlp=None, publish=False)
    assert read_event(house.node, house.claire, FR, done[0].done.event).own


def test_of_the_real_files_those_with_distribution_3_reach_a_peer(
    federated: House, shared_data: Path
) -> None:
    house, reached, refused, attributes = federated, 0, [], 0
    for path in sorted((shared_data / "real" / "misp-events").glob("*.json")):
        try:
            done = import_misp(
                house.node, house.amelie, path.name, path.read_bytes(), tlp=Tlp.GREEN, publish=True
            )
        except BadMispError:
            refused.append(path.name)
            continue
        for one in done:
            attributes += len(values(read_event(house.node, house.amelie, FR, one.done.event)))
            reached += bool(offered(house, one.done.event))
    assert refused == ["rqz-dnsduvel_blocklist.json"]
    assert reached == 18
    assert attributes > 1500


def offered(house: House, event: str) -> bytes:
    with house.node.store.read() as unit:
        log = find_log(unit.connection, FR, event)
        best = best_holding(unit.connection, FR, event)
        assert log is not None
        assert best is not None
        target = find_target(house.node, unit, log, best, BE)
    return offer_to(house.node, load_holding(best.package), target).package


def test_a_value_of_a_real_file_is_found_again(federated: House, shared_data: Path) -> None:
    raw = (shared_data / "real" / "misp-events" / "kamino.json").read_bytes()
    (one,) = import_misp(federated.node, federated.amelie, "m", raw, tlp=Tlp.GREEN, publish=True)
    seen = read_event(federated.node, federated.other, FR, one.done.event)
    found = sorted(filter(None, values(seen)))
    assert len(found) == 11
    for value in found:
        hits = search_values(federated.node, federated.other, value)
        assert value in {hit.value for hit in hits}
