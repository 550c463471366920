"""`isac policy` from the shell: check, test, show, explain, diff, apply, approve, history."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from node.actions.errors import ActionError, BadInputError, NotAllowedError, NotFoundError
from node.actions.people import caller_named
from node.actions.submit import submit_event
from node.cli import app
from node.commands.shown import opened
from node.roster import own_entry, put_members
from node.settings import load_settings
from policies.errors import BadRulebookError
from policies.rulebook import shipped
from tests.node.actions.house import EVENT
from tests.node.federation.ruling import NATIONAL, TIGHTER
from tests.node.nodes import PASSWORD

CASES = """
[party.peer]
kind = "node"
country = "BE"
[[case]]
says = "GREEN goes to Belgium"
subject = { tlp = "green" }
party = "peer"
relation = ["published", "direct"]
expect = "disclose"
for = ["members.green"]
"""


class Shell:
    """A node FR with BE in its roster, two operators, and one event for both."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "fr"
        password = folder / "password"
        password.write_text(PASSWORD + "\n")
        for name in ("fr", "be"):
            country = name.upper()
            chosen = ("--name", f"Node {country}", "--country", country)
            url = f"https://{name}.example.org"
            self(
                "init", *chosen, "--base-url", url, "--password-file", password, data=folder / name
            )
        with opened(folder / "be") as belgium:
            entry = own_entry(belgium.settings, belgium.keys)
        put_members(load_settings(self.data).roster_file, [entry])
        self("person", "add", "bernard", "--role", "operator", "--password-file", password)
        with opened(self.data) as node:
            body = {"Event": EVENT, "tlp": "green", "publish": True}
            submit_event(node, caller_named(node, "operator"), body)

    def __call__(self, *arguments: object, data: Path | None = None, code: int = 0) -> str:
        words = [*map(str, arguments), "--data", str(data or self.data)]
        return plain(*words, code=code)

    def file(self, text: str, name: str = "next.cedar") -> Path:
        path = self.folder / name
        path.write_text(text)
        return path


def plain(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, words)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.stdout


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


AS, AS_BERNARD = ("--as", "operator"), ("--as", "bernard")


def test_a_file_is_checked_without_a_node(tmp_path: Path) -> None:
    file = tmp_path / "next.cedar"
    file.write_text(TIGHTER)
    assert "no.green-to-be: nothing but TLP:CLEAR goes to Belgium for now" in plain(
        "policy", "check", str(file)
    )
    file.write_text(TIGHTER.replace("tlp >= 2", "tpl >= 2"))
    with pytest.raises(BadRulebookError, match=r"no\.green-to-be: .*tpl"):
        plain("policy", "check", str(file))
    file.write_bytes(b"\xff")
    with pytest.raises(BadInputError, match="UTF-8"):
        plain("policy", "check", str(file))


def test_a_shipped_rulebook_is_checked_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = plain("policy", "check", "national")
    assert told.startswith(f"national unversioned {shipped('national').digest}\n")
    (tmp_path / "national").write_text(TIGHTER)  # a file of that name comes first
    assert "no.green-to-be: " in plain("policy", "check", "national")


def test_cases_beside_a_file_or_a_shipped_name_give_the_exit_status(tmp_path: Path) -> None:
    assert "cases as expected" in plain("policy", "test", "national")
    file = tmp_path / "next.cedar"
    file.write_text(NATIONAL)
    (tmp_path / "next.cases.toml").write_text(CASES)
    told = plain("policy", "test", str(file))
    assert told.endswith("1 of 1 cases as expected\n")
    assert "no case expects members.named to decide" in told
    file.write_text(TIGHTER)
    told = plain("policy", "test", str(file), code=1)
    assert "FAIL  GREEN goes to Belgium: expected disclose for members.green" in told
    assert "the answer is withhold for no.green-to-be" in told
    assert told.endswith("0 of 1 cases as expected\n")
    elsewhere = tmp_path / "elsewhere.toml"
    elsewhere.write_text(
        CASES.replace("disclose", "withhold").replace("members.green", "no.green-to-be")
    )
    plain("policy", "test", str(file), "--cases", str(elsewhere))


