"""Receipts: what was taken back is confirmed, what should not have come is refused, both signed."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from federation.call import Reply
from federation.errors import BadReceiptError
from federation.receipt import Outcome, Refusal, read_receipt, write_receipt
from node.actions.caller import Caller
from node.actions.confirmations import TakenBack, taken_back
from node.actions.evidence import list_refusals
from node.actions.receipts_got import (
    ContradictedError,
    UnknownItemError,
    answers_told,
    refused_of,
    refused_there,
    signed_receipt,
    take_receipt,
)
from node.storage.feed import OfferRow, put_rows
from node.storage.logs import best_holding
from node.storage.peers import lock_peers, set_head
from node.storage.quarantine import QuarantineRow, quarantined
from node.storage.receipts import due_now
from policies.label import Label
from policies.tlp import Tlp
from sharing.event import NOBODY, Audience, Draft, Tag
from sharing.seal.maps import encode_map
from sharing.seal.package import load_holding, projection_digest
from sharing.seal.records import Kind
from tests.node.federation.mischief import begin_anew_at, refusals
from tests.node.federation.ruling import TIGHTER, put_in_force
from tests.node.federation.world import (
    ORGS,
    CrashError,
    CrashingStore,
    World,
    draft,
    honest,
    open_world,
    url_of,
)

FR, BE, DE, HUB = (ORGS[name] for name in ("FR", "BE", "DE", "HUB"))


def staff(world: World, name: str = "FR") -> Caller:
    node = world[name]
    return Caller("amelie", node.org, node.me, "operator")


def status(world: World, event: str, at: str = "FR") -> TakenBack:
    return taken_back(world[at], staff(world, at), FR, event)


def test_a_recall_is_confirmed_party_by_party(both_worlds: World) -> None:
    world = both_worlds
    event = world.post("FR", "Phishing", values=["green.example"])
    world.settle()
    assert status(world, event).told == "nothing of it was taken back from anybody"
    world.recall("FR", event)
    assert status(world, event).told == ("confirmed by 0 of 3, pending 3: hub, node BE, node DE")
    world.project("FR")
    world.pull("BE", "FR")
    assert world.send_receipts("BE") == 1
    told = status(world, event)
    assert told.told == "confirmed by 1 of 3, pending 2: hub, node DE"
    assert [(one.party_name, one.op) for one in told.parties if one.confirmed_at] == [
        ("node BE", "RECALL")
    ]
    world.settle()
    world.send_receipts()
    assert status(world, event).told == "confirmed by 3 of 3"
    assert world.send_receipts() == 0


def test_a_relay_tells_anew_how_many_of_its_own_have_confirmed(world: World) -> None:
    event = world.post("FR", "Phishing", values=["green.example"])
    world.settle()
    world.recall("FR", event)
    world.project("FR")
    world.pull("HUB", "FR")
    world.send_receipts()
    assert passed_on(world, event) == [("hub", 2, 0)]
    for name in ("BE", "DE"):
        world.project("HUB")
        world.pull(name, "HUB")
        world.send_receipts(name)
    assert passed_on(world, event) == [("hub", 2, 0)]
    assert world.send_receipts("HUB") == 1
    assert passed_on(world, event) == [("hub", 2, 2)]
    assert status(world, event, at="HUB").told == "confirmed by 2 of 2"


@pytest.mark.parametrize(
    ("tlp", "values", "op"),
    [(Tlp.RED, ["a.example", "b.example"], "WITHDRAW"), (Tlp.GREEN, ["b.example"], "erase")],
)
def test_what_is_narrowed_is_confirmed_like_a_recall(
    world: World, tlp: Tlp, values: list[str], op: str
) -> None:
    event = world.post("FR", "Phishing", values=["a.example", "b.example"])
    world.settle()
    world.edit("FR", event, "Phishing", values=["a.example", "b.example", "c.example"])
    world.settle()
    assert world.send_receipts() == 0  # more, and nothing less
    world.edit("FR", event, "Phishing", tlp, values)
    world.project("FR")
    assert status(world, event).told.startswith("confirmed by 0 of 3, pending 3: ")
    world.settle()
    assert status(world, event).told.startswith("confirmed by 0 of 3, pending 3: ")
    world.send_receipts()
    told = status(world, event)
    assert told.told == "confirmed by 3 of 3"
    assert {one.op for one in told.parties} == {op}
    for one in told.parties:
        assert one.asked_at is not None
        assert one.asked_at <= (one.confirmed_at or one.asked_at)


def test_nothing_is_confirmed_while_another_source_gives_it_still(world: World) -> None:
    values = ["secret.example"]
    event = world.post("FR", "Phishing", values=values)
    world.settle()
    world.memory.down = {url_of("HUB")}
    world.edit("FR", event, "Phishing", Tlp.RED, values)
    world.project("FR")
    world.pull("BE", "FR")
    assert "secret.example" in world.text("BE", event)
    assert world.send_receipts("BE") == 0
    assert status(world, event).confirmed == 0
    world.memory.down = set()
    world.settle()
    assert world.text("BE", event) == ""
    world.send_receipts()
    assert status(world, event).told == "confirmed by 3 of 3"


def test_a_narrowing_is_not_confirmed_while_another_source_shows_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.node.federation.world.draft", with_a_green_part)
    event = world.post("FR", "Phishing", Tlp.CLEAR, ["green.example", "clear.example"])
    world.settle()
    put_in_force(world["FR"], TIGHTER)
    world.project("FR")
    world.pull("BE", "FR")
    assert shows_of_the_hubs(world, event, b"green.example")
    assert world.send_receipts("BE") == 0
    put_in_force(world["HUB"], TIGHTER)
    world.settle()
    assert not shows_of_the_hubs(world, event, b"green.example")
    assert "clear.example" in world.text("BE", event)
    world.send_receipts()
    assert status(world, event).told == "confirmed by 1 of 1"


def shows_of_the_hubs(world: World, event: str, value: bytes) -> bool:
    row = world.held_from("BE", event, "HUB")
    assert row is not None
    return value in b"".join(slot or b"" for slot in load_holding(row.package).disclosure.slots)


def with_a_green_part(*given: Any) -> Draft:
    made = draft(*given)
    first, *others = made.event.attributes
    green = replace(first, tags=(Tag("tlp:green"),))
    return replace(made, event=replace(made.event, attributes=(green, *others)))


@pytest.mark.parametrize("once", [False, True])
def test_who_refused_what_is_taken_back_confirms_it_and_keeps_no_bytes_of_it(
    world: World, *, once: bool
) -> None:
    values = ["gone.example", "kept.example"]
    event = world.post("FR", "Phishing", values=values[1:] if once else values)
    if once:  # something that stood went before
        world.settle()
        world.edit("FR", event, "Phishing", values=values)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("node.actions.ready.patient_data_in", patients_at(world, "BE"))
        world.settle()
    assert [bool(row.raw) for row in put_aside(world, "BE")] == [True, True]  # of FR and of HUB
    world.send_receipts()
    world.edit("FR", event, "Phishing", values=values[1:])
    world.project("FR")
    world.pull("BE", "FR")
    assert [row.raw for row in put_aside(world, "BE")] == [b"", b""]
    assert "kept.example" in world.text("BE", event)
    assert world.send_receipts("BE") == 1
    world.settle()
    world.send_receipts()
    assert status(world, event).told == "confirmed by 3 of 3"


def patients_at(world: World, name: str) -> Any:
    org = world[name].org
    return lambda node, *looked: "attribute 1: a person" if node.org == org else None


def put_aside(world: World, name: str) -> tuple[QuarantineRow, ...]:
    with world[name].store.read() as unit:
        return quarantined(unit.connection)


@pytest.mark.parametrize(
    ("cheat", "label", "check", "word"),
    [
        ("HUB", Label(Tlp.AMBER), 5, "not-addressed"),
        ("FR", Label(Tlp.AMBER), 5, "not-addressed"),
        ("HUB", Label(Tlp.GREEN, relay=False), 7, "widened-by-relay"),
    ],
)
def test_what_should_not_have_come_is_answered_with_a_signed_refusal(
    both_worlds: World, cheat: str, label: Label, check: int, word: str
) -> None:
    world = both_worlds
    named = Audience(frozenset({HUB})) if label.tlp is Tlp.AMBER else NOBODY
    event = world.post("FR", "Canary", values=["canary.example"], label=label, audience=named)
    world.settle()
    pass_on_anyway(world, cheat, event, "DE")
    world.pull("DE", cheat)
    assert world.held_from("DE", event, cheat) is None
    assert [check for check, _ in refusals(world, "DE")] == [check]
    assert answers(world, "DE") == ["refusal due"]
    assert world.send_receipts() == 1
    assert answers(world, "DE") == [f"refusal taken {world.clock():%Y-%m-%d %H:%M:%SZ}"]
    [refused] = refused_there(world[cheat])
    assert refused.told == f"node DE refused event {event} version 0.1: {word} (check {check})"
    assert refused_of(world[cheat], staff(world, cheat), FR, event) == (refused,)
    envelope = signed_receipt(world[cheat], staff(world, cheat), refused.id)
    receipt = read_receipt(
        envelope,
        sender=DE,
        me=ORGS[cheat],
        registry=world["BE"].registry,  # anybody can check it
        now=world.clock(),
    )
    assert (receipt.outcome, receipt.why) == ("refused", Refusal(check, word))
    assert b"canary" not in envelope


def test_the_same_item_refused_again_is_one_receipt(world: World) -> None:
    event = world.post("FR", "Ours", Tlp.AMBER)
    world.settle()
    pass_on_anyway(world, "FR", event, "DE")
    world.pull("DE", "FR")
    world.send_receipts()
    begin_anew_at(world, "DE", "FR")
    world.clock.turn(hours=1)
    world.pull("DE", "FR")
    assert world.send_receipts() == 0
    assert len(refused_there(world["FR"])) == 1


def test_a_receipt_that_was_lost_is_brought_again_after_a_restart(
    world: World, tmp_path: Path
) -> None:
    event = world.post("FR", "Phishing")
    world.settle()
    world.recall("FR", event)
    world.project("FR")
    world.pull("BE", "FR")
    world.memory.down = {url_of("FR")}
    assert world.send_receipts("BE") == 0
    world.memory.down = set()
    assert world.send_receipts("BE") == 0  # not before its time
    world["BE"].close()
    reopened = open_world(tmp_path / "world", world.clock, ["BE"])
    reopened.memory = world.memory
    world.clock.turn(minutes=15)
    world.memory.spoil = lambda call, reply: Reply(502, {}, b"")  # taken, and nobody hears of it
    assert reopened.send_receipts() == 0
    assert status(world, event).confirmed == 1
    world.memory.spoil = honest
    world.clock.turn(minutes=15)
    assert reopened.send_receipts() == 1
    assert status(world, event).confirmed == 1
    reopened["BE"].close()


@pytest.mark.parametrize("committed", [False, True])
def test_a_crash_never_parts_what_was_erased_from_its_receipt(
    world: World, *, committed: bool
) -> None:
    event = world.post("FR", "Phishing")
    world.settle()
    world.recall("FR", event)
    world.project("FR")
    whole = world["BE"]
    world.nodes["BE"] = replace(whole, store=CrashingStore(whole.store, 1, committed=committed))
    with pytest.raises(CrashError):
        world.pull("BE", "FR")
    world.nodes["BE"] = whole
    assert (world.held("BE", event) is None) is committed
    assert world.send_receipts("BE") == int(committed)
    world.pull("BE", "FR")
    world.send_receipts("BE")
    assert status(world, event).confirmed == 1


def test_a_peer_that_turns_a_receipt_down_is_not_asked_for_ever(world: World) -> None:
    event = world.post("FR", "Ours", Tlp.AMBER)
    world.settle()
    pass_on_anyway(world, "FR", event, "DE")
    world.pull("DE", "FR")
    own = b'{"title":"no such item","status":422}'
    on_the_way = [Reply(422, {}, b""), Reply(400, {}, own), Reply(400, {}, b"Bad Request")]
    while on_the_way:
        world.memory.spoil = lambda call, reply: on_the_way[0]
        assert world.send_receipts() == 0
        on_the_way.pop(0)
        world.clock.turn(days=1)
    world.memory.spoil = lambda call, reply: Reply(422, {}, own)
    assert world.send_receipts() == 1
    assert answers(world, "DE")[0].startswith("refusal turned down ")
    world.clock.turn(days=1)
    assert world.send_receipts() == 0


def test_no_receipt_counts_but_the_receivers_own_about_what_it_was_given(world: World) -> None:
    event = world.post("FR", "Phishing")
    world.settle()
    world.recall("FR", event)
    world.project("FR")
    world.pull("BE", "FR")
    mine = due(world, "BE")
    told = read_receipt(mine, sender=BE, me=FR, registry=world["FR"].registry, now=world.clock())
    node = world["FR"]

    def said_by(name: str, **otherwise: Any) -> bytes:
        receipt = replace(told, sender=ORGS[name], **otherwise)
        return write_receipt(receipt, world[name].transport_signer)

    for party, envelope in [
        (DE, mine),  # another's
        (BE, said_by("DE")),
        (BE, write_receipt(told, world["DE"].transport_signer)),
        (BE, write_receipt(told, world["BE"].signers[0])),  # a seal key
        (BE, said_by("BE", to=DE)),
    ]:
        with pytest.raises(BadReceiptError):
            take_receipt(node, party, envelope)
    for party, envelope in [
        (DE, said_by("DE")),  # who has not come for it
        (BE, said_by("BE", item="0" * 64)),
        (BE, said_by("BE", event=str(uuid4()))),
        (BE, said_by("BE", version=(1, 2))),
    ]:
        with pytest.raises(UnknownItemError):
            take_receipt(node, party, envelope)
    assert status(world, event).confirmed == 0
    take_receipt(node, BE, mine)
    assert status(world, event).confirmed == 1


def test_a_refusal_may_become_an_erasure_but_never_the_other_way_round(world: World) -> None:
    event = world.post("FR", "Phishing")
    world.settle()
    world.recall("FR", event)
    world.project("FR")
    world.pull("BE", "FR")
    erased = due(world, "BE")
    node = world["FR"]
    told = read_receipt(erased, sender=BE, me=FR, registry=node.registry, now=world.clock())
    refused = write_receipt(
        replace(told, outcome=Outcome.REFUSED, why=Refusal(5, "recall"), downstream=None),
        world["BE"].transport_signer,
    )
    take_receipt(node, BE, refused)
    told_of_be = next(one for one in status(world, event).parties if one.party == BE)
    assert (told_of_be.confirmed_at, told_of_be.refused) == (None, "recall (check 5)")
    take_receipt(node, BE, erased)
    take_receipt(node, BE, erased)
    assert status(world, event).confirmed == 1
    with pytest.raises(ContradictedError):
        take_receipt(node, BE, refused)
    assert len(refused_there(node)) == 1


def passed_on(world: World, event: str) -> list[tuple[str, int, int]]:
    return [
        (one.party_name, one.sent, one.confirmed)
        for one in status(world, event).parties
        if one.sent
    ]


def answers(world: World, name: str) -> list[str]:
    node = world[name]
    return list(answers_told(node, list_refusals(node)).values())


def due(world: World, name: str) -> bytes:
    """The one receipt that a node owes."""
    with world[name].store.read() as unit:
        [one] = due_now(unit.connection, world.clock(), 10)
    return one.envelope


def pass_on_anyway(world: World, name: str, event: str, to: str) -> None:
    """The node holds out to a peer all that it holds of a log, but for who is named in it."""
    node = world[name]
    with node.store.write() as unit:
        conn = unit.connection
        held = best_holding(conn, FR, event)
        head = lock_peers(conn, [ORGS[to]])[ORGS[to]].head_pos
        assert held is not None
        holding = load_holding(held.package)
        kinds = {place: record.header.kind for place, record in holding.records.items()}
        masks = {
            place: mask for place, mask in holding.masks.items() if kinds[place] != Kind.ADDRESSEE
        }
        encoded = encode_map(masks)
        row = OfferRow(
            peer=ORGS[to],
            pos=head + 1,
            origin=FR,
            event=event,
            op="PUT",
            epoch=held.epoch,
            seq=held.seq,
            seal=held.seal,
            digest=projection_digest(holding.payload, encoded),
            map=encoded,
            src=held.src,
            hops=0 if name == "FR" else held.hops + 1,
            withheld=(),
            rulebook=node.judge.rulebook.digest,
            urgent=False,
            projected_at=world.clock(),
        )
        put_rows(conn, [row])
        set_head(conn, ORGS[to], row.pos)
