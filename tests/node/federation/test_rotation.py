"""Seal keys over time: new ones, retired ones, stolen ones."""

from datetime import datetime, timedelta

import pytest

from federation.transport import Transport
from node.actions.disown import disown_compromised
from node.actions.keys import accept_member, prepare_keys, revoke_key
from node.actions.renew import renew_logs
from node.actions.stored import open_holding
from node.errors import SettingsError
from node.keys import read_keys
from node.roster import RosterFile, keys_of, own_entry
from node.schedule import Schedule
from node.storage import audit
from sharing.seal.keys import Use
from tests.node.federation.mischief import feed_of, refusals
from tests.node.federation.rotating import forge, rotate, tell
from tests.node.federation.world import ORGS, OTHERS, World


def kids(world: World, name: str) -> list[str]:
    return [signer.kid for signer in world[name].signers]


def signers_of(world: World, name: str, event: str) -> list[str]:
    holding = world.held(name, event)
    assert holding is not None
    return list(holding.statement.keys)


def listed(world: World, at: str, of: str = "FR") -> dict[str, dict[str, object]]:
    """The seal keys of a member as the roster of a node has them."""
    found = keys_of(world[at].settings.roster_file, ORGS[of])
    return {str(key["kid"]): key for key in found if key["use"] == "seal"}


def audited(world: World, name: str) -> list[str]:
    with world[name].store.read() as unit:
        return [line.action for line in reversed(audit.latest(unit.connection, 100))]


# ── New keys ─────────────────────────────────────────────────────────────────────────────────────


def test_after_a_rotation_new_statements_use_the_new_key_and_old_ones_still_verify(
    world: World,
) -> None:
    old_kids = kids(world, "FR")
    old = world.post("FR", "Before", values=["before.example"])
    rotate(world, "FR")
    tell(world, "FR", *OTHERS)
    new = world.post("FR", "After", values=["after.example"])
    world.settle()
    assert kids(world, "FR") != old_kids
    for name in OTHERS:
        assert signers_of(world, name, old) == old_kids
        assert signers_of(world, name, new) == kids(world, "FR")
        assert refusals(world, name) == []


def test_a_retired_key_stays_in_the_roster_with_its_end_and_no_private_half(world: World) -> None:
    [old] = kids(world, "FR")
    rotate(world, "FR")
    rotate(world, "FR")
    tell(world, "FR", "BE")
    [new] = kids(world, "FR")
    for at in ("FR", "BE"):
        keys = listed(world, at)
        assert len(keys) == 3
        assert keys[old]["not_after"] == "2026-01-27T07:40:00Z"
        assert "not_after" not in keys[new]
    files = sorted(path.name for path in (world["FR"].settings.data / "keys").glob("*.pem"))
    assert files == ["seal.pem", "transport.pem"]
    assert audited(world, "FR")[-2:] == ["keys.prepare", "keys.rotate"]


def test_a_prepared_key_is_known_to_peers_before_it_is_used(world: World) -> None:
    settings = world["FR"].settings
    [coming] = prepare_keys(settings, Use.SEAL)
    assert prepare_keys(settings, Use.SEAL) == (coming,)
    tell(world, "FR", *OTHERS)
    before = world.post("FR", "Not yet", values=["old.example"])
    rotate(world, "FR")
    after = world.post("FR", "Now", values=["new.example"])
    world.settle()
    assert signers_of(world, "BE", before) != [coming]
    assert signers_of(world, "BE", after) == [coming]
    assert refusals(world, "BE") == []


def test_what_a_peer_refused_for_want_of_the_new_key_comes_once_it_accepts_it(
    world: World,
) -> None:
    rotate(world, "FR")
    event = world.post("FR", "After", values=["after.example"])
    world.settle()
    [kid] = kids(world, "FR")
    assert (5, f"seal check 3: key {kid} unknown") in refusals(world, "BE")
    assert world.text("BE", event) == ""
    tell(world, "FR", *OTHERS)
    world.settle()
    assert "after.example" in world.text("BE", event)


def test_a_running_node_heeds_its_roster_at_once(world: World) -> None:
    before = world["BE"].registry
    assert world["BE"].registry is before
    rotate(world, "FR")
    tell(world, "FR", "BE")
    assert set(kids(world, "FR")) <= world["BE"].registry.keys.keys()


