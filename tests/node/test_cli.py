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
from policies.label import Label
from policies.tlp import Tlp
from sharing.seal.labels import label_record
from sharing.seal.package import write_package
from sharing.seal.records import Header, Kind, Record, SlotType
from sharing.seal.seal import seal as sealed
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
    rules = shell.data / "enrolments"
    rules.mkdir()
    (rules / "fr-health-3.toml").write_text('id = "fr-health"\nversion = 3\n')
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
        "peers:",
    ]


def test_the_doctor_finds_every_ill(shell: Shell) -> None:
    with opened(shell.data) as node, node.store.write() as unit:
        unit.connection.execute(update(audit).where(audit.c.n == 1).values(actor="eve"))
    (shell.data / "roster.json").write_text('{"members": []}')
    (shell.data / "keys" / "cursor.key").chmod(0o644)
    told = [line for line in shell("doctor", code=1).splitlines() if line.startswith("FAIL")]
    assert [line.split()[1] for line in told] == ["keys:", "roster:", "audit:", "peers:"]
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


# ── Packages, without a node ─────────────────────────────────────────────────────────────────────


@pytest.fixture
def package(shell: Shell, tmp_path: Path) -> Path:
    """A package of an event with one attribute, sealed by the node that the roster holds."""
    with opened(shell.data) as node:
        records = [
            label_record(0, Label(Tlp.CLEAR)),
            Record(Header(Kind.CORE, (SlotType.HEAD,), (Tlp.CLEAR,)), (b'{"info":"phish"}',)),
            Record(Header(Kind.ATTRIBUTE, (SlotType.HEAD,), (Tlp.GREEN,)), (b'{"type":"domain"}',)),
        ]
        made = sealed(
            records,
            log="event",
            event="6f0c6a1e-1111-4222-8333-444455556666",
            issuer=node.org,
            signers=node.signers,
            seed=bytes(32),
            class_salt=bytes(16),
            at=node.clock(),
        )
    path = tmp_path / "package"
    path.write_bytes(write_package(made))
    return path


def test_anyone_verifies_redacts_and_shows_a_package(
    shell: Shell, package: Path, tmp_path: Path
) -> None:
    keys, less = ("--keys", str(shell.data / "roster.json")), str(tmp_path / "less")
    verified = run("seal", "verify", str(package), *keys)
    assert (verified.returncode, verified.stderr) == (0, "")
    assert "3 disclosed, 0 withheld" in verified.stdout
    redacted = run("seal", "redact", str(package), "--stricter-than", "clear", "--out", less)
    assert (redacted.returncode, redacted.stdout) == (0, "")
    assert "2 disclosed, 1 withheld" in run("seal", "verify", less, *keys).stdout
    shown = run("seal", "show", less).stdout
    assert "phish" in shown
    assert "domain" not in shown
    assert "nothing is proved" in shown


def test_anyone_merges_and_compares_packages(shell: Shell, package: Path, tmp_path: Path) -> None:
    parts = [str(tmp_path / name) for name in ("one", "two", "both")]
    for part, withheld in zip(parts, "12", strict=False):
        assert run("seal", "redact", str(package), withheld, "--out", part).returncode == 0
    merged = run("seal", "merge", *parts[:2], "--out", parts[2])
    assert (merged.returncode, merged.stdout) == (0, "")
    keys = ("--keys", str(shell.data / "roster.json"))
    assert "3 disclosed, 0 withheld" in run("seal", "verify", parts[2], *keys).stdout
    compared = run("seal", "diff", parts[0], str(package), *keys)
    assert (compared.returncode, compared.stderr) == (0, "")
    assert [line for line in compared.stdout.splitlines() if line.startswith(("+ ", "- "))] == [
        '+ core head [TLP:CLEAR] {"info":"phish"}'
    ]
    assert run("seal", "diff", parts[0]).returncode == 2
    assert run("seal", "merge", parts[0]).returncode == 2


def test_a_package_that_was_altered_is_refused_with_the_check(shell: Shell, package: Path) -> None:
    package.write_bytes(package.read_bytes().replace(b"phish", b"phash"))
    refused = run("seal", "verify", str(package), "--keys", str(shell.data / "roster.json"))
    assert refused.returncode == 1
    assert refused.stdout.startswith("refused: check ")


