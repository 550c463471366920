"""The roster's door: open to anybody for what is signed, shut for whatever does not prove itself."""

import orjson
import pytest

from federation.call import Call, Reply
from federation.gossip import ENROLMENTS_PATH, ENTRIES_PATH, ROSTER_PATH
from node.actions.roster import trusted
from node.actions.rostering import own_signed
from tests.node.federation.rostered import Doors, federate, version_at
from tests.node.federation.world import World


@pytest.fixture
def doors(world: World) -> Doors:
    return federate(world)


def ask(doors: Doors, method: str, path: str, at: str = "HUB", body: bytes = b"") -> Reply:
    peer = doors.world.peer("FR" if at == "HUB" else "HUB", at)
    return doors.send(Call(method, path, body=body), peer)


def test_a_stranger_gets_what_he_does_not_hold_and_nothing_else(world: World, doors: Doors) -> None:
    version = version_at(world, "BE")
    everything = ask(doors, "GET", f"{ROSTER_PATH}?root=0&roster=0", "BE")
    told = orjson.loads(everything.body)
    assert (everything.status, len(told["roots"]), told["roster"] is None) == (200, 1, False)
    held = trusted(world["BE"])
    assert held is not None
    assert orjson.dumps(told["roots"][0]) == held.root.envelope
    nothing = ask(doors, "GET", f"{ROSTER_PATH}?root=1&roster={version}", "BE")
    assert orjson.loads(nothing.body) == {"roots": [], "roster": None}


@pytest.mark.parametrize(
    "query",
    ["root=x", "root=-1", "root=1&root=1", "who=1", "root=", "root=01", "root=1" + "0" * 99],
)
def test_an_odd_query_is_refused(doors: Doors, query: str) -> None:
    assert ask(doors, "GET", f"{ROSTER_PATH}?{query}").status == 400


@pytest.mark.parametrize("path", [ENROLMENTS_PATH, ENTRIES_PATH])
@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"x" * 600_000])
def test_what_proves_nothing_is_refused(doors: Doors, path: str, body: bytes) -> None:
    assert ask(doors, "POST", path, body=body).status == 400


def test_nodes_take_neither_enrolments_nor_entries(world: World, doors: Doors) -> None:
    entry = own_signed(world["FR"])
    assert ask(doors, "POST", ENTRIES_PATH, "BE", entry).status == 409
    assert ask(doors, "POST", ENROLMENTS_PATH, "BE", b"{}").status == 409
    assert ask(doors, "POST", ENTRIES_PATH, "HUB", entry).status == 204
