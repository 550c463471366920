"""`isac group` from the shell: list, show, add, set, end."""

from pathlib import Path

import pytest

from node.actions.errors import ConflictError, NotFoundError
from node.actions.people import caller_named
from node.actions.submit import submit_event
from node.commands.shown import opened
from tests.node.actions.house import EVENT
from tests.node.test_cli_policy import Shell

STRANGER = "1c9e6a10-54c1-4f55-8a41-94a9d4b2aa78"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def said(shell: Shell, *words: str, code: int = 0) -> str:
    return shell("group", *words, "--as", "operator", code=code)


def test_a_group_is_made_shown_changed_and_ended(shell: Shell) -> None:
    told = said(shell, "add", "Imaging", "--member", "BE", "--member", STRANGER)
    group = told.split()[1].rstrip(";")
    with opened(shell.data) as node:
        other = {**EVENT, "uuid": STRANGER, "distribution": 4, "sharing_group_id": 1}
        body = {"Event": other, "tlp": "green", "publish": True}
        submit_event(node, caller_named(node, "operator"), body)
    listed = said(shell, "list")
    assert group in listed
    assert STRANGER in listed  # who cannot be reached
    seen = said(shell, "show", "1")
    assert "1 events are for it" in seen
    assert "nobody: neither enrolled here nor a member of the federation" in seen

    dry = said(shell, "set", "Imaging", "--member", STRANGER, "--dry-run")
    assert dry.strip() == "1 event taken from node BE"
    assert "node BE" in said(shell, "show", group)
    done = said(shell, "set", "Imaging", "--member", STRANGER)
    assert "1 event taken from node BE" in done
    assert "sealed anew: 1" in done
    assert "node BE" not in said(shell, "show", group)
    via = said(shell, "set", "Imaging", "--member", f"{STRANGER}=BE")
    assert "1 event newly to node BE" in via

    assert "1 event taken from node BE" in said(shell, "end", "Imaging")
    assert "ended" in said(shell, "list")
    with pytest.raises(ConflictError):
        said(shell, "set", "Imaging", "--name", "again", code=1)
    with pytest.raises(NotFoundError):
        said(shell, "show", "nothing", code=1)
