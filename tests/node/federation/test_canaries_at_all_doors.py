"""What stays at home stays at home: looked for in every byte that any door of a node says.

A string that occurs nowhere else stands wherever words can stand, under every colour, named and
unnamed, at a node with two hospitals, two peers and the hub (`canaries.py`). Then everybody asks
everything (`everywhere.py`), and what was said is unpacked as deep as it goes (`layers.py`).
"""

import base64
import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import structlog
import zstandard
from argon2 import PasswordHasher
from typer.testing import CliRunner

from node import cli
from node.actions import people
from node.actions.alerts import send_alert
from node.actions.caller import Caller
from node.actions.groups_change import create_group
from node.actions.handover import declare, hand_over, list_parts
from node.actions.holds import Slot, list_holds, release
from node.actions.people import enrol_org
from node.actions.publish import publish
from node.actions.submit import submit_event, submit_report
from node.app import create_app
from node.storage.feed import rows_after
from node.storage.logs import best_holding
from node.storage.people import Org
from policies.tlp import Tlp
from sharing.seal.holding import Holding
from sharing.seal.package import decode_map, load_holding
from sharing.seal.salts import SALT_BYTES
from tests.node.actions.house import (
    EARLY_WARNING,
    ESSAIS,
    NOTIFICATION,
    REPORT_ID,
    VAL,
    House,
    furnish,
)
from tests.node.federation.canaries import BE, DE, FR, HUB, Asker, Cage, Canary, may_have
from tests.node.federation.everywhere import Crawl, Known, Route, Said, routes_of
from tests.node.federation.layers import Layers, windows
from tests.node.federation.world import ORGS, open_world
from tests.node.nodes import PASSWORD, HandClock

POLICE = Org("1c9e6a10-54c1-4f55-8a41-94a9d4b2aa09", "Police judiciaire", "law_enforcement", "FR")
MISSING = "00000000-0000-4000-8000-000000000000"
SECOND_REPORT = "3d0f8f1e-1f5e-4c86-9b0d-0c55e9f0a002"
PEERS = ("BE", "DE", "HUB")
MUTE = {
    "/console/static/{tag}/{name}": "its tags are digests of its own files",
    "/api/v1/receipts/{number}": "nobody has sent a receipt here",
    "/console/receipts/{number}": "nobody has sent a receipt here",
    "/console/{rest:path}": "there is no such page",
}
"""Routes that have nothing to say here, and why."""
STRICTER = (Tlp.AMBER, Tlp.AMBER_STRICT, Tlp.RED)
SIGNED_IN = {
    "claire": VAL.org,
    "essais": ESSAIS.org,
    "amelie": FR,
}
ASKERS = {
    **{f"{login}'s browser": Asker(login, org, "session") for login, org in SIGNED_IN.items()},
    **{f"{login}'s token": Asker(login, org, "token") for login, org in SIGNED_IN.items()},
    **{name: Asker(name, ORGS[name], "feed") for name in PEERS},
    "a stranger": Asker("a stranger", MISSING, "nobody"),
    "the log": Asker("the log", MISSING, "nobody"),
    "essais at the shell": Asker("essais", ESSAIS.org, "session"),
}


@dataclass(frozen=True)
class Heard:
    """A furnished node that was asked everything, and all that it said."""

    house: House
    cage: Cage
    crawl: Crawl
    file: bytes
    declared: frozenset[str]

    def by(self, who: str) -> list[Said]:
        return self.crawl.said.get(who, [])

    @cached_property
    def found(self) -> Mapping[str, Mapping[Canary, str]]:
        """By who asked: the canaries in what he was told, and where first."""
        return {who: self._found(who) for who in ASKERS}

    def _found(self, who: str) -> dict[Canary, str]:
        layers, found = Layers(), dict[Canary, str]()
        for said in self.by(who):
            for canary in self.cage.found_in(layers.of(said.body)):
                found.setdefault(canary, said.where)
        return found


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory, fresh_world: Path) -> Iterator[Heard]:
    folder = tmp_path_factory.mktemp("doors") / "world"
    copytree(fresh_world, folder)
    world = open_world(folder, HandClock(), ORGS)
    people._HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    with structlog.testing.capture_logs() as lines:
        enrol_org(world["FR"], "test", Org(FR, "Node FR", "node", "FR"))
        house, cage = furnish(world), Cage()
        plant(house, cage)
        group = make_group(house)
        file, declared = hand_to_police(house)
        crawl = Crawl(house.node, create_app(house.node), what_is_known(house, cage, group))
        ask_everything(crawl, house, folder)
    crawl.said["the log"] = [Said("a line", 0, repr(line).encode()) for line in lines]
    yield Heard(house, cage, crawl, file, declared)
    for node in world.nodes.values():
        node.close()


