"""A storm of half a minute over real processes, on each database; longer ones are run by hand."""

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest

from node.demo.prepare import free_ports
from tests.chaos.proxy import CUT, DROP, FATES, FLIP, HALF_OPEN, Weather
from tests.chaos.run import PATIENCE_S, play

pytestmark = pytest.mark.loopback
SEED = 7
STORM_S = 60.0
SENT = bytes(range(250)) * 80  # longer than any place where a fate strikes


@pytest.mark.timeout(3 * PATIENCE_S)
def test_what_is_acknowledged_in_a_storm_is_where_it_may_be_and_nowhere_else(
    tmp_path: Path, database_urls: Callable[[], str]
) -> None:
    outcome = play(tmp_path / "nodes", database_urls, seed=SEED, seconds=STORM_S, pause_s=1.5)
    assert outcome.faults == []
    outcome.counts["fates"] = sum(outcome.counts[fate] for fate in FATES)
    few = {
        "kills": 5,
        "stops": 2,
        "fates": 10,
        "events": 10,
        "deliveries": 10,
    }  # or it was no storm
    assert {what: n for what, n in few.items() if outcome.counts[what] < n} == {}


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that gives back what it got."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    one, _ = listener.accept()
                except OSError:
                    return
                with one, suppress(ConnectionError):
                    while chunk := one.recv(65536):
                        one.sendall(chunk)

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def through(echo: int, *fates: str) -> tuple[bytes, Weather]:
    """What comes back of what is sent through a proxy that gives each connection such a fate."""
    (port,) = free_ports(1)
    with Weather({"X": (port, echo)}, seed=1, sick=1.0, hang_s=0.1, fates=fates) as weather:
        if fates:
            weather.storm()
        with socket.create_connection(("127.0.0.1", port), timeout=10) as one:
            one.sendall(SENT)
            with suppress(OSError):  # it may have been cut before
                one.shutdown(socket.SHUT_WR)
            got = b"".join(iter(lambda: one.recv(65536), b""))
    return got, weather


def test_an_honest_proxy_passes_every_byte(echo: int) -> None:
    got, weather = through(echo)
    assert got == SENT
    assert weather.counts == {"connections": 1}


def test_a_flip_changes_one_byte_and_a_drop_makes_a_hole(echo: int) -> None:
    got, weather = through(echo, FLIP)
    assert [a == b for a, b in zip(got, SENT, strict=True)].count(False) == 1
    assert weather.counts[FLIP] == 1
    got, _ = through(echo, DROP)
    assert 0 < len(SENT) - len(got) <= 64


@pytest.mark.parametrize("fate", [CUT, HALF_OPEN])
def test_who_is_cut_or_left_half_open_is_told_by_a_reset(echo: int, fate: str) -> None:
    with pytest.raises(ConnectionResetError):
        through(echo, fate)
