"""What is remembered of peers: what they confirmed, which nonces are spent, what was refused."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Row, select

from federation.call import Reply
from node.actions.caller import Caller
from node.actions.disclosed import Had, who_had_event, who_had_value
from node.actions.errors import BadInputError, NotAllowedError, NotFoundError
from node.actions.ledger import is_proven
from node.actions.people import local_party
from node.storage.feed import rows_after
from node.storage.ledger import acknowledgements_for, given_of
from node.storage.nonces import spend_nonce
from node.storage.peers import find_peer, lock_peers, note_ask
from node.storage.people import Org
from node.storage.quarantine import QuarantineRow, add_quarantine, count_quarantined, quarantined
from node.storage.store import Unit
from node.storage.tables import log
from node.storage.tables_feed import ledger_record
from policies.tlp import Tlp
from tests.conftest import ROOT
from tests.node.federation.world import ORGS, World
from tests.node.nodes import HOSPITAL

FR, BE, DE = (ORGS[name] for name in ("FR", "BE", "DE"))


def told(world: World, event: str) -> list[tuple[str, str, bool]]:
    """Line by line: to whom, what, and whether it was confirmed."""
    lines = who_had_event(world["FR"], staff(world), FR, event).lines
    return [(line.party_name, line.op, line.confirmed_at is not None) for line in lines]


def staff(world: World) -> Caller:
    node = world["FR"]
    return Caller("amelie", node.org, node.me, "operator")


def who_had(world: World, value: str) -> list[Had]:
    return sorted(who_had_value(world["FR"], staff(world), value), key=lambda had: had.party_name)


def test_what_was_given_counts_as_held_only_when_the_peer_comes_back(both_worlds: World) -> None:
    world = both_worlds
    event = world.post("FR", "Phishing", values=["green.example"])
    world.project("FR")
    assert told(world, event) == []
    world.pull("BE", "FR")
    assert told(world, event) == [("node BE", "PUT", False)]
    world.pull("BE", "FR")
    assert told(world, event) == [("node BE", "PUT", True)]
    world.edit("FR", event, "Raised", Tlp.RED)
    world.project("FR")
    world.pull("BE", "FR")
    assert told(world, event)[1:] == [("node BE", "WITHDRAW", False)]
    world.pull("BE", "FR")
    assert told(world, event)[1:] == [("node BE", "WITHDRAW", True)]


def test_who_has_seen_this_indicator(both_worlds: World) -> None:
    world = both_worlds
    began = world.clock()
    event = world.post("FR", "Phishing", values=["green.example", "other.example"])
    secret = world.post("FR", "Ours", Tlp.RED, values=["secret.example"])
    world.settle()
    had = who_had(world, " GREEN.example ")  # however it is spelled
    assert [each.party_name for each in had] == ["hub", "node BE", "node DE"]
    rules = world["FR"].judge.rulebook.digest
    for each in had:
        assert (each.event, each.what, each.way, each.rulebook) == (event, "domain", "feed", rules)
        assert each.until is None
        assert each.proven
        assert began <= each.given_at <= (each.confirmed_at or began)
    assert who_had(world, "secret.example") == []
    assert told(world, secret) == []
    assert who_had(world, "green") == []


@pytest.mark.parametrize("ending", ["recall", "raise", "edit"])
def test_the_ledger_outlives_what_it_tells_of(world: World, ending: str) -> None:
    event = world.post("FR", "Phishing", values=["green.example", "other.example"])
    world.settle()
    world.clock.turn(days=1)
    ended = world.clock()
    if ending == "recall":
        world.recall("FR", event)
    elif ending == "raise":
        world.edit("FR", event, "Phishing", Tlp.RED, ["green.example", "other.example"])
    else:
        world.edit("FR", event, "Phishing", values=["other.example"])
    world.settle()
    had = who_had(world, "green.example")
    assert [each.party_name for each in had] == ["hub", "node BE", "node DE"]
    for each in had:
        assert each.until is not None
        assert each.until_confirmed_at is not None
        assert each.given_at < ended <= each.until <= each.until_confirmed_at
        assert each.ended_by == {"recall": "RECALL", "raise": "WITHDRAW", "edit": "erased"}[ending]
    still = [each.until for each in who_had(world, "other.example")]
    assert (still == [None] * 3) is (ending == "edit")
    with world["FR"].store.read() as unit:
        kept = str(unit.connection.execute(select(ledger_record)).all())
    assert "green.example" not in kept


def test_what_is_taken_back_and_given_again_is_two_stretches(world: World) -> None:
    event = world.post("FR", "Phishing", values=["green.example"])
    world.settle()
    world.edit("FR", event, "Phishing", Tlp.RED, ["green.example"])
    world.settle()
    world.edit("FR", event, "Phishing", Tlp.GREEN, ["green.example"])
    world.settle()
    for name in ("hub", "node BE", "node DE"):
        first, second = (
            each for each in who_had(world, "green.example") if each.party_name == name
        )
        assert (first.until is None, second.until is None) == (False, True)


def test_a_page_that_was_lost_is_one_line_and_a_peer_that_is_silent_confirms_nothing(
    world: World,
) -> None:
    event = world.post("FR", "Phishing", values=["green.example"])
    world.project("FR")
    world.memory.spoil = lambda call, reply: Reply(502, {}, b"")
    for _ in range(3):
        world.pull("BE", "FR")
    assert told(world, event) == [("node BE", "PUT", False)]
    (had,) = who_had(world, "green.example")
    assert (had.confirmed_at, had.proven) == (None, False)


def test_a_version_nobody_confirmed_before_the_next_came_is_not_forgotten(world: World) -> None:
    event = world.post("FR", "Phishing", values=["green.example"])
    world.project("FR")
    world.pull("BE", "FR")
    world.edit("FR", event, "Phishing", values=["other.example"])
    world.project("FR")
    world.pull("BE", "FR")
    assert told(world, event) == [("node BE", "PUT", True), ("node BE", "PUT", False)]
    (had,) = who_had(world, "green.example")
    assert had.until is not None


def test_each_record_names_who_has_it_and_who_only_had_it(world: World) -> None:
    event = world.post("FR", "Phishing", values=["green.example"])
    world.settle()
    world.edit("FR", event, "Phishing", values=["other.example"])
    world.settle()
    book = who_had_event(world["FR"], staff(world), FR, event)
    domains = [thing for thing in book.things if thing.what == "domain"]
    everybody = {"hub", "node BE", "node DE"}
    assert [(set(each.has), set(each.had)) for each in domains] == [
        (set(), everybody),
        (everybody, set()),
    ]
    assert set(domains[1].has.values()) == {("head",)}
    assert book.more == 0


def test_an_acknowledgement_is_the_peers_own_signed_request(world: World) -> None:
    world.post("FR", "Phishing", values=["green.example"])
    world.settle()
    with world["FR"].store.read() as unit:
        given = given_of(unit.connection, [(FR, row.event) for row in _events(unit)])
        acks = set(acknowledgements_for(unit.connection, given).values())
    assert {ack.party for ack in acks} == {BE, DE, ORGS["HUB"]}
    for ack in acks:
        assert is_proven(world["FR"], ack)
        assert not is_proven(world["FR"], replace(ack, party=FR))
        assert not is_proven(world["FR"], replace(ack, request=None))
        for spoilt in (b"", b"[]", (ack.request or b"").replace(b"feed?", b"feed?x&")):
            assert not is_proven(world["FR"], replace(ack, request=spoilt))


def test_the_ledger_is_for_the_staff_and_an_events_lines_for_its_source(world: World) -> None:
    event = world.post("FR", "Phishing", values=["green.example"])
    world.settle()
    hospital = local_party(Org(HOSPITAL, "CH", "hospital", "FR"))
    stranger = Caller("claire", HOSPITAL, hospital, "hospital")
    with pytest.raises(NotAllowedError):
        who_had_value(world["FR"], stranger, "green.example")
    with pytest.raises(NotFoundError):
        who_had_event(world["FR"], stranger, FR, event)
    with pytest.raises(NotFoundError):
        who_had_event(world["FR"], staff(world), BE, event)
    with pytest.raises(BadInputError):
        who_had_value(world["FR"], staff(world), " ")


def test_nothing_ever_changes_a_line_of_the_ledger() -> None:
    """Of all that the program says to the database, only inserts name the ledger's tables."""
    tables = ("ledger", "ledger_ack", "ledger_item", "ledger_record", "act", "act_slot")
    changed = re.compile(rf"(?:update|delete|upsert)\((?:\w+, )?(?:{'|'.join(tables)})\b")
    for path in sorted((ROOT / "node" / "storage").glob("*.py")):
        assert not changed.search(path.read_text()), path.name


