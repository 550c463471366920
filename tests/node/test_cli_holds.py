"""`isac hold`, `isac export` and `isac ledger`: two persons at one shell, each in his own name."""

import json
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from node.actions.errors import BadInputError, ConflictError, NotFoundError
from node.cli import app
from tests.node.actions.house import EARLY_WARNING
from tests.node.nodes import HOSPITAL, ORG
from tests.node.test_cli import Shell, shell

__all__ = ["shell"]

POLICE = "1c9e6a10-54c1-4f55-8a41-94a9d4b2aa09"
AS_HUGO = ("--as", "hugo")
ORDER = ("--ground", "order", "--reference", "PR 26/0412")
BECAUSE = ("--reason", "case 7")


@pytest.fixture
def event(shell: Shell, tmp_path: Path) -> str:
    """An incident of a hospital, reported at the shell; gives its event."""
    shell("org", "add", "--name", "CH Val-Exemple", "--org", HOSPITAL)
    kind = ("--kind", "law_enforcement")
    shell("org", "add", "--name", "Police judiciaire", "--org", POLICE, *kind)
    shell("person", "add", "claire", "--role", "hospital", "--org", HOSPITAL)
    shell("person", "add", "hugo", "--role", "analyst")
    stage = tmp_path / "stage.json"
    more = {"contact_email": "soc@hospital.example", "ransom_amount": 1500000}
    stage.write_text(json.dumps({**EARLY_WARNING, **more}))
    told = shell("submit", str(stage), "--as", "claire")
    return told.split(f"event {ORG} ")[1].split()[0]


def waiting(shell: Shell) -> str:
    return shell("hold", "list").partition("\n")[2]


def test_what_waits_is_listed_and_released_by_two(shell: Shell, event: str) -> None:
    listed = waiting(shell)
    assert "ransom_amount (amber+strict)" in listed
    assert "hold.ransom" in listed
    assert "two persons in different roles" in listed
    staff = ("hold", "release", event, "--to", "this node's staff", *BECAUSE)
    assert "0 released to this node's staff, 2 waiting" in shell(*staff)
    assert "operator" in waiting(shell)
    assert "2 released to this node's staff, 0 waiting" in shell(*staff, *AS_HUGO)
    assert waiting(shell) == ""
    with pytest.raises(NotFoundError):
        shell(*staff)


def test_a_file_is_declared_released_by_two_and_taken(
    shell: Shell, event: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    cut = ("export", "declare", event, "--to", "Police judiciaire")
    told = shell(*cut, "--field", "entity_name", "--value", "198.51.100.23")
    declaration = told.split()[1]
    assert "was there already" in shell(*cut, "--field", "entity_name", "--value", "198.51.100.23")
    with pytest.raises(NotFoundError, match="nonsense"):
        shell(*cut, "--field", "nonsense")
    with pytest.raises(ConflictError):
        shell("export", "take", declaration, "--out", str(out))
    to_police = (declaration, "--to", "police judiciaire")
    bytes_told = shell("hold", "preview", *to_police, "--out", str(tmp_path / "preview.ndjson"))
    for who in ((), AS_HUGO):
        shell("hold", "release", *to_police, *BECAUSE, *ORDER, *who)
    assert "operator, operator; hugo, analyst" in shell("export", "list")
    shell("export", "take", declaration, "--out", str(out))
    with zipfile.ZipFile(out / f"declaration-{declaration}.zip") as archive:
        package = archive.read("declaration.ndjson")
        assert "CH Val-Exemple" in archive.read("summary.txt").decode()
    assert package == (tmp_path / "preview.ndjson").read_bytes()
    assert bytes_told.startswith(f"{len(package)} bytes")
    (tmp_path / "declaration.ndjson").write_bytes(package)
    roster = shell.data / "roster.json"
    done = CliRunner().invoke(
        app, ["seal", "verify", str(tmp_path / "declaration.ndjson"), "--keys", str(roster)]
    )
    assert done.exit_code == 0, done.output


def test_the_ledger_answers_at_the_shell(shell: Shell, event: str, tmp_path: Path) -> None:
    assert shell("ledger", "198.51.100.23").count("\n") == 1
    told = shell("export", "declare", event, "--to", POLICE, "--value", "198.51.100.23")
    declaration = told.split()[1]
    for who in ((), AS_HUGO):
        shell("hold", "release", declaration, "--to", POLICE, *BECAUSE, *ORDER, *who)
    shell("export", "take", declaration, "--out", str(tmp_path))
    for asked in (("198.51.100.23",), ("--event", event)):
        told = shell("ledger", *asked)
        assert "Police judiciaire" in told
        assert "by file" in told
        assert "in person" in told
    for odd in ((), ("198.51.100.23", "--event", event)):
        with pytest.raises(BadInputError):
            shell("ledger", *odd)
