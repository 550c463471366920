"""What must be true when it is quiet again: through each node's own API, and in all its bytes."""

import contextlib
import io
import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import zstandard
from sqlalchemy import MetaData, make_url, select

from node.commands.doctor import examine
from node.commands.setup import tidy
from node.settings import load_settings
from node.storage import tables, tables_feed
from node.storage.store import open_store
from tests.chaos.cast import NAMES, Cast, org_of
from tests.chaos.crew import LOG
from tests.chaos.said import CANARY, RED, Event, Said
from tests.chaos.writers import Door

_LOOK_S = 0.25
_SOUGHT = 200  # letters of a value that is searched for
_ZSTD = b"\x28\xb5\x2f\xfd"
_CONTENT = {"holding", "entry"}  # what a node has of events, to be shown and found


class NotQuietError(AssertionError):
    """The federation does not come to rest."""


def wait_until_quiet(doors: Iterable[Door], said: Said, limit_s: float) -> float:
    """Wait until nothing is left to project, fetch or confirm; gives the seconds it took."""
    began = time.monotonic()
    doors = [*doors]
    while waiting := [*_waiting(doors, said)]:
        if time.monotonic() - began > limit_s:
            raise NotQuietError(f"after {limit_s:.0f} s: {'; '.join(waiting)}")
        time.sleep(_LOOK_S)
    return time.monotonic() - began


def _waiting(doors: Iterable[Door], said: Said) -> Iterator[str]:
    quiet = True
    for door in doors:
        state = json.loads(door.get("/peers").raise_for_status().content)
        told = [f"{state['dirty']} logs to project"] if state["dirty"] else []
        for peer in state["peers"]:
            if peer["queue"]:
                told.append(f"{peer['queue']} unsent to {peer['name']}")
            if peer["state"] != "in step":
                told.append(f"{peer['name']} is {peer['state']} ({peer['last_error']})")
            if "now" in peer["repair"] or "failed" in peer["repair"]:
                told.append(f"{peer['name']}: {peer['repair']}")
        quiet = quiet and not told
        yield from (f"{door.name}: {one}" for one in told)
    if quiet:
        yield from _unconfirmed(doors, said)


def _unconfirmed(doors: Iterable[Door], said: Said) -> Iterator[str]:
    by_name = {door.name: door for door in doors}
    for event in said.events.values():
        if event.is_recalled:
            path = f"/events/{org_of(event.owner)}/{event.uuid}/recall"
            told = json.loads(by_name[event.owner].get(path).raise_for_status().content)
            if told["pending"]:
                yield f"{event.owner}: recall of {event.uuid} is {told['told']}"