# ── What is planted ──────────────────────────────────────────────────────────────────────────────


def plant(house: House, cage: Cage) -> None:
    """Events of everybody, at every colour; reports of both hospitals; and all of it exchanged."""
    every = tuple(Tlp)
    for tlp in every:
        post(house, house.claire, cage.event(VAL.org, tlp), tlp)
    for org, caller in ((ESSAIS.org, house.other), (FR, house.amelie)):
        post(house, caller, cage.event(org, Tlp.RED), Tlp.RED)
        post(house, caller, cage.event(org, Tlp.GREEN, parts=every[1:]), Tlp.GREEN)
    named = cage.event(VAL.org, Tlp.AMBER, BE, parts=STRICTER)
    post(house, house.claire, named, Tlp.AMBER, addressees=[BE])
    kept = cage.event(VAL.org, Tlp.GREEN, published=False)
    post(house, house.claire, kept, Tlp.GREEN, publish_it=False)
    theirs = house.caller_at("BE")
    enrol_org(house.world["BE"], "test", Org(BE, "Node BE", "node", "BE"))
    post(house, theirs, cage.event(BE, Tlp.GREEN, parts=every[1:]), Tlp.GREEN)
    named = cage.event(BE, Tlp.AMBER, FR, parts=STRICTER)
    post(house, theirs, named, Tlp.AMBER, addressees=[FR])
    report(house, cage, house.claire, REPORT_ID, EARLY_WARNING)
    report(house, cage, house.other, SECOND_REPORT, {**EARLY_WARNING, "tlp": "RED"})
    house.world.settle()


def post(
    house: House,
    caller: Caller,
    event: dict[str, Any],
    tlp: Tlp,
    *,
    publish_it: bool = True,
    addressees: list[str] | None = None,
) -> None:
    node = house.world["BE"] if caller.org == BE else house.node
    body = {"Event": event, "tlp": tlp.word, "addressees": addressees or []}
    done = submit_event(node, caller, body)
    if publish_it:
        by = caller if caller.org == BE else house.amelie
        publish(node, by, done.origin, done.event)
        if (tlp, caller.name) in {(Tlp.GREEN, "claire"), (Tlp.RED, "amelie")}:
            send_alert(node, house.amelie, done.origin, done.event)


def report(
    house: House, cage: Cage, caller: Caller, report_id: str, stage: Mapping[str, Any]
) -> None:
    """A hospital's report, with canaries in its words, its indicators and its ransom lane."""
    red = stage.get("tlp") == "RED"

    def inside(place: str, tlp: Tlp = Tlp.AMBER_STRICT) -> str:
        return cage.new(caller.org, place, Tlp.RED if red else tlp, scope="report")

    def leaving(place: str, tlp: Tlp) -> str:
        return cage.new(caller.org, place, Tlp.RED if red else tlp)

    def lane(place: str) -> str:
        return cage.new(caller.org, place, Tlp.RED, scope="ransom")

    words = {
        **stage,
        **NOTIFICATION,
        "report_id": report_id,
        "title": leaving("title", Tlp.GREEN),
        "summary_internal": inside("inner summary"),
        "summary_shareable": leaving("summary", Tlp.GREEN),
        "significance_reason": inside("why it is significant"),
        "contact_name": inside("contact"),
        "measures_taken": inside("measures", Tlp.AMBER),
        "ransomware": "yes",
        "ransom_demanded": "yes",
        "ransom_contact_channel": lane("ransom channel"),
        "wallet_addresses": [lane("wallet")],
        "indicators": [
            {"type": "domain", "role": "c2", "tlp": tlp.word.upper(), "context": inside("context")}
            | {"value": leaving("value", tlp)}
            for tlp in (Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER, Tlp.AMBER_STRICT, Tlp.RED)
        ]
        + [{"type": "domain", "role": "victim_side", "value": inside("a victim's own")}],
    }
    done = submit_report(house.node, caller, words)
    publish(house.node, house.amelie, done.origin, done.event)