def test_a_row_that_changed_after_it_was_given_is_not_confirmed_by_the_old_cursor(
    world: World,
) -> None:
    event = world.post("FR", "Phishing", values=["green.example"])
    world.project("FR")
    world.pull("BE", "FR")
    world.edit("FR", event, "Phishing", values=["other.example"])
    world.project("FR")
    with world["FR"].store.write() as unit:
        row = lock_peers(unit.connection, [BE])[BE]
        now = world.clock()
        assert note_ask(unit.connection, row, pos=1, wants="own", at=now, again_by=now)
        [waiting] = rows_after(unit.connection, BE, 1, 10)
    assert waiting.offer.pos == 2


def test_a_peer_that_begins_anew_takes_no_confirmation_back(world: World) -> None:
    event = world.post("FR", "Phishing", values=["green.example"])
    world.project("FR")
    world.pull("BE", "FR")
    world.pull("BE", "FR")
    with world["FR"].store.write() as unit:
        row = lock_peers(unit.connection, [BE])[BE]
        now = world.clock()
        assert not note_ask(unit.connection, row, pos=0, wants="own", at=now, again_by=now)
    with world["FR"].store.read() as unit:
        peer = find_peer(unit.connection, BE)
    assert peer is not None
    assert peer.acked_pos == 1
    assert told(world, event) == [("node BE", "PUT", True)]