def test_wrong_usage_of_a_package_exits_2(shell: Shell, package: Path) -> None:
    assert run("seal", "verify", str(package)).returncode == 2
    assert run("seal", "verify", str(package), "--keys", str(package)).returncode == 2
    assert run("seal", "verify", "nowhere", "--keys", str(package)).returncode == 2
    assert run("seal", "redact", str(package), "nine").returncode == 2


# ── Rulebooks ────────────────────────────────────────────────────────────────────────────────────


def test_a_rulebook_is_checked_with_the_floor(tmp_path: Path) -> None:
    own = tmp_path / "own.cedar"
    own.write_text('@id("x")\n@reason("why")\npermit (principal, action, resource);')
    told = run("policy", "check", str(own))
    assert told.returncode == 0
    assert "x: why" in told.stdout
    assert "floor.patient: " in told.stdout
    own.write_text("permit (principal, action, resource);")
    refused = run("policy", "check", str(own))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("isac: rulebook own, policy 1: ")
    assert "members.green" in run("policy", "show", "national").stdout


# ── What others wrote ────────────────────────────────────────────────────────────────────────────


def misp(uuid: str, value: str) -> str:
    attribute = {
        "uuid": uuid.replace("0001", "0002"),
        "type": "domain",
        "category": "Network activity",
        "value": value,
        "timestamp": "1769500000",
    }
    facts = {"uuid": uuid, "info": "x", "date": "2026-01-27", "timestamp": "1769500000"}
    return json.dumps({"Event": facts | {"Attribute": [attribute]}})


def test_a_file_at_fault_is_named_and_the_others_go_on(shell: Shell, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(misp("6f0c6a1e-0001-4222-8333-444455556666", "evil.example"))
    bad.write_text('{"Event": \n oops')
    files = (str(bad), str(good), str(tmp_path / "none.json"))
    done = CliRunner().invoke(app, ["import", "misp", *files, "--data", str(shell.data)])
    assert done.exit_code == 1
    assert "1 events with 1 attributes from 1 of 3 files; 2 refused" in done.stdout
    refused = [line for line in done.stderr.splitlines() if line.startswith("refused ")]
    assert "bad.json" in refused[0]
    assert "line 2" in refused[0]
    assert "none.json: No such file or directory" in refused[1]
    again = shell("import", "misp", str(good))
    assert "1 events with 1 attributes from 1 of 1 files; 0 refused" in again
    assert "was here already" in again
    assert "6f0c6a1e-0001-4222-8333-444455556666" in again


# ── What a newcomer meets ────────────────────────────────────────────────────────────────────────


def test_a_password_is_shown_only_of_whom_was_let_in(shell: Shell) -> None:
    given = ["person", "add", "x", "--role", "hospital", "--data", str(shell.data)]
    done = CliRunner().invoke(app, given)
    assert done.exit_code != 0
    assert "password" not in done.stderr


def test_a_doctor_says_in_one_line_that_the_database_does_not_answer(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ISAC_DATABASE_URL", f"postgresql:///isac?host={shell.data}/nowhere")
    done = CliRunner().invoke(app, ["doctor", "--data", str(shell.data)])
    assert done.exit_code == 1
    assert "FAIL  database: the database does not answer: " in done.stdout
    assert "audit: not looked at" in done.stdout
    assert "ok    keys" in done.stdout


def test_a_peers_entry_is_checked_before_the_roster_is_touched(
    shell: Shell, tmp_path: Path
) -> None:
    before = (shell.data / "roster.json").read_bytes()
    for text in ("[]", '{"name": "x"}', "oops"):
        entry = tmp_path / "entry.json"
        entry.write_text(text)
        done = CliRunner().invoke(app, ["peer", "accept", str(entry), "--data", str(shell.data)])
        assert done.exit_code != 0
        assert "entry.json is no member's entry" in str(done.exception)
    entry.write_text(shell("peer", "show"))
    done = CliRunner().invoke(app, ["peer", "accept", str(entry), "--data", str(shell.data)])
    assert "this node's own entry" in str(done.exception)
    assert (shell.data / "roster.json").read_bytes() == before
