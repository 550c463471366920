"""What is remembered of peers: what they confirmed, which nonces are spent, what was refused."""

from datetime import timedelta

from node.storage.feed import confirmed_holders, rows_after
from node.storage.nonces import spend_nonce
from node.storage.peers import find_peer, lock_peers, note_ask
from node.storage.quarantine import QuarantineRow, add_quarantine, count_quarantined, quarantined
from policies.tlp import Tlp
from tests.node.federation.world import ORGS, World

FR, BE, DE = (ORGS[name] for name in ("FR", "BE", "DE"))


def confirmed(world: World, event: str) -> dict[str, str]:
    with world["FR"].store.read() as unit:
        return dict(confirmed_holders(unit.connection, FR, event))


def test_what_was_served_counts_as_held_only_when_the_peer_comes_back(both_worlds: World) -> None:
    world = both_worlds
    event = world.post("FR", "Phishing", values=["green.example"])
    world.project("FR")
    world.pull("BE", "FR")
    assert confirmed(world, event) == {}
    world.pull("BE", "FR")
    assert confirmed(world, event) == {BE: "PUT"}
    world.edit("FR", event, "Raised", Tlp.RED)
    world.project("FR")
    world.pull("BE", "FR")
    assert confirmed(world, event) == {BE: "PUT"}
    world.pull("BE", "FR")
    assert confirmed(world, event) == {BE: "WITHDRAW"}


def test_a_row_that_changed_after_it_was_served_is_not_confirmed_by_the_old_cursor(
    world: World,
) -> None:
    event = world.post("FR", "Phishing", values=["green.example"])
    world.project("FR")
    world.pull("BE", "FR")
    world.edit("FR", event, "Phishing", values=["other.example"])
    world.project("FR")
    with world["FR"].store.write() as unit:
        row = lock_peers(unit.connection, [BE])[BE]
        note_ask(unit.connection, row, pos=1, wants="own", at=world.clock())
        [waiting] = rows_after(unit.connection, BE, 1, 10)
    assert waiting.offer.pos == 2
    assert confirmed(world, event) == {}


def test_a_peer_that_begins_anew_takes_no_confirmation_back(world: World) -> None:
    event = world.post("FR", "Phishing", values=["green.example"])
    world.project("FR")
    world.pull("BE", "FR")
    world.pull("BE", "FR")
    with world["FR"].store.write() as unit:
        row = lock_peers(unit.connection, [BE])[BE]
        note_ask(unit.connection, row, pos=0, wants="own", at=world.clock())
    with world["FR"].store.read() as unit:
        peer = find_peer(unit.connection, BE)
    assert peer is not None
    assert peer.acked_pos == 1
    assert confirmed(world, event) == {BE: "PUT"}


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