def make_group(house: House) -> str:
    members = [{"org": BE}, {"org": VAL.org}]
    body = {"name": "Imaging", "members": members}
    return create_group(house.node, house.amelie, body).group.group


def hand_to_police(house: House) -> tuple[bytes, frozenset[str]]:
    """A file with a RED value in it, released by two; gives it and the values chosen for it."""
    node = house.node
    enrol_org(node, "test", POLICE)
    of_events = ((each, parts_of(house, each)) for each in events_at(house))
    event, parts = next(
        (each, parts)
        for each, parts in of_events
        if {part.tlp for part in parts} == {"red"} and "attachment" in {part.name for part in parts}
    )
    chosen = [part for part in parts if "zqcanary" in part.value][:2]
    slots = [Slot(part.record, part.slot_type) for part in chosen]
    made = declare(node, house.amelie, *event, POLICE.org, slots)
    for by in (house.amelie, house.reader):
        held = [each for each in list_holds(node, by) if each.event == made.event]
        release(
            node,
            by,
            FR,
            made.event,
            POLICE.org,
            [Slot(each.record, each.slot_type, each.content) for each in held],
            "asked by the case officer",
            ground="order",
            reference="PR 26/0412",
        )
    content = hand_over(node, house.amelie, FR, made.event).content
    return content, frozenset(part.value for part in chosen)


def parts_of(house: House, event: tuple[str, str]) -> Any:
    return list_parts(house.node, house.amelie, *event)


# ── Who asks what ────────────────────────────────────────────────────────────────────────────────


def logs_at(house: House) -> list[tuple[str, str]]:
    """Every log that the node holds, whatever it is."""
    with house.node.store.read() as unit:
        rows = unit.connection.exec_driver_sql("SELECT origin, event FROM log ORDER BY event")
        return [(row.origin, row.event) for row in rows]


def events_at(house: House) -> list[tuple[str, str]]:
    with house.node.store.read() as unit:
        rows = unit.connection.exec_driver_sql(
            f"SELECT origin, event FROM log WHERE type = 'event' AND origin = '{FR}' ORDER BY event"
        )
        return [(row.origin, row.event) for row in rows]


def what_is_known(house: House, cage: Cage, group: str) -> Known:
    logs = logs_at(house)
    node = house.node
    with node.store.read() as unit:
        rows = [row for org in (BE, DE, HUB) for row in rows_after(unit.connection, org, 0, 500)]
    digests = sorted({row.offer.digest for row in rows if row.offer.digest})
    return Known(
        together={
            ("origin", "event", "party"): [
                (*log, party) for log in logs for party in (FR, POLICE.org)
            ],
            ("origin", "event"): logs,
            ("report_id", "version"): [(one, "1") for one in (REPORT_ID, SECOND_REPORT)],
        },
        alone={
            "report_id": [REPORT_ID, SECOND_REPORT],
            "number": ["1", "2"],
            "group": [group, MISSING],
            "digest": [*digests, "0" * 64],
            "tag": ["0"],
            "name": ["console.css", "swagger-ui.css"],
            "rest": ["nowhere"],
        },
        asked={
            "to": [BE],
            "value": cage.searched(),
            "org": [VAL.org, ESSAIS.org],
            "of": [REPORT_ID, SECOND_REPORT],
            "after": ["0"],
            "limit": ["500"],
        },
        whole={"/fed/v1/feed": ["limit=200&wants=own"]},
    )


def ask_everything(crawl: Crawl, house: House, folder: Path) -> None:
    node = house.node
    for login, org in SIGNED_IN.items():
        role: Any = "operator" if org == FR else "hospital"
        people.add_person(node, "test", login=login, org=org, role=role, password=PASSWORD)
        asked = {**crawl.known.asked, "to": [BE, org]}
        his = replace(crawl, known=replace(crawl.known, asked=asked))
        his.api(f"{login}'s token", people.make_token(node, "test", login))
        his.console(f"{login}'s browser", login, PASSWORD)
    shut = {**crawl.known.together, ("origin", "event"): logs_at(house)[:2]}
    stranger = replace(crawl, known=replace(crawl.known, together=shut))
    stranger.api("a stranger", None)
    stranger.console("a stranger", None, "")
    for name in PEERS:
        crawl.feed(name, house.world[name])
    crawl.said["essais at the shell"] = list(at_the_shell(house, folder / "FR"))


