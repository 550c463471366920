"""Plays the steps of a scenario through the nodes' doors, one instant after the other.

Every act may be repeated: a report with the same content is known again, a publication, release or
declaration that stands already stays. So a play that was cut off is simply played again. Between
the steps everybody looks whom the table asks what he sees (`looks.py`).
"""

import html
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Self

from node.clock import set_scenario
from node.demo.door import Door, Person
from node.demo.errors import DemoError
from node.demo.looks import Looks
from node.demo.prepare import Stage
from node.demo.scenario import Scenario, Step

_QUIET_S = 60.0
_LOOK_S = 0.1
_LOOKS = 2  # quiet twice in a row: nothing was on its way between two nodes
_PART = re.compile(
    r'name="slot" value="(?P<slot>[^"]+)"> <b>(?P<name>[^<]+)</b>(?P<rest>.*?)</label>', re.DOTALL
)
_SMALL = re.compile(r'<span class="soft small">(.*?)</span>', re.DOTALL)


class Play:
    """One run of a scenario: open doors, and the incidents reported so far."""

    def __init__(
        self,
        scenario: Scenario,
        stage: Stage,
        tell: Callable[[str], None],
        check: Callable[[], None],
    ) -> None:
        self._scenario = scenario
        self._stage = stage
        self._tell = tell
        self._events: dict[str, tuple[str, str]] = {}
        self.doors: Mapping[str, Door] = {
            person.login: Door(
                stage.base_urls[person.node],
                stage.access[person.login].token,
                person.login,
                check,
            )
            for person in scenario.people
        }
        self.people: Mapping[str, Person] = {
            person.login: Person(
                stage.base_urls[person.node],
                person.login,
                stage.access[person.login].password,
                check,
            )
            for person in scenario.people
        }
        self.looks = Looks(scenario, stage, self.doors, self.people, self.event)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for door in (*self.doors.values(), *self.people.values()):
            door.close()

    def event(self, incident: str) -> tuple[str, str]:
        """Give (origin, event) of an incident that was reported.

        Raises:
            DemoError: it was not.
        """
        try:
            return self._events[incident]
        except KeyError:
            raise DemoError(f"{incident} has not been reported yet") from None

    def run(self) -> None:
        """Play every step; after each the federation is given the time it needs to be quiet."""
        looks = list(self._scenario.looks)
        for step in self._scenario.steps:
            while looks and looks[0] < step.at:
                self._look(looks.pop(0))
            set_scenario(self._stage.clock, step.at)
            self._tell(f"{_shown(step.at)}  {step.says}")
            self._do(step)
            self.settle()
        for at in looks:
            self._look(at)
        set_scenario(self._stage.clock, self._scenario.ends_at)

    def _look(self, at: datetime) -> None:
        set_scenario(self._stage.clock, at)
        self.looks.look(at)

    def settle(self) -> None:
        """Wait until nothing is left to project, to fetch or to confirm between the nodes.

        Raises:
            DemoError: a minute was not enough; says what still waits.
        """
        until = time.monotonic() + _QUIET_S
        looks = 0
        while looks < _LOOKS:
            waiting = self._waiting()
            looks = 0 if waiting else looks + 1
            if time.monotonic() > until:
                raise DemoError(f"the federation does not come to rest: {'; '.join(waiting)}")
            time.sleep(_LOOK_S)

    def _waiting(self) -> list[str]:
        said = []
        for person in self._scenario.people:
            if person.role in {"operator", "hub_analyst"}:
                state = json.loads(self.doors[person.login].get("/peers"))
                if state["dirty"]:
                    said.append(f"{person.node}: {state['dirty']} logs to project")
                said += [
                    f"{person.node} -> {peer['name']}: {peer['queue']} unsent"
                    for peer in state["peers"]
                    if peer["queue"]
                ]
        return said

    def _do(self, step: Step) -> None:
        door = self.doors[step.by]
        match step.act:
            case "refused":
                _check_found(step, door.find("/incidents", step.body))
            case "report":
                self._release_false_alarms(step, door)
                done = json.loads(door.post("/incidents", step.body))
                self._events[step.incident] = (done["origin"], done["event"])
            case "publish":
                origin, event = self.event(step.incident)
                door.post(f"/events/{origin}/{event}/publish", {})
            case "sight":
                door.post("/sightings", step.body)
            case "release" | "sign":
                self._release(step)
            case "declare":
                self._declare(step)
            case "recall":
                self._recall(step, door)
            case "hand-over":
                self._hand_over(step, door)
            case _:
                raise DemoError(f"step at {step.at}: no such act: {step.act}")

    def _release_false_alarms(self, step: Step, door: Door) -> None:
        """Let the reporter say at the console that what is found is no patient's."""
        found = door.find("/incidents", step.body) if step.no_patient else []
        if found:  # else it was released, and the report taken, in an earlier play
            _check_found(step, found)
            form = {"findings": " ".join(one["id"] for one in found), "reason": step.no_patient}
            self.people[step.by].send("/patients", form)

    def _waiting_for(self, step: Step) -> dict[tuple[str, str, str], list[dict[str, Any]]]:
        """What the hold queue shows of the step's incident for the parties it names, by log."""
        wanted = {self._scenario.org_of(key) for key in step.to}
        _, event = self.event(step.incident)
        found: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
        for hold in json.loads(self.doors[step.by].get("/holds")):
            is_meant = hold["about"] == event and step.field in {None, hold["field"]}
            if is_meant and hold["party"] in wanted:
                key = (hold["origin"], hold["event"], hold["party"])
                found.setdefault(key, []).append(hold)
        return found

    def _release(self, step: Step) -> None:
        """Release what waits at the console: a program cannot."""
        for (origin, event, party), holds in self._waiting_for(step).items():
            form = {
                "slot": [
                    f"{hold['record']}:{hold['slot_type']}:{hold['content']}" for hold in holds
                ],
                "reason": step.says,
                "ground": step.ground,
                "reference": step.reference,
            }
            self.people[step.by].send(f"/holds/{origin}/{event}/{party}", form)

    def _declare(self, step: Step) -> None:
        """Choose at the console what is cut out for an authority."""
        origin, event = self.event(step.incident)
        path, person = f"/events/{origin}/{event}/declare", self.people[step.by]
        parts = list(_parts(person.read(path).decode()))
        slots = [slot for slot, names in parts if names & set(step.chosen)]
        if len(slots) != len(step.chosen):
            raise DemoError(f"step at {step.at}: {len(slots)} of {len(step.chosen)} are there")
        for key in step.to:
            person.send(path, {"to": self._scenario.org_of(key), "slot": slots})

    def _recall(self, step: Step, door: Door) -> None:
        """Take single attributes back; those that are gone were, in an earlier play."""
        origin, event = self.event(step.incident)
        shown = json.loads(door.get(f"/events/{origin}/{event}"))["event"]["attributes"]
        gone = [one["uuid"] for one in shown if one.get("value") in step.chosen]
        if gone:
            body = {"reason": step.reason, "attributes": gone}
            door.post(f"/events/{origin}/{event}/recall", body)

    def _hand_over(self, step: Step, door: Door) -> None:
        """Fetch the files that are released, and put them where their receivers look."""
        _, event = self.event(step.incident)
        for file in json.loads(door.get("/declarations")):
            if file["about"] == event and file["state"] in {"released", "handed over"}:
                content = self.people[step.by].send(f"/files/{file['origin']}/{file['event']}", {})
                folder = self._stage.files(file["party"])
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                (folder / f"{file['event']}-{event}.zip").write_bytes(content)


def _check_found(step: Step, found: list[dict[str, Any]]) -> None:
    """Compare what patient data is found in a stage with what the step says."""
    kinds = sorted(one["kind"] for one in found)
    if kinds != sorted(step.finds):
        raise DemoError(f"step at {step.at}: found {kinds}, not {sorted(step.finds)}")


def _parts(page: str) -> Iterator[tuple[str, set[str]]]:
    """The values that a page offers for a declaration: slot, and what a step may call it."""
    for part in _PART.finditer(page):
        small = _SMALL.findall(part["rest"])
        if len(small) == 1:  # a second one tells of another slot than the value
            name = html.unescape(part["name"]).replace(" ", "_")
            yield part["slot"], {name, html.unescape(small[0])}


def _shown(at: datetime) -> str:
    return at.strftime("%d %b %H:%MZ")
