"""`isac import misp` names patient data; `isac patients` and `isac quarantine release`."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from node.actions.errors import NotFoundError
from node.cli import app
from tests.node.actions.house import EVENT
from tests.node.test_cli import Shell, shell

__all__ = ["shell"]

TEXT = "Screen of the patient Jeanne Sorensen, born 3 April 1961, was left open."


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "one.json"
    path.write_text(json.dumps({"Event": {**EVENT, "info": TEXT}}))
    return path


def refused(shell: Shell, file: Path) -> str:
    """What is said of a file that does not come in."""
    done = CliRunner().invoke(app, ["import", "misp", str(file), "--data", str(shell.data)])
    assert done.exit_code == 1
    return done.output


def test_a_file_with_patient_data_is_refused_line_by_line(shell: Shell, file: Path) -> None:
    told = refused(shell, file)
    assert "refused one.json: it holds patient data" in told
    assert "one.json/info: characters 23 to 37: a name follows a word for patient" in told
    assert "isac patients release" in told
    assert "0 events" in told
    assert "Sorensen" not in told


def test_what_the_operator_releases_is_taken_in_the_second_time(shell: Shell, file: Path) -> None:
    told = refused(shell, file)
    found = re.findall(r"\(finding ([0-9a-f]{32})\)", told)
    assert len(found) == 2
    assert "2 released" in shell("patients", "release", *found, "--why", "an invented person")
    assert "0 released, 2 were already" in shell("patients", "release", *found, "--why", "again")
    assert "1 events" in shell("import", "misp", str(file))
    listed = shell("patients", "list")
    assert all(each in listed for each in found)
    assert "an invented person" in listed


def test_what_no_peer_sent_is_not_released(shell: Shell) -> None:
    with pytest.raises(NotFoundError):
        shell("quarantine", "release", "1", "--why", "none")
