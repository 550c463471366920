"""`./isac` prepares once, never takes packages away, and says what to do when it cannot."""

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

from tests.tree.files import ROOT


@pytest.fixture
def isac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The launcher as a module, at work in an empty folder."""
    loader = SourceFileLoader("launcher", str(ROOT / "isac"))
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    spec = spec_from_loader("launcher", loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    locks = {"run": tmp_path / "run.lock", "test": tmp_path / "test.lock"}
    vars(module).update(
        ROOT=tmp_path,
        TOOLS=tmp_path / ".tools",
        LOG=tmp_path / ".tools" / "setup.log",
        VENV=tmp_path / ".venv",
        PYTHON=tmp_path / ".venv" / "bin" / "python",
        STAMP=tmp_path / ".venv" / "isac-stamp",
        LOCKS=locks,
        UV_LOCK=tmp_path / "uv.lock",
    )
    for lock in (*locks.values(), module.UV_LOCK):
        lock.write_text("one==1\n")
    return module


@pytest.fixture
def filled(isac: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sets that were installed, in order; installing makes an empty `.venv`."""
    sets: list[str] = []

    def fill(chosen: str) -> None:
        sets.append(chosen)
        isac.PYTHON.parent.mkdir(parents=True, exist_ok=True)
        isac.PYTHON.touch()
        if chosen == "test":
            (isac.PYTHON.parent / "pytest").touch()

    monkeypatch.setattr(isac, "fill", fill)
    return sets


def test_a_second_start_installs_nothing(isac: ModuleType, filled: list[str]) -> None:
    isac.prepare("run")
    isac.prepare("run")
    assert filled == ["run"]


def test_the_test_set_serves_a_start(isac: ModuleType, filled: list[str]) -> None:
    isac.prepare("run")
    isac.prepare("test")
    isac.prepare("run")
    assert filled == ["run", "test"]


def test_a_changed_lock_renews_the_set_that_is_there(isac: ModuleType, filled: list[str]) -> None:
    isac.prepare("test")
    isac.LOCKS["test"].write_text("one==2\n")
    isac.prepare("run")
    isac.LOCKS["run"].write_text("one==2\n")
    isac.prepare("run")
    assert filled == ["test", "test"]


def test_test_tools_that_somebody_else_installed_stay(isac: ModuleType, filled: list[str]) -> None:
    isac.prepare("test")
    isac.STAMP.unlink()
    isac.prepare("run")
    assert filled == ["test", "test"]


def test_a_missing_interpreter_is_made_again(isac: ModuleType, filled: list[str]) -> None:
    isac.prepare("run")
    isac.PYTHON.unlink()
    isac.prepare("run")
    assert filled == ["run", "run"]


def test_a_step_that_fails_leaves_no_stamp(
    isac: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_chosen: str) -> None:
        isac.VENV.mkdir()
        raise isac.SetupError("no")

    monkeypatch.setattr(isac, "fill", fails)
    with pytest.raises(isac.SetupError):
        isac.prepare("run")
    assert not isac.is_ready("run")


def test_pip_takes_over_where_uv_fails(isac: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []

    def run(done: str, _command: list[str]) -> None:
        steps.append(done)
        if done == "fetched uv":
            raise isac.SetupError("no uv for this machine")

    monkeypatch.setattr(isac, "run", run)
    isac.fill("run")
    assert steps == ["fetched uv", "made .venv", "installed the packages with pip"]


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        ("/usr/bin/python3: No module named pip", "install python3-pip"),
        ("error: Hash mismatch for `six==1.17.0`", "check your mirror"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "check your mirror"),
        ("cause: tcp connect error", "check network"),
        ("error: No space left on device (os error 28)", "the disk is full"),
        ("something new", "a set-up step failed"),
    ],
)
def test_a_failed_step_says_what_to_do(isac: ModuleType, output: str, advice: str) -> None:
    log = f"$ pip install --require-hashes\nfine, disconnected\n$ uv pip sync\n{output}\n"
    assert advice in isac.what_to_do(log)


def test_a_step_fails_with_its_output_in_the_log(isac: ModuleType) -> None:
    isac.TOOLS.mkdir()
    with pytest.raises(isac.SetupError, match="a set-up step failed"):
        isac.run("ran", ["sh", "-c", "echo alas; exit 3"])
    assert "alas" in isac.LOG.read_text()


def test_programs_get_only_what_keeps_them_in_this_folder(
    isac: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("PYTHONPATH", "/somewhere/else")
    monkeypatch.setenv("PIP_USER", "1")
    given = isac.environment()
    assert given["PYTHONPATH"] == str(isac.ROOT)
    assert not {"PYTHONDONTWRITEBYTECODE", "PIP_USER"} & set(given)
