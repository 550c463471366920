"""A federation in which every peer but one is hostile: what the victim makes of what they answer.

Each trick is played by a member of its own, all of them at once and all the time,
while an honest one shares an event with each page and people ask the victim's API.
"""

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import pytest

from federation.feed import FEED_PATH
from federation.gossip import ROSTER_PATH
from tests.hostile.forging import Forger, entry_of, org_of, put, sealed
from tests.hostile.raw import MIB, Heard, Server, Speak, reply, serving
from tests.hostile.rooted import hold
from tests.hostile.trick import HELD, HONEST, LOG, SHARED, Trick, page
from tests.hostile.tricks_items import ITEMS
from tests.hostile.tricks_pages import PAGES
from tests.hostile.victim import Refused, Victim, until, victim

GROWS_MIB = 64  # from the first attack to the end
MOST_MIB = 192  # at any moment: a page may be 64 MiB (D31), and eight peers are read at a time
WAITS_S = 10.0  # the honest peer, for the next question; the people, for an answer

TRICKS = PAGES | ITEMS
# Who plays these is honest at first, and what was good stays.
AT_FIRST = ("goes_on_in_another_life", "seals_two_statements_for_one_version")


@dataclass
class Hostility:
    """The victim among its peers, and how long others waited meanwhile."""

    victim: Victim
    server: Server
    baseline_kib: int
    asked_at: list[float] = field(default_factory=list)
    answered_s: list[float] = field(default_factory=list)
    quarantine: list[Refused] = field(default_factory=list)

    def has_told(self, name: str, trick: Trick) -> bool:
        """Whether the victim says what it should of the trick."""
        return trick.told in self.told(name, trick)

    def told(self, name: str, trick: Trick) -> str:
        """What the victim says of the trick so far."""
        started = time.monotonic()
        if trick.where == LOG:
            lines = self.victim.log(event="roster not fetched", peer=org_of(name))
            return "\n".join(str(line["why"]) for line in lines)
        peers = self.victim.peers()
        self.answered_s.append(time.monotonic() - started)
        return str(peers[org_of(name)][trick.where])

    def play_out(self) -> None:
        """Wait until every trick has been played at least once."""
        tricks = [(name, trick) for name, trick in TRICKS.items() if not trick.check]
        for name, trick in tricks:
            until(partial(self.has_told, name, trick), trick.told)

    def grown(self, which: str) -> int:
        """Bytes of memory more than before the first trick."""
        return (self.victim.memory_kib(which) - self.baseline_kib) * 1024

    def refused(self, name: str) -> list[Refused]:
        """What the victim has in quarantine from who plays this trick."""
        org = org_of(name)
        if not any(row.src == org for row in self.quarantine):
            self.quarantine = self.victim.quarantine()
        return [row for row in self.quarantine if row.src == org]


def playing(name: str, trick: Trick) -> Speak:
    """What the member answers who plays this trick."""
    me = Forger(name)

    def speak(heard: Heard, connection: socket.socket) -> None:
        if not heard.path.startswith(trick.answers):
            connection.sendall(reply(b"", "text/plain", status="404 Not Found"))
            return
        wire = trick.play(me, heard)
        for piece in [wire] if isinstance(wire, bytes) else wire:
            connection.sendall(piece)

    return speak


def honest(asked_at: list[float]) -> Speak:
    """A member who shares another event with each page."""
    me = Forger(HONEST)

    def speak(heard: Heard, connection: socket.socket) -> None:
        if not heard.path.startswith(FEED_PATH):
            connection.sendall(reply(b"", "text/plain", status="404 Not Found"))
            return
        asked_at.append(time.monotonic())
        place = me.place(heard.asked)
        shared = sealed(me.name, f"Event {place}") if place else SHARED
        connection.sendall(page(me.page(heard.asked, [put(shared, place + 1)])))

    return speak


def entry(name: str, trick: Trick, server: Server) -> dict[str, object]:
    """The member who plays this trick."""
    dates = {"compromised_since": trick.compromised_since} if trick.compromised_since else {}
    return entry_of(name, trick.base_url or server.url(name), trick.role, **dates)


@pytest.fixture(scope="module")
def hostility(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostility]:
    asked_at: list[float] = []
    parts = {name: playing(name, trick) for name, trick in TRICKS.items()}
    parts[HONEST] = honest(asked_at)
    with serving(parts) as server:
        members = {name: entry(name, trick, server) for name, trick in TRICKS.items()}
        members[HONEST] = entry_of(HONEST, server.url(HONEST))
        # Rosters are asked for once a minute, but at a node's start.
        early = [HONEST, *(name for name, trick in TRICKS.items() if trick.where == LOG)]
        first = [members[name] for name in early]
        allowed = [f"127.0.0.1:{server.port}"]
        data = tmp_path_factory.mktemp("victim")
        with victim(data, first, allowed, prepare=lambda node: hold(node, HELD)) as served:
            until(lambda: bool(asked_at), "the honest peer is asked")
            baseline = served.memory_kib()
            served.admit([*members.values()])
            until(lambda: len(served.peers()) == len(members), "the roster is read")
            yield Hostility(served, server, baseline, asked_at)


@pytest.mark.parametrize("name", [name for name, trick in TRICKS.items() if not trick.check])
def test_a_peer_is_refused_as_a_whole_that(name: str, hostility: Hostility) -> None:
    trick = TRICKS[name]
    until(lambda: hostility.has_told(name, trick), trick.told)


@pytest.mark.parametrize("name", [name for name, trick in TRICKS.items() if trick.check])
def test_an_item_is_put_in_quarantine_of_a_peer_that(name: str, hostility: Hostility) -> None:
    trick, org = TRICKS[name], org_of(name)
    until(lambda: hostility.victim.peers()[org]["quarantined"] > 0, "it is in quarantine")
    rows = hostility.refused(name)
    assert rows
    for row in rows:
        assert (row.check, trick.told in row.why) == (trick.check, True), row


def test_what_was_refused_is_nowhere_to_be_read_and_what_the_honest_share_is(
    hostility: Hostility,
) -> None:
    hostility.play_out()
    rows = hostility.victim.get("/api/v1/events?limit=500")[1]["rows"]
    assert {row["origin"] for row in rows} == {org_of(name) for name in (HONEST, *AT_FIRST)}
    path = f"/api/v1/events/{org_of(HONEST)}/{SHARED.statement.event}"
    assert "What the honest one shares" in str(hostility.victim.get(path))


def test_the_roster_stays_the_one_that_was_held(hostility: Hostility) -> None:
    liars = {name for name, trick in TRICKS.items() if trick.where == LOG}

    def are_asked() -> bool:
        heard = [one for one in hostility.server.heard if one.path.startswith(ROSTER_PATH)]
        return liars <= {one.name for one in heard}

    until(are_asked, "everybody is asked for a roster")
    assert f"roster {HELD}, 0 members" in hostility.victim.command("roster", "status")


def test_all_this_while_the_honest_peer_was_asked_and_people_were_answered(
    hostility: Hostility,
) -> None:
    hostility.play_out()
    asked = [*hostility.asked_at, time.monotonic()]
    assert len(asked) > 5
    assert max(later - earlier for earlier, later in pairwise(asked)) < WAITS_S
    assert max(hostility.answered_s) < WAITS_S


def test_all_this_while_memory_stayed_flat(hostility: Hostility) -> None:
    hostility.play_out()
    assert hostility.grown("VmHWM") < MOST_MIB * MIB
    # A page of 64 MiB may be on its way once more just now.
    until(lambda: hostility.grown("VmRSS") < GROWS_MIB * MIB, "its memory is as it was", 20)
