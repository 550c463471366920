"""Plays the steps of a scenario through the nodes' doors, one instant after the other.

Every act may be repeated: a report with the same content is known again, a publication or release
that stands already stays. So a play that was cut off is simply played again.
"""

import json
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Self

from node.clock import set_scenario
from node.demo.door import Door
from node.demo.errors import DemoError
from node.demo.prepare import Stage
from node.demo.scenario import Scenario, Step

_QUIET_S = 60.0
_LOOK_S = 0.1
_LOOKS = 2  # quiet twice in a row: nothing was on its way between two nodes


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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for door in self.doors.values():
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
        for step in self._scenario.steps:
            set_scenario(self._stage.clock, step.at)
            self._tell(f"{_shown(step.at)}  {step.says}")
            self._do(step)
            self.settle()
        set_scenario(self._stage.clock, self._scenario.ends_at)

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
            case "report":
                done = json.loads(door.post("/incidents", step.body))
                self._events[step.incident] = (done["origin"], done["event"])
            case "publish":
                origin, event = self.event(step.incident)
                door.post(f"/events/{origin}/{event}/publish", {})
            case "release":
                self._release(step, door)
            case _:
                raise DemoError(f"step at {step.at}: no such act: {step.act}")

    def _release(self, step: Step, door: Door) -> None:
        """Release what the hold queue shows of the step's field, to each party it names."""
        wanted = {self._scenario.org_of(key) for key in step.to}
        origin, event = self.event(step.incident)
        holds: list[dict[str, Any]] = json.loads(door.get("/holds"))
        for hold in holds:
            is_ours = (hold["origin"], hold["event"], hold["field"]) == (origin, event, step.field)
            if is_ours and hold["party"] in wanted:
                names = ("origin", "event", "record", "slot_type", "party")
                body = {name: hold[name] for name in names}
                door.post("/releases", body | {"reason": step.says})


def _shown(at: datetime) -> str:
    return at.strftime("%d %b %H:%MZ")
