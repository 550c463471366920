"""One source at each node, that says one thing after the other and insists until it is taken.

What it says has its uuids and times before it is said first, so that saying it again is the same.
"""

import threading
import time
from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import httpx2

from tests.chaos.cast import NAMES, Cast, org_of
from tests.chaos.said import (
    AMBER,
    CLEAR,
    GREEN,
    RED,
    STRICT,
    Event,
    Said,
    Value,
    bulk,
    canary,
    fresh_uuid,
)

ANSWER_S = 5.0
REPEATED = 200  # of an act that makes something; a recall always answers so
TAKEN = (201, REPEATED)
_AGAIN = (500, 502, 503, 504)  # a node that is hit may say so; what it did is asked for again
_AT = 1769500000
_BULK = (12, 100_000)  # so many values of that length: more than a page takes in line
_COLOURS = (CLEAR, GREEN, GREEN, GREEN, AMBER, AMBER, AMBER, STRICT, RED)


class Door:
    """A node's own API, opened with its operator's token."""

    def __init__(self, cast: Cast, name: str, timeout: float = ANSWER_S) -> None:
        self.name = name
        self.org = org_of(name)
        self._client = httpx2.Client(
            base_url=f"{cast.door(name)}/api/v1",
            headers={"Authorization": f"Bearer {cast.tokens[name]}"},
            timeout=timeout,
            trust_env=False,
        )

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, **query: str) -> httpx2.Response:
        return self._client.get(path, params=query)

    def post(self, path: str, body: dict[str, Any]) -> httpx2.Response:
        return self._client.post(path, json=body)


class Writer(threading.Thread):
    """The source at one node."""

    def __init__(self, cast: Cast, name: str, said: Said, *, seed: int, pause_s: float) -> None:
        super().__init__(name=f"writer {name}", daemon=True)
        self._door = Door(cast, name)
        self._owner = name
        self._said = said
        self._chance = Random(f"{seed} writer {name}")
        self._pause_s = pause_s
        self._ending = threading.Event()
        self.counts = Counter[str]()
        self.fault: str | None = None

    def end(self) -> None:
        """Say nothing new; what is being said is said to its end."""
        self._ending.set()

    def run(self) -> None:
        try:
            while not self._ending.wait(self._chance.expovariate(1 / self._pause_s)):
                self._speak()
        except Exception as error:  # noqa: BLE001  a thread's fault is the run's fault
            self.fault = f"{self.name}: {error!r}"
        finally:
            self._door.close()

    def _speak(self) -> None:
        mine = self._said.of(self._owner)
        acts = (self._new, self._grow, self._edit, self._relabel, self._recall)
        act = self._chance.choices(acts, weights=(50, 14, 12, 12, 12))[0]
        if act == self._new or not mine:
            self._new()
        else:
            act(self._chance.choice(mine))

    def _new(self, _: Event | None = None) -> None:
        chance, colour = self._chance, self._chance.choice(_COLOURS)
        others = [name for name in NAMES if name != self._owner]
        is_named = colour == STRICT or (colour in {GREEN, AMBER} and chance.random() < 0.5)
        named = frozenset(chance.sample(others, chance.randint(1, 3))) if is_named else frozenset()
        only = bool(named) and colour == GREEN
        values = {
            fresh_uuid(chance): Value(canary(chance), colour) for _ in range(chance.randint(1, 3))
        }
        if chance.random() < 0.05:
            count, length = _BULK
            for text in (bulk(chance, length) for _ in range(count)):
                values[fresh_uuid(chance)] = Value(canary(chance), colour, "text", text)
        event = Event(self._owner, fresh_uuid(chance), canary(chance), colour, named, only, values)
        body = {
            "Event": {
                "uuid": event.uuid,
                "info": event.title,
                "date": "2026-01-27",
                "timestamp": str(_AT),
                "Attribute": [_as_misp(event, *each) for each in values.items()],
            },
            "tlp": colour,
            "addressees": sorted(map(org_of, named)),
            "only": only,
            "publish": True,
        }
        self._insist("/events", body, event)

    def _grow(self, event: Event) -> None:
        self._change(event, fresh_uuid(self._chance), Value(canary(self._chance), event.colour))

    def _edit(self, event: Event) -> None:
        uuid, value = self._one_of(event)
        self._change(event, uuid, replace(value, text=canary(self._chance)))

    def _relabel(self, event: Event) -> None:
        """Make one value stricter; who had it loses it."""
        uuid, value = self._one_of(event)
        stricter = {CLEAR: AMBER, GREEN: AMBER}.get(value.colour, RED)
        self._change(event, uuid, replace(value, colour=stricter))

    def _recall(self, event: Event) -> None:
        gone = replace(event, is_recalled=True)
        self._insist(self._path(event, "recall"), {"reason": "error"}, gone)

    def _one_of(self, event: Event) -> tuple[str, Value]:
        return self._chance.choice(sorted(event.values.items(), key=lambda one: one[0]))

    def _change(self, event: Event, uuid: str, value: Value) -> None:
        changed = event.with_value(uuid, value)
        body = {"Attribute": [_as_misp(event, uuid, value)]}
        self._insist(self._path(event, "attributes"), body, changed)

    def _path(self, event: Event, act: str) -> str:
        return f"/events/{self._door.org}/{event.uuid}/{act}"

    def _insist(self, path: str, body: dict[str, Any], event: Event) -> None:
        """Say it until it is acknowledged."""
        self._said.try_to(event)
        while True:
            try:
                answer = self._door.post(path, body)
            except httpx2.TransportError:
                self.counts["unanswered"] += 1
                time.sleep(0.2)
                continue
            if answer.status_code in TAKEN:
                self.counts["known already"] += answer.status_code == REPEATED
                self._said.acknowledged(event)
                return
            if answer.status_code not in _AGAIN:
                raise AssertionError(f"{path}: {answer.status_code} {answer.text[:500]}")
            self.counts[f"status {answer.status_code}"] += 1
            time.sleep(0.2)


def _as_misp(event: Event, uuid: str, value: Value) -> dict[str, Any]:
    tags = [] if value.colour == event.colour else [{"name": f"tlp:{value.colour}"}]
    category = "Network activity" if value.type == "domain" else "Other"
    return {
        "uuid": uuid,
        "type": value.type,
        "category": category,
        "value": f"{value.text} {value.bulk}" if value.bulk else value.text,
        "timestamp": str(_AT),
        "to_ids": value.type == "domain",
        "Tag": tags,
    }