@pytest.mark.parametrize("text", ["{", '{"members": [{"org": "x"}]}'])
def test_a_roster_that_is_none_leaves_what_was_known(world: World, text: str) -> None:
    roster = RosterFile(world["BE"].settings.roster_file)
    known = roster()
    world["BE"].settings.roster_file.write_text(text)
    assert roster() is known
    world["BE"].settings.roster_file.unlink()
    assert roster() is known


# ── Stolen keys ──────────────────────────────────────────────────────────────────────────────────


def stolen(world: World, *, at: str) -> None:
    """The operator of a node learns that FR's seal key has been stolen, just now."""
    [kid] = kids(world, "FR")
    settings = world[at].settings
    since = world.clock()
    assert (
        revoke_key(settings, kid, compromised_since=since, reason="stolen", at=since) == ORGS["FR"]
    )


def test_backdated_iat_does_not_save_a_revoked_key(world: World) -> None:
    honest = world.post("FR", "Before the theft", values=["honest.example"])
    world.settle()
    long_ago = world.clock()
    world.clock.turn(hours=1)
    stolen(world, at="BE")
    forged = forge(world, "FR", "Forged", iat=long_ago)
    world.settle()
    assert "honest.example" in world.text("BE", honest)
    assert world.text("BE", forged) == ""
    assert all(check == 5 and "compromised" in reason for check, reason in refusals(world, "BE"))
    assert len(refusals(world, "BE")) == 2  # from FR itself, and by the hub, which does not know
    assert "stolen.example" in world.text("DE", forged)


def test_a_statement_seen_before_the_theft_counts_from_whoever_brings_it_later(
    world: World,
) -> None:
    event = world.post("FR", "Before the theft", values=["honest.example"])
    world.project("FR")
    world.pull("BE", "FR")
    world.pull("HUB", "FR")
    world.clock.turn(hours=1)
    stolen(world, at="BE")
    world.project("HUB")
    world.pull("BE", "HUB")
    assert world.held_from("BE", event, "HUB") is not None
    assert refusals(world, "BE") == []


def test_what_was_taken_in_before_the_theft_was_known_is_disowned(world: World) -> None:
    honest = world.post("FR", "Before the theft", values=["honest.example"])
    world.settle()
    [kid] = kids(world, "FR")
    world.clock.turn(hours=1)
    since = world.clock()
    forged = forge(world, "FR", "Forged", iat=since - timedelta(hours=1))
    world.settle()
    assert "stolen.example" in world.text("HUB", forged)
    world.clock.turn(hours=1)
    revoke_key(
        world["HUB"].settings, kid, compromised_since=since, reason="stolen", at=world.clock()
    )
    assert disown_compromised(world["HUB"]) == 1
    assert world.text("HUB", forged) == ""
    assert "honest.example" in world.text("HUB", honest)
    [(check, reason)] = refusals(world, "HUB")
    assert (check, "compromised" in reason) == (5, True)
    assert disown_compromised(world["HUB"]) == 0
    world.project("HUB")
    assert [(event, op) for _, event, op in feed_of(world, "HUB", "BE")] == [
        (honest, "PUT"),
        (forged, "WITHDRAW"),
    ]
    world.pull("HUB", "FR")
    assert world.text("HUB", forged) == ""


def test_a_forged_version_does_not_bar_the_originators_own(world: World) -> None:
    event = world.post("FR", "Ours", values=["first.example"])
    world.settle()
    world.clock.turn(hours=1)
    since = world.clock()
    for n in range(5):
        world.edit("FR", event, f"Forged {n}", values=["forged.example"])
    world.settle()
    assert "forged.example" in world.text("BE", event)
    stolen_kid = kids(world, "FR")[0]
    world.clock.turn(hours=1)
    revoke_key(
        world["BE"].settings, stolen_kid, compromised_since=since, reason="stolen", at=world.clock()
    )
    assert disown_compromised(world["BE"]) == 2
    rotate(world, "FR")
    world.edit("FR", event, "Ours again", values=["ours.example"])
    tell_only(world, "BE", stolen_kid, since=since)
    world.settle()
    assert "ours.example" in world.text("BE", event)
    assert signers_of(world, "BE", event) == kids(world, "FR")


