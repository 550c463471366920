"""Two seal keys of which both must hold, from the sealing node to those who believe it."""

from collections.abc import Callable
from dataclasses import replace

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey

from node.storage.logs import find_holding, put_holding
from sharing.errors import RefusedError
from sharing.seal.canonical import read_base64, write_base64
from sharing.seal.dsse import pae
from sharing.seal.keys import Signer
from sharing.seal.package import read_package
from sharing.seal.recall import verify_recall
from sharing.seal.statement import PAYLOAD_TYPE
from sharing.seal.verify import verify
from tests.node.federation.mischief import refusals
from tests.node.federation.rotating import rotate, tell
from tests.node.federation.world import ORGS, OTHERS, World

Signatures = list[dict[str, str]]


@pytest.fixture
def hybrid(world: World) -> World:
    """The world, of which FR signs with two keys and everybody knows both."""
    rotate(world, "FR", suite="ed25519+ml-dsa-65")
    tell(world, "FR", *OTHERS)
    return world


def signed_by(world: World, name: str, event: str) -> list[str]:
    """The algorithms of the keys under what the node holds of an event."""
    holding = world.held(name, event)
    assert holding is not None
    assert [one.keyid for one in holding.signatures] == list(holding.statement.keys)
    sizes = {64: "ed25519", 3309: "ml-dsa-65"}
    return [sizes[len(one.sig)] for one in holding.signatures]


def spoil_signatures(world: World, event: str, spoil: Callable[[Signatures], Signatures]) -> None:
    """FR serves the event with other signatures from now on."""
    with world["FR"].store.write() as unit:
        row = find_holding(unit.connection, ORGS["FR"], event, ORGS["FR"])
        assert row is not None
        line, _, rest = row.package.partition(b"\n")
        head = orjson.loads(line)
        head["sigs"] = spoil(head["sigs"])
        package = orjson.dumps(head) + b"\n" + rest
        put_holding(unit.connection, replace(row, package=package))


def test_an_event_signed_twice_is_admitted_everywhere_directly_and_by_the_hub(
    hybrid: World,
) -> None:
    event = hybrid.post("FR", "Phishing", values=["hybrid.example"])
    hybrid.settle()
    for name in OTHERS:
        assert "hybrid.example" in hybrid.text(name, event)
        assert signed_by(hybrid, name, event) == ["ed25519", "ml-dsa-65"]
        assert refusals(hybrid, name) == []
    assert hybrid.held_from("BE", event, "HUB") is not None


def test_others_go_on_with_one_key(hybrid: World) -> None:
    event = hybrid.post("BE", "Phishing", values=["single.example"])
    hybrid.settle()
    assert signed_by(hybrid, "FR", event) == ["ed25519"]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda sigs: sigs[:1], "one for each key the statement lists"),
        (lambda sigs: sigs[1:], "one for each key the statement lists"),
        (lambda sigs: sigs[::-1], "one for each key the statement lists"),
        (lambda sigs: [sigs[0], {**sigs[1], "sig": sigs[0]["sig"]}], "does not verify"),
    ],
    ids=["first alone", "second alone", "turned round", "first twice"],
)
def test_an_event_without_both_its_signatures_is_refused(
    hybrid: World, spoil: Callable[[Signatures], Signatures], why: str
) -> None:
    event = hybrid.post("FR", "Phishing", values=["stripped.example"])
    spoil_signatures(hybrid, event, spoil)
    hybrid.project("FR")
    hybrid.pull("BE", "FR")
    [(check, reason)] = refusals(hybrid, "BE")
    assert check == 5
    assert "seal check 3" in reason
    assert why in reason
    assert hybrid.text("BE", event) == ""


def test_who_has_one_of_the_two_keys_cannot_sign_for_the_other(hybrid: World) -> None:
    event = hybrid.post("FR", "Phishing", values=["forged.example"])
    thief = Signer.from_private(MLDSA65PrivateKey.generate())

    def forged(sigs: Signatures) -> Signatures:
        holding = hybrid.held("FR", event)
        assert holding is not None
        signature = thief.sign(pae(PAYLOAD_TYPE, holding.statement.payload))
        assert len(signature) == len(read_base64(sigs[1]["sig"]))
        return [sigs[0], {**sigs[1], "sig": write_base64(signature)}]

    spoil_signatures(hybrid, event, forged)
    hybrid.project("FR")
    hybrid.pull("BE", "FR")
    assert "does not verify" in refusals(hybrid, "BE")[0][1]


def test_a_recall_carries_both_signatures_and_counts(hybrid: World) -> None:
    event = hybrid.post("FR", "Phishing", values=["recalled.example"])
    hybrid.settle()
    hybrid.recall("FR", event)
    hybrid.settle()
    log = hybrid.log("BE", event)
    assert log is not None
    assert log.recall is not None
    assert log.is_recalled
    assert len(orjson.loads(log.recall)["signatures"]) == 2
    envelope = orjson.loads(log.recall)
    envelope["signatures"].pop()
    with pytest.raises(RefusedError, match="one for each key"):
        verify_recall(orjson.dumps(envelope), hybrid["BE"].registry, first_seen_at=hybrid.clock())


@pytest.mark.parametrize("back", [False, True])
def test_a_node_that_changes_its_suite_goes_on(world: World, back: bool) -> None:
    if back:
        rotate(world, "FR", suite="ed25519+ml-dsa-65")
        tell(world, "FR", *OTHERS)
    old = world.post("FR", "Before", values=["before.example"])
    edited = world.post("FR", "Edited", values=["first.example"])
    world.settle()
    before = world.held("BE", edited)
    rotate(world, "FR", suite="ed25519" if back else "ed25519+ml-dsa-65")
    tell(world, "FR", *OTHERS)
    world.edit("FR", edited, "Edited", values=["first.example", "second.example"])
    new = world.post("FR", "After", values=["after.example"])
    world.settle()
    suites = [["ed25519", "ml-dsa-65"], ["ed25519"]]
    was, now = suites if back else suites[::-1]
    assert signed_by(world, "BE", old) == was
    assert signed_by(world, "BE", edited) == signed_by(world, "BE", new) == now
    assert "second.example" in world.text("BE", edited)
    assert refusals(world, "BE") == []
    after = world.held("BE", edited)
    assert before is not None
    assert after is not None
    assert after.statement.prev == bytes.fromhex(before.statement.seal)


def test_what_was_signed_with_one_key_still_verifies_at_who_meets_it_later(world: World) -> None:
    old = world.post("FR", "Before", values=["before.example"])
    rotate(world, "FR", suite="ed25519+ml-dsa-65")
    tell(world, "FR", "DE")
    world.project("FR")
    world.pull("DE", "FR")
    row = world.held_from("DE", old, "FR")
    assert row is not None
    package = read_package(row.package)
    assert len(package.signatures) == 1
    verify(package, world["DE"].registry, first_seen_at=world.clock())
