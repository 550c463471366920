import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from node.clock import ScenarioClock, set_scenario, wall_clock
from node.errors import ClockError
from tests.node.nodes import START, HandClock


def write(path: Path, **told: object) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(told))
    fresh.replace(path)


def test_wall_time_is_aware_and_utc() -> None:
    assert wall_clock().tzinfo is UTC


def test_a_standing_clock_stands(tmp_path: Path) -> None:
    wall, path = HandClock(), tmp_path / "clock.json"
    write(path, at="2026-01-28T17:00:00Z", wall=START.timestamp(), rate=0)
    clock = ScenarioClock(path, wall)
    wall.turn(hours=5)
    assert clock() == datetime(2026, 1, 28, 17, tzinfo=UTC)


def test_a_running_clock_runs_from_where_it_was_set(tmp_path: Path) -> None:
    wall, path = HandClock(), tmp_path / "clock.json"
    write(path, at="2026-01-28T18:00:00+01:00", wall=START.timestamp(), rate=1)
    clock = ScenarioClock(path, wall)
    wall.turn(minutes=3)
    assert clock() == datetime(2026, 1, 28, 17, 3, tzinfo=UTC)


def test_all_readers_turn_when_the_file_is_replaced(tmp_path: Path) -> None:
    path, later = tmp_path / "clock.json", START + timedelta(days=1)
    set_scenario(path, START)
    clocks = [ScenarioClock(path), ScenarioClock(path)]
    set_scenario(path, later)
    assert [clock() for clock in clocks] == [later, later]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"at": "2026-01-28T17:00:00", "wall": 0, "rate": 0}', '{"at": 1, "wall": 0}'],
)
def test_a_file_that_tells_no_time_stops_the_start(tmp_path: Path, text: str) -> None:
    path = tmp_path / "clock.json"
    path.write_text(text)
    with pytest.raises(ClockError, match=r"clock\.json"):
        ScenarioClock(path)


def test_a_missing_file_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ClockError, match="no scenario clock"):
        ScenarioClock(tmp_path / "none.json")