class Checks:
    """Looks at a federation that is quiet; `faults` says in a sentence each what is wrong."""

    def __init__(self, cast: Cast, said: Said) -> None:
        self._cast = cast
        self._said = said
        self.deliveries = 0
        self.faults: list[str] = []

    # Through the doors

    def through(self, door: Door) -> None:
        """Everything that the node's staff sees is what was said, once, and nothing else."""
        wanted = set[str]()
        for event in self._said.events.values():
            if self._sees(door.name, event):
                wanted.add(event.uuid)
            self._event(door, event)
            if event.owner == door.name:
                self._ledger(door, event)
        listed = Counter(self._listed(door))
        self._must(max(listed.values(), default=1) == 1, f"{door.name} lists an event twice")
        for uuid in wanted ^ listed.keys():
            self._must(False, f"{door.name} {'lacks' if uuid in wanted else 'lists'} {uuid}")
        state = json.loads(door.get("/peers").content)
        self._must(not state["equivocations"], f"{door.name}: {state['equivocations']}")
        self._must(not state["damaged"], f"{door.name}: {state['damaged']} damaged")
        self._doctor(door.name)

    def _sees(self, name: str, event: Event) -> bool:
        return any(self._shown(name, event, colour) for _, colour in event.texts())

    def _shown(self, name: str, event: Event, colour: str) -> bool:
        """Whether a token of the node's staff is shown a text of that colour: never what is RED."""
        return not event.is_recalled and colour != RED and event.may_have(name, colour)

    def _event(self, door: Door, event: Event) -> None:
        answer = door.get(f"/events/{org_of(event.owner)}/{event.uuid}")
        about = f"{event.uuid} of {event.owner} at {door.name}"
        if not self._sees(door.name, event):
            self._must(answer.status_code == 404, f"{about}: {answer.status_code}, though not its")
            return
        self.deliveries += door.name != event.owner
        if answer.status_code != 200:
            self._must(False, f"{about}: {answer.status_code} {answer.text[:200]}")
            return
        seen: dict[str, Any] = json.loads(answer.content)["event"]
        title = event.title if self._shown(door.name, event, event.colour) else None
        self._must(seen.get("info") == title, f"{about}: the title is {seen.get('info')!r}")
        wanted = [
            (uuid, f"{value.text} {value.bulk}" if value.bulk else value.text)
            for uuid, value in event.values.items()
            if self._shown(door.name, event, value.colour)
        ]
        there = [(one["uuid"], one.get("value")) for one in seen.get("attributes", ())]
        self._must(
            sorted(wanted) == sorted(there), f"{about}: {_short(there)}, not {_short(wanted)}"
        )
        for text in [text for _, text in wanted if len(text) <= _SOUGHT][:1]:  # searching is slow
            hits = json.loads(door.get("/search", value=text).content)
            self._must(len(hits) == 1, f"{about}: {text} is found {len(hits)} times")

    def _ledger(self, door: Door, event: Event) -> None:
        """Whoever has it has confirmed it by a signed request; a token asks of no RED event."""
        answer = door.get(f"/events/{org_of(event.owner)}/{event.uuid}/ledger")
        if not event.is_recalled and not self._sees(door.name, event):
            self._must(answer.status_code == 404, f"ledger of {event.uuid}: {answer.status_code}")
            return
        lines = json.loads(answer.raise_for_status().content)["lines"]
        last = {line["party"]: line for line in lines}
        for name in NAMES:
            if name == event.owner or not event.texts_for(name):
                continue
            line = last.get(org_of(name))
            about = f"ledger of {door.name} on {event.uuid} for {name}"
            self._must(line is not None, f"{about}: nothing")
            if line is not None:
                is_proven = line["confirmed_at"] is not None and line["proven"]
                self._must(line["op"] == "PUT" and is_proven, f"{about}: {line}")

    def _listed(self, door: Door) -> Iterator[str]:
        after = ""
        while True:
            query = {"limit": "200", **({"after": after} if after else {})}
            page = json.loads(door.get("/events", **query).raise_for_status().content)
            yield from (row["event"] for row in page["rows"])
            if page["next"] is None:
                return
            after = page["next"]

    # In the bytes, when all nodes have ended

    def in_bytes(self) -> None:
        """Nothing is kept where it never might be; what was taken back is nowhere held any more.

        In the files, too, once their operator has tidied them: `node/storage/store.py` says why.
        """
        for home in self._cast.homes.values():
            with contextlib.redirect_stdout(io.StringIO()):
                tidy(home)
        seals: dict[tuple[object, ...], set[str]] = {}
        for name, home in self._cast.homes.items():
            due = set().union(*(one.texts_for(name) for one in self._said.events.values()))
            held = set[str]()
            for place, found in (*_rows(home), *_files(home)):
                texts = {one.decode() for one in found}
                for text in sorted(texts - due):
                    self._must(False, f"{text} is at {name}, in {place}: {self._about(text)}")
                self._must(place != LOG or not found, f"{name} logs {texts}")
                held |= texts if place in _CONTENT else set()
            for text in sorted(due - held):
                self._must(False, f"{name} lacks {text}: {self._about(text)}")
            for key, seal in _seals(home):
                seals.setdefault(key, set()).add(seal)
            self.faults += errors(home)
        for key, found_seals in seals.items():
            self._must(len(found_seals) == 1, f"log forked: {key} has the seals {found_seals}")

    def _about(self, text: str) -> str:
        whom = self._said.ever.get(text)
        if whom is None:
            return "nobody ever said it"
        return f"once for {', '.join(sorted(whom)) or 'nobody'}"

    def _doctor(self, name: str) -> None:
        """What `isac doctor` says: the chain of the audit is unbroken, among other things."""
        with contextlib.redirect_stdout(io.StringIO()) as told:
            is_well = examine(self._cast.homes[name])
        self._must(is_well, f"{name}: {told.getvalue()}")

    def _must(self, holds: bool, what: str) -> None:
        if not holds:
            self.faults.append(what)