def at_the_shell(house: House, data: Path) -> Iterator[Said]:
    """What commands print in the name of a hospital's person."""
    as_him = ["--data", str(data), "--as", "essais"]
    events = [event for _, event in events_at(house)]
    asked = [["policy", "explain", event, "--to", "BE"] for event in events]
    asked += [["hold", "list"], ["export", "list"], ["group", "list"]]
    asked += [["ledger", "--event", event] for event in events]
    for words in asked:
        done = CliRunner().invoke(cli.app, [*words, *as_him])
        yield Said(" ".join(words), done.exit_code, f"{done.output} {done.exception}".encode())


# ── What was said ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("who", ASKERS)
def test_nobody_reads_a_canary_that_is_not_for_him(heard: Heard, who: str) -> None:
    leaked = {
        str(canary): where
        for canary, where in heard.found[who].items()
        if not may_have(ASKERS[who], canary)
    }
    assert leaked == {}


@pytest.mark.parametrize("who", [f"{login}'s token" for login in SIGNED_IN] + list(PEERS))
def test_everybody_reads_every_canary_that_is_for_him(heard: Heard, who: str) -> None:
    """Else nothing would be found because nothing was said."""
    due = {
        canary
        for canary in heard.cage.known.values()
        if may_have(ASKERS[who], canary)
        and canary.scope == "event"
        and not (who in PEERS and canary.source == BE)  # its own, or it has it from there
    }
    assert len(due) > 50
    assert {str(canary) for canary in due - heard.found[who].keys()} == set()


def test_token_never_reads_red(heard: Heard) -> None:
    """Not by any route; and what it is refused, a person who is signed in reads."""
    for login in SIGNED_IN:
        by_token, signed_in = (heard.found[f"{login}'s {way}"] for way in ("token", "browser"))
        assert {str(canary) for canary in by_token if canary.tlp is Tlp.RED} == set()
        assert any(canary.tlp is Tlp.RED for canary in signed_in)


def test_red_leaves_in_the_released_file_and_nowhere_else(heard: Heard) -> None:
    """The file holds what was chosen for it with its record's head, and no title beside it."""
    for who in (*PEERS, "a stranger", "the log"):
        assert {str(each) for each in heard.found[who] if each.tlp is Tlp.RED} == set()
    in_file = set(heard.cage.found_in(Layers().of(heard.file)))
    chosen = set(heard.cage.found_in(value.encode() for value in heard.declared))
    assert chosen <= in_file
    assert {each.tlp for each in chosen} == {Tlp.RED}
    beside = {each.place for each in in_file - chosen}
    assert beside <= {"attached data", "member of an attribute that nobody knows"}


def test_amber_goes_to_the_named_peer_and_to_no_other(heard: Heard) -> None:
    stricter = {name: {c for c in heard.found[name] if c.tlp >= Tlp.AMBER} for name in PEERS}
    assert all(BE in canary.named for canary in stricter["BE"])
    assert {canary.tlp for canary in stricter["BE"]} == {Tlp.AMBER, Tlp.AMBER_STRICT}
    assert stricter["DE"] == stricter["HUB"] == set()


def test_canaries_absent_from_all_hub_bytes(heard: Heard) -> None:
    """A curious hub: nothing above GREEN, no hospital's name, nothing of reports or unpublished."""
    assert {c for c in heard.found["HUB"] if c.tlp > Tlp.GREEN or c.scope != "event"} == set()
    assert all(canary.published for canary in heard.found["HUB"])
    said = b"\n".join(layer for one in heard.by("HUB") for layer in Layers().of(one.body))
    telling = [home.name for home in (VAL, ESSAIS)] + [home.org for home in (VAL, ESSAIS)]
    assert [each for each in (*telling, *SIGNED_IN) if each.encode() in said] == []


def test_a_hospital_reads_no_word_of_anothers_that_is_not_shared(heard: Heard) -> None:
    for who in ("essais's browser", "essais's token", "essais at the shell"):
        others = {canary for canary in heard.found[who] if canary.source == VAL.org}
        assert all(c.tlp <= Tlp.AMBER and c.published and c.scope == "event" for c in others)
    everything = b"".join(said.body for said in heard.by("essais's token"))
    assert VAL.name.encode() not in everything
    assert b"claire" not in everything