def test_what_was_disowned_and_is_sealed_again_comes_by_the_next_repair(world: World) -> None:
    event = world.post("FR", "Ours", values=["ours.example"])
    world.project("FR")
    world.pull("HUB", "FR")  # before the theft, so what it has stands
    world.project("HUB")
    world.clock.turn(hours=1)
    since = world.clock()
    world.pull("BE", "HUB")
    world.pull("BE", "HUB")  # confirms it
    [stolen_kid] = kids(world, "FR")
    rotate(world, "FR")
    revoke(world, "BE", stolen_kid, since)
    assert disown_compromised(world["BE"]) == 1
    world.pull("BE", "HUB")  # it still has what the stolen key signed
    assert world.held_from("BE", event, "HUB") is None
    revoke(world, "FR", stolen_kid, since)
    assert renew_logs(world["FR"]) == 1  # signed anew, nothing changed in it
    tell(world, "FR", "BE", "HUB")
    world.project("FR")
    world.pull("HUB", "FR")
    world.project("HUB")
    assert world.pull("BE", "HUB").items == 0  # it shows the same as before: no news
    world.repair("BE", "HUB")
    held = world.held_from("BE", event, "HUB")
    assert held is not None
    assert list(open_holding(held).statement.keys) == kids(world, "FR")


def revoke(world: World, at: str, kid: str, since: datetime) -> None:
    settings = world[at].settings
    revoke_key(settings, kid, compromised_since=since, reason="stolen", at=world.clock())


def tell_only(world: World, name: str, kid: str, *, since: datetime) -> None:
    """FR revokes its old key itself, and one peer accepts the entry."""
    revoke_key(
        world["FR"].settings, kid, compromised_since=since, reason="stolen", at=world.clock()
    )
    tell(world, "FR", name)


def test_the_leader_heeds_a_new_roster_by_itself(world: World) -> None:
    world.clock.turn(hours=1)
    since = world.clock()
    forged = forge(world, "FR", "Forged", iat=since)
    world.settle()
    schedule = Schedule(world["BE"], Transport())
    schedule.lead()
    schedule.run("roster")
    assert "stolen.example" in world.text("BE", forged)
    revoke_key(
        world["BE"].settings,
        kids(world, "FR")[0],
        compromised_since=since,
        reason="stolen",
        at=world.clock(),
    )
    schedule.run("roster")
    assert world.text("BE", forged) == ""
    assert "keys.revoke" in audited(world, "BE")


# ── What is not done ─────────────────────────────────────────────────────────────────────────────


def test_a_key_in_use_here_is_not_revoked(world: World) -> None:
    node = world["FR"]
    for kid in (*kids(world, "FR"), node.transport_signer.kid):
        with pytest.raises(SettingsError, match="in use here"):
            revoke_key(
                node.settings, kid, compromised_since=world.clock(), reason="lost", at=world.clock()
            )


def test_a_revocation_is_neither_future_nor_loosened_nor_of_nobody(world: World) -> None:
    settings, [kid], now = world["BE"].settings, kids(world, "FR"), world.clock()
    hour = timedelta(hours=1)
    with pytest.raises(SettingsError, match="lies ahead"):
        revoke_key(settings, kid, compromised_since=now + hour, reason="", at=now)
    with pytest.raises(SettingsError, match="no usable key"):
        revoke_key(settings, kid[::-1], compromised_since=now, reason="", at=now)
    revoke_key(settings, kid, compromised_since=now - hour, reason="stolen", at=now)
    with pytest.raises(SettingsError, match="revoked already, since 2026-01-27T06:40:00Z"):
        revoke_key(settings, kid, compromised_since=now, reason="", at=now)
    revoke_key(settings, kid, compromised_since=now - 2 * hour, reason="earlier", at=now)
    assert listed(world, "BE")[kid]["compromised_since"] == "2026-01-27T05:40:00Z"


def test_an_entry_does_not_take_a_revocation_back(world: World) -> None:
    settings, [kid], now = world["BE"].settings, kids(world, "FR"), world.clock()
    entry = own_entry(world["FR"].settings, world["FR"].keys)
    revoke_key(settings, kid, compromised_since=now, reason="stolen", at=now)
    with pytest.raises(SettingsError, match=f"takes back the revocation of key {kid}"):
        accept_member(settings, entry)
    assert listed(world, "BE")[kid]["compromised_since"] is not None


def test_an_interrupted_rotation_is_repeated(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, before = world["FR"].settings, kids(world, "FR")

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("node.actions.keys.put_next_keys", crash)
        with pytest.raises(KeyboardInterrupt):
            rotate(world, "FR")
    assert [key["kid"] for key in read_keys(settings.data, settings.suite).roster_keys()][
        :1
    ] == before
    coming = [kid for kid in listed(world, "FR") if kid not in before]
    rotate(world, "FR")
    assert kids(world, "FR") == coming