def test_a_file_that_is_not_there_is_named_with_what_to_start_from(tmp_path: Path) -> None:
    file = tmp_path / "next.cedar"
    start = "closed, community, hub, national"
    for words in (("check", file), ("test", file)):
        with pytest.raises(BadInputError, match=rf"next\.cedar: there is no.*{start}.*--text"):
            plain("policy", *map(str, words))
    file.write_text(NATIONAL)
    with pytest.raises(BadInputError, match=rf"next\.cases\.toml: there is no.*--cases.*{start}"):
        plain("policy", "test", str(file))
    (tmp_path / "next.cases.toml").write_text(plain("policy", "show", "national", "--cases"))
    assert "cases as expected" in plain("policy", "test", str(file))
    with pytest.raises(BadInputError, match="there is no such file"):
        plain("policy", "test", "national", "--cases", str(tmp_path / "none.toml"))
    for none in (str(tmp_path), ""):
        with pytest.raises(BadInputError, match="cannot be read: Is a directory"):
            plain("policy", "test", none)
    with pytest.raises(BadInputError, match=f"come with {start}"):
        plain("policy", "show", "--cases")


def test_the_rulebook_in_force_is_shown_and_its_text_can_be_edited(shell: Shell) -> None:
    told = shell("policy", "show")
    assert told.startswith("national 1 ")
    assert "in force; by program" in told
    assert "floor.red: " in told
    assert shell("policy", "show", "--text") == NATIONAL
    assert "closed 1 " in shell("policy", "show", "closed")
    with pytest.raises(BadInputError, match="no number of the history"):
        shell("policy", "show", "nothing")
    with pytest.raises(NotFoundError):
        shell("policy", "show", "7")


def test_an_event_is_explained_to_a_party_by_country(shell: Shell) -> None:
    told = shell("policy", "explain", EVENT["uuid"], "--to", "be", *AS)
    assert "to node BE" in told
    assert "0 held, 0 withheld" in told
    assert "members.green" in told
    with pytest.raises(NotFoundError, match="party XX"):
        shell("policy", "explain", EVENT["uuid"], "--to", "XX", *AS)
    with pytest.raises(NotFoundError, match="event"):
        shell("policy", "explain", "5e1f8a30-0000-4b5e-9a2f-6d5c4b3a2f10", "--to", "BE", *AS)


def test_diff_lists_events_and_reasons_and_says_whether_it_needs_another(shell: Shell) -> None:
    told = shell("policy", "diff", shell.file(TIGHTER), *AS)
    assert "+ policy no.green-to-be" in told
    assert "1 event recalled from node BE" in told
    assert f"  {EVENT['uuid']} {EVENT['info']} (recalled, +0 -" in told
    assert "because nothing but TLP:CLEAR goes to Belgium for now (no.green-to-be)" in told
    assert "it is in force as soon as it is applied" in told
    assert "1  " in shell("policy", "history")
    assert "another operator has to approve it" in shell("policy", "diff", "hub", *AS)


def test_narrowing_is_applied_by_one_widening_by_two(shell: Shell) -> None:
    told = shell("policy", "apply", shell.file(TIGHTER), "--why", "a quarrel", *AS)
    assert told.startswith("rulebook 2 next ")
    assert "in force" in told
    told = shell("policy", "apply", "national", "--why", "made up", *AS)
    assert "rulebook 3 national" in told
    assert "`isac policy approve 3`" in told
    with pytest.raises(NotAllowedError, match="another operator"):
        shell("policy", "approve", "3", *AS)
    assert "1 event newly to node BE" in shell("policy", "diff", "3", *AS_BERNARD)
    assert "in force" in shell("policy", "approve", "3", *AS_BERNARD)
    history = [line.split() for line in shell("policy", "history").splitlines()[1:]]
    assert [line[0] for line in history] == ["3", "2", "1"]
    assert "bernard" in history[0]


def test_a_proposal_is_turned_down(shell: Shell) -> None:
    shell("policy", "apply", shell.file(TIGHTER), "--why", "a quarrel", *AS)
    shell("policy", "apply", "national", "--why", "made up", "--name", "again", *AS)
    told = shell("policy", "reject", "3", "--reason", "not yet", *AS_BERNARD)
    assert "rulebook 3 again" in told
    assert "rejected" in told
    assert "not yet" in shell("policy", "history")


def test_an_invalid_file_changes_nothing(shell: Shell) -> None:
    bad = shell.file(TIGHTER.replace("@reason", "@because"))
    with pytest.raises(ActionError, match="has no @reason"):
        shell("policy", "apply", bad, "--why", "x", *AS)
    assert shell("policy", "show").startswith("national 1 ")