@pytest.mark.parametrize("who", PEERS)
def test_no_salt_or_seed_of_a_withheld_slot_is_in_what_a_peer_got(heard: Heard, who: str) -> None:
    layers = [layer for said in heard.by(who) for layer in Layers().of(said.body)]
    got = windows(layers, SALT_BYTES)
    withheld, given = salts_of(heard, ORGS[who])
    assert withheld
    assert given & got  # so they are found where they are; others come out of a seed
    assert withheld & got == set()


def salts_of(heard: Heard, peer: str) -> tuple[set[bytes], set[bytes]]:
    """Salts of the slots that a peer was not given, and of those that it was, of all it was told of.

    A chunk's seed counts as withheld where one of its slots is; its first half is looked for.
    """
    withheld, given = set[bytes](), set[bytes]()
    with heard.house.node.store.read() as unit:
        rows = {
            (row.offer.origin, row.offer.event): row.offer.map
            for row in rows_after(unit.connection, peer, 0, 500)
        }
        holdings = {}
        for key in logs_at(heard.house):
            best = best_holding(unit.connection, *key)
            if best is not None:
                holdings[key] = load_holding(best.package)
    for key, holding in holdings.items():
        raw = rows.get(key)
        masks = decode_map(raw) if raw else {}
        shown = set[int]()
        for index, n, salt in _salts(holding):
            (given if masks.get(index, 0) >> n & 1 else withheld).add(salt)
            if not masks.get(index, 0) >> n & 1:
                shown.add(index)
        withheld |= {
            chunk.seed[:SALT_BYTES]
            for chunk in holding.disclosure.chunks
            if any(chunk.first <= index < chunk.stop for index in shown)
        }
    return withheld, given


def _salts(holding: Holding) -> Iterator[tuple[int, int, bytes]]:
    """Each slot's salt, with its record's index and its place there."""
    told = holding.disclosure
    indices = iter(told.indices)
    for band in told.bands:
        for row in range(band.length):
            index = next(indices)
            for n in range(band.header.width):
                place = band.first + row * band.header.width + n
                yield index, n, told.salts[place * SALT_BYTES : (place + 1) * SALT_BYTES]


def test_every_route_said_something_to_somebody(heard: Heard) -> None:
    """Else a new route would count as asked where it only ever refused."""
    answered = {
        said.where.partition("?")[0]
        for all_of_it in heard.crawl.said.values()
        for said in all_of_it
        if 0 < said.status < 400
    }
    mute = {
        route.path
        for route in routes_of(heard.crawl.app)
        if not any(
            path.partition("?")[0] in answered for path in route.addresses(heard.crawl.known)
        )
    }
    assert mute - MUTE.keys() == set()


def test_shell_and_stream_said_something(heard: Heard) -> None:
    """Else nothing would be found there because nothing was said."""
    shell = heard.by("essais at the shell")
    assert {said.where: said.body for said in shell if said.status == 0}
    assert heard.found["essais at the shell"]
    streams = [said for said in heard.by("essais's token") if "/alerts/stream" in said.where]
    assert [said for said in streams if b"data:" in said.body]


def test_a_route_that_nobody_knows_how_to_ask_is_named() -> None:
    known = Known({}, {}, {}, {})
    with pytest.raises(LookupError, match=r"/x/\{secret\}: nothing is known to stand for"):
        list(Route("/x/{secret}", ("secret",), frozenset(), frozenset()).addresses(known))
    with pytest.raises(LookupError, match=r"/x: nothing is known to ask as"):
        list(Route("/x", (), frozenset({"q"}), frozenset({"q"})).addresses(known))


@pytest.mark.parametrize(
    "said",
    [
        b"zqcanary0000qz",
        b"{&quot;x&quot;: &#122;qcanary0000qz}",
        b"%7Aqcanary0000qz",
        b'"\\u007aqcanary0000qz"',
        b"zqcanary0000qz".hex().encode(),
        b'{"payload":"' + base64.b64encode(b'{"a":"zqcanary0000qz"}') + b'"}',
        b"key" + base64.urlsafe_b64encode(b"?>" + b"zqcanary0000qz"),
        base64.b64encode(zstandard.compress(b"zqcanary0000qz")),
        gzip.compress(b"zqcanary0000qz", mtime=0),
    ],
)
def test_a_canary_is_found_however_it_is_wrapped(said: bytes) -> None:
    cage = Cage()
    cage.new(FR, "value", Tlp.RED)
    assert list(cage.found_in(Layers().of(said)))
