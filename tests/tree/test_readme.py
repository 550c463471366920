"""What the pages for people tell them to type exists."""

import re
import runpy
from pathlib import PurePosixPath

import pytest
import typer
from typer.core import TyperGroup

from node.cli import app
from node.settings import Settings
from tests.tree.files import ROOT, project_files, text_of

PAGES = tuple(name for name in project_files() if name.endswith(".md"))
# In code: after a backtick, or at the start of a column of an indented line.
TYPED = r"(?:`|^ {4}|^ {4}.* {2,})(?:\./)?"
MAKE = re.compile(TYPED + r"make ([a-z]+)", re.MULTILINE)
ISAC = re.compile(TYPED + r"isac ((?:[a-z]+ ?)+)", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
TARGET = re.compile(r"^([a-z]+):.*## ", re.MULTILINE)


def command_of(typed: str) -> str | None:
    """The command that the words begin with, or None."""
    command = typer.main.get_command(app)
    known = []
    for word in typed.split():
        if not isinstance(command, TyperGroup):
            break
        if word not in command.commands:
            return None
        command = command.commands[word]
        known.append(word)
    return " ".join(known)


def test_a_made_up_command_would_be_seen() -> None:
    text = "    ./isac conjure x\n    make tea   and   ./isac peer conjure\nsay `isac peer list`"
    assert ISAC.findall(text)[0].split() == ["conjure", "x"]
    assert MAKE.findall(text) == ["tea"]
    assert command_of("conjure x") is None
    assert command_of("peer conjure") is None
    assert command_of("peer list all of them") == "peer list"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_only_make_targets_that_exist(page: str) -> None:
    assert set(MAKE.findall(text_of(page))) <= set(TARGET.findall(text_of("Makefile")))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_only_commands_that_exist(page: str) -> None:
    launcher = set(runpy.run_path(str(ROOT / "isac"), run_name="read")["OURS"])
    typed = [words for words in ISAC.findall(text_of(page)) if words.split()[0] not in launcher]
    assert [words for words in typed if command_of(words) is None] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_link_leads_to_a_file_of_ours(page: str) -> None:
    folder = PurePosixPath(page).parent
    assert [to for to in LINK.findall(text_of(page)) if not (ROOT / folder / to).exists()] == []


def test_the_readme_names_both_commands_of_a_newcomer() -> None:
    assert {"run", "test", "check"} <= set(MAKE.findall(text_of("README.md")))


def test_the_node_has_no_command_of_the_launchers_name() -> None:
    launcher = set(runpy.run_path(str(ROOT / "isac"), run_name="read")["OURS"])
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    assert not launcher & set(group.commands)


def test_every_setting_says_what_it_does() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