def _short(values: list[tuple[str, Any]]) -> list[tuple[str, str]]:
    return [(uuid[:8], str(value)[:24]) for uuid, value in values]


def _rows(home: Path) -> Iterator[tuple[str, set[bytes]]]:
    """The canaries in each row of each table of a node, unpacked where it is packed."""
    store = open_store(load_settings(home).database)
    try:
        with store.read() as unit:
            there = MetaData()
            there.reflect(unit.connection)
            for table in there.sorted_tables:
                for row in unit.connection.execute(select(table)):
                    found = set[bytes]()
                    for value in row:
                        found |= set(CANARY.findall(_as_bytes(value)))
                    if found:
                        yield table.name, found
    finally:
        store.close()


def _files(home: Path) -> Iterator[tuple[str, set[bytes]]]:
    """The same of each file as it lies on the disk: the home's, and the database's if it is one."""
    address = make_url(load_settings(home).database)
    database = Path(address.database or "") if address.get_backend_name() == "sqlite" else None
    besides = [] if database is None else database.parent.glob(f"{database.name}*")
    for path in {*home.rglob("*"), *besides}:
        if path.is_file() and (found := set(CANARY.findall(path.read_bytes()))):
            yield path.name, found


def _as_bytes(value: object) -> bytes:
    if isinstance(value, memoryview | bytes):
        raw = bytes(value)
        packed = zstandard.ZstdDecompressor().stream_reader(raw) if raw[:4] == _ZSTD else None
        return raw if packed is None else packed.read()
    return str(value).encode()


def _seals(home: Path) -> Iterator[tuple[tuple[object, ...], str]]:
    """What a node knows to be the seal of a version: what it holds, and all that it ever gave."""
    store = open_store(load_settings(home).database)
    try:
        with store.read() as unit:
            for table in (tables.holding, tables_feed.ledger):
                columns = (table.c.origin, table.c.event, table.c.epoch, table.c.seq, table.c.seal)
                rows = select(*columns)
                if table is tables_feed.ledger:
                    rows = rows.where(table.c.op == "PUT")
                for *key, seal in unit.connection.execute(rows):
                    yield tuple(key), seal
    finally:
        store.close()


def refusals(home: Path) -> int:
    """How often the node refused what came to it, for another reason than that nothing came."""
    return sum(
        line.get("event") == "pull failed" and "check the network" not in str(line.get("why"))
        for line in _log_lines(home)
    )


def errors(home: Path) -> Iterator[str]:
    """What the node logged as a fault of its own."""
    for line in _log_lines(home):
        if line.get("level") in {"error", "critical"}:
            last = str(line.get("exception", "")).strip().rpartition("\n")[2]
            yield f"{home.name} at {line.get('timestamp')}: {line.get('event')}: {last}"


def _log_lines(home: Path) -> Iterator[dict[str, Any]]:
    for text in (home / LOG).read_text(errors="replace").splitlines():
        with contextlib.suppress(ValueError):  # who is killed may be in the middle of a line
            line = json.loads(text)
            if isinstance(line, dict):
                yield line
