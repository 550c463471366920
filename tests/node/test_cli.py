"""`isac` from the shell: what each command says and leaves behind."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from node.actions.people import caller_from_token
from node.cli import app
from node.commands.shown import opened
from node.storage.tables import audit
from tests.node.nodes import HOSPITAL, ORG, PASSWORD

INIT = ("init", "--name", "Node FR", "--country", "FR", "--org", ORG)


class Shell:
    """Runs commands on one data directory."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.password_file = data.parent / "password"
        self.password_file.write_text(PASSWORD + "\n")

    def __call__(self, *arguments: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, [*arguments, "--data", str(self.data)])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, done.output
        return done.stdout


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    made = Shell(tmp_path / "fr")
    made(*INIT, "--password-file", str(made.password_file))
    return made


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "node.cli", *arguments], capture_output=True, text=True, check=False
    )


def test_init_makes_a_node_with_an_operator_and_again_changes_nothing(shell: Shell) -> None:
    again = shell(*INIT)
    assert "operator" not in again
    assert shell("person", "list").splitlines()[1].split() == [
        "operator",
        "operator",
        ORG,
        "let",
        "in",
    ]
    assert "Node FR" in shell("org", "list")


def test_a_password_that_nobody_gave_is_made_and_shown_once(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, [*INIT, "--data", str(tmp_path / "fr")])
    assert done.exit_code == 0
    assert "password (shown once): " in done.stderr
    assert "shown once" not in done.stdout


def test_hospitals_people_and_tokens_from_the_shell(shell: Shell) -> None:
    shell("org", "add", "--name", "CH Val-Exemple", "--org", HOSPITAL, "--enrolment", "fr-health/3")
    password = ("--password-file", str(shell.password_file))
    shell("person", "add", "nadia", "--role", "hospital", "--org", HOSPITAL, *password)
    token = shell("token", "make", "nadia", "--days", "7").strip()
    with opened(shell.data) as node:
        caller = caller_from_token(node, token)
    assert caller is not None
    assert (caller.name, caller.org) == ("nadia", HOSPITAL)
    shell("token", "revoke", "nadia", token[:12])
    shell("person", "disable", "nadia")
    assert "shut out" in shell("person", "list")
    (hospital,) = [line for line in shell("org", "list").splitlines() if HOSPITAL in line]
    assert hospital.split()[1:4] == ["hospital", "FR", "fr-health/3"]


def test_nodes_accept_each_other(shell: Shell, tmp_path: Path) -> None:
    other = Shell(tmp_path / "be")
    other("init", "--name", "Node BE", "--country", "BE", "--port", "8081")
    entry = tmp_path / "be.json"
    entry.write_text(other("peer", "show"))
    shell("peer", "accept", str(entry))
    (line,) = [line for line in shell("peer", "list").splitlines() if "node BE" in line]
    assert json.loads(entry.read_text())["org"] in line
    assert "not asked yet" in line
    assert "nobody else" in other("peer", "list")


def test_migrating_says_whether_there_was_anything_to_do(shell: Shell) -> None:
    assert "nothing to do" in shell("migrate")
    (shell.data / "isac.db").unlink()
    assert "reached now" in shell("migrate")


def test_the_doctor_finds_a_sound_node_sound(shell: Shell) -> None:
    told = shell("doctor")
    assert "FAIL" not in told
    assert [line.split()[1] for line in told.splitlines()] == [
        "settings:",
        "keys:",
        "roster:",
        "database:",
        "audit:",
        "clock:",
        "disk:",
    ]


def test_the_doctor_finds_every_ill(shell: Shell) -> None:
    with opened(shell.data) as node, node.store.write() as unit:
        unit.connection.execute(update(audit).where(audit.c.n == 1).values(actor="eve"))
    (shell.data / "roster.json").write_text('{"members": []}')
    (shell.data / "keys" / "cursor.key").chmod(0o644)
    told = [line for line in shell("doctor", code=1).splitlines() if line.startswith("FAIL")]
    assert [line.split()[1] for line in told] == ["keys:", "roster:", "audit:"]
    assert "line 1 was changed" in told[2]


def test_the_doctor_begins_with_the_settings(tmp_path: Path) -> None:
    assert "FAIL  settings" in Shell(tmp_path / "none")("doctor", code=1)


def test_a_refusal_is_one_line_and_no_traceback(tmp_path: Path) -> None:
    done = run("token", "make", "claire", "--data", str(tmp_path))
    assert done.returncode == 1
    assert done.stdout == ""
    assert all(line.startswith(("isac: ", "setting ")) for line in done.stderr.splitlines())
    assert "isac init" in done.stderr


def test_wrong_usage_exits_2() -> None:
    assert run("token", "make").returncode == 2
    assert run("nothing").returncode == 2


def test_help_answers_without_loading_what_it_does_not_need() -> None:
    listing = "import sys, node.cli; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, check=True
    )
    heavy = {"sqlalchemy", "alembic", "fastapi", "pydantic", "cryptography", "cedarpy", "rich"}
    assert heavy.isdisjoint(loaded.stdout.split())