def _events(unit: Unit) -> list[Row[Any]]:
    return list(unit.connection.execute(select(log.c.event)))


def test_a_nonce_counts_once_until_its_request_has_expired(both_worlds: World) -> None:
    now = both_worlds.clock()
    until = now + timedelta(minutes=5)
    with both_worlds["FR"].store.write() as unit:
        conn = unit.connection
        assert spend_nonce(conn, "kid", "nonce", now=now, until=until)
        assert not spend_nonce(conn, "kid", "nonce", now=now, until=until)
        assert spend_nonce(conn, "another kid", "nonce", now=now, until=until)
        assert spend_nonce(conn, "kid", "nonce", now=until, until=until + timedelta(minutes=5))


def test_the_same_refusal_twice_is_kept_once_with_its_bytes(both_worlds: World) -> None:
    row = QuarantineRow(
        src=BE,
        pos=3,
        origin=BE,
        event="5e1f8a30-7d1c-4b5e-9a2f-6d5c4b3a2f10",
        check=5,
        reason="seal check 5: root",
        item_line=b"{}",
        raw=b"\x00bytes\xff",
        received_at=both_worlds.clock(),
    )
    with both_worlds["FR"].store.write() as unit:
        assert add_quarantine(unit.connection, row)
        assert not add_quarantine(unit.connection, row)
    with both_worlds["FR"].store.read() as unit:
        assert quarantined(unit.connection, BE) == (row,)
        assert quarantined(unit.connection, DE) == ()
        assert count_quarantined(unit.connection) == {BE: 1}
