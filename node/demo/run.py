"""`isac demo`: prepares the nodes, starts them, plays the scenario, shows or checks the result."""

import signal
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from rich.console import Console
from rich.table import Table

from node.clock import set_scenario
from node.demo.canaries import find_canaries
from node.demo.check import Outcome, Verdict, check_table
from node.demo.errors import DemoError
from node.demo.play import Play
from node.demo.prepare import Stage, prepare
from node.demo.processes import Supervisor
from node.demo.scenario import Scenario, shipped_scenario

_WIDTH = 200  # of a table in a file or a pipe
_MARKS = {
    Verdict.OK: "[green]ok[/]",
    Verdict.FAIL: "[bold red]FAIL[/]",
    Verdict.LATER: "[dim]later[/]",
}


def run(*, check: bool, directory: Path | None = None) -> int:
    """Run the demo until Ctrl-C; with `check` until the table has been compared.

    `directory` is where the nodes live (default: `var/demo`, or for a check a new one that is
    removed afterwards); a directory with a demo in it is gone on with.

    Returns the exit status: 0, or 1 where a cell or a canary fails or the demo cannot go on.
    """
    for ending in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # SIGINT too: a shell ignores it for background jobs
        signal.signal(ending, _interrupt)
    console = Console() if sys.stdout.isatty() else Console(width=_WIDTH)
    if directory is None and check:
        with TemporaryDirectory(prefix="isac-demo-") as fresh:
            return _run(Path(fresh), console, check=True)
    return _run(directory or Path("var", "demo"), console, check=check)


def _run(directory: Path, console: Console, *, check: bool) -> int:
    scenario = shipped_scenario()
    began = time.monotonic()
    try:
        stage = prepare(scenario, directory.absolute())
        with Supervisor(stage.homes, console.print) as supervisor:
            _say_where(scenario, stage, console)
            with Play(scenario, stage, console.print, supervisor.check) as play:
                play.run()
                if check:
                    return _check(scenario, stage, play, console, began)
            set_scenario(stage.clock, scenario.ends_at, rate=1)
            _say_how(scenario, stage, console)
            _wait(supervisor)
    except DemoError as error:
        console.print("[bold red]demo:[/]", str(error), soft_wrap=True, markup=True)
        return 1
    except KeyboardInterrupt:
        console.print("All nodes ended.")
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt


def _say_where(scenario: Scenario, stage: Stage, console: Console) -> None:
    console.print(f"Scenario {scenario.name}: {len(scenario.nodes)} nodes in {stage.directory}")
    for plan in scenario.nodes:
        console.print(f"  {plan.name:36} {stage.base_urls[plan.key]}", highlight=False)


def _say_how(scenario: Scenario, stage: Stage, console: Console) -> None:
    table = Table("where", "who", "login", "password", box=None, pad_edge=False)
    for person in scenario.people:
        who = scenario.name_of(person.org)
        password = stage.access[person.login].password
        table.add_row(stage.base_urls[person.node], f"{who}, {person.role}", person.login, password)
    console.print(table)
    home = stage.homes["fr"]
    console.print(
        "Try: sign in as amelie, open an event, see who got what and why.\n"
        f"     isac import misp --data {home} --tlp green --publish FILES…\n"
        "Ctrl-C ends all nodes; the same command goes on where this one stopped.",
        highlight=False,
    )


def _wait(supervisor: Supervisor) -> None:
    """Stay until interrupted, or until a node does not stay up."""
    forever = threading.Event()
    while not forever.wait(0.5):
        supervisor.check()


def _check(scenario: Scenario, stage: Stage, play: Play, console: Console, began: float) -> int:
    outcomes = list(check_table(scenario, play.looks.seen))
    _print_table(scenario, outcomes, console)
    for later in scenario.later:
        console.print(f"later  {later.at:%d %b %H:%MZ}  {later.says} (waits for {later.waits_for})")
    faults = [
        *(f"{one.datum} / {one.column}: {one.why}" for one in outcomes if one.why),
        *find_canaries(stage.homes, scenario.canaries),
    ]
    for fault in faults:
        console.print(f"FAIL   {fault}", style="red", markup=False, soft_wrap=True)
    counts = {verdict: sum(one.verdict is verdict for one in outcomes) for verdict in Verdict}
    around = sum(len(cells) > 1 for row in scenario.rows for cells in row.cells.values())
    console.print(
        f"{counts[Verdict.OK]} cells ok, {counts[Verdict.FAIL]} failed, {counts[Verdict.LATER]} "
        f"later; {around} of them before and after a release; "
        f"{len(faults) - counts[Verdict.FAIL]} canaries found; {time.monotonic() - began:.0f} s"
    )
    return 1 if faults else 0


def _print_table(scenario: Scenario, outcomes: Iterable[Outcome], console: Console) -> None:
    table = Table("datum", *(column.title for column in scenario.columns), box=None)
    verdicts = {(one.datum, one.column): _MARKS[one.verdict] for one in outcomes}
    for row in scenario.rows:
        marks = (verdicts[row.datum, column.key] for column in scenario.columns)
        table.add_row(row.datum, *marks)
    console.print(table)
