"""The gates that a change passes, and the lock files: `./isac check`, `./isac lock`.

Rules: standard library only; every gate runs, even after one failed; each says how long it took.
"""

import difflib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FLOORS = "from importlinter.cli import lint_imports_command as check; check()"
GATES = {
    "format": ["-m", "ruff", "format", "--check", "--quiet", "."],
    "style": ["-m", "ruff", "check", "--quiet", "."],
    "types": ["-m", "mypy"],
    "types of the scripts": ["-m", "mypy", "isac", ".ci/gates.py"],
    "floors": ["-c", FLOORS, "--no-logo"],
    "tree": ["-m", "pytest", "tests/tree", "-n0", "-q", "--no-header"],
}

# Names, versions and hashes; never the host they came from.
COMPILE = ["uv", "pip", "compile", "--universal", "--generate-hashes", "--no-header", "--quiet"]
COMPILE += ["--no-emit-index-url", "--python-version=3.11"]
LOCKS = {
    "requirements.lock": ["pyproject.toml"],
    "requirements-test.lock": ["pyproject.toml", "--extra=test", "-c", "requirements.lock"],
    "requirements-uv.lock": ["-", "-c", "requirements-test.lock", "--no-annotate"],
}
UV_UNREACHABLE = 2  # uv's exit status when a registry does not answer; 1 means no solution


def main(arguments: list[str]) -> int:
    """Do what was asked; return the exit status."""
    os.chdir(ROOT)
    match arguments:
        case ["check"]:
            return check()
        case ["lock", *flags]:
            return lock(flags)
        case _:
            print("usage: isac check | lock [--upgrade]", file=sys.stderr)
            return 2


def check() -> int:
    """Run every gate; 0 when all hold."""
    outcomes = [gate(name, command) for name, command in GATES.items()]
    outcomes.append(locks_are_current())
    return 0 if all(outcomes) else 1


def gate(name: str, command: list[str]) -> bool:
    """Run one gate; its output is shown only when it fails."""
    began = time.monotonic()
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout + done.stderr)
    report(name, holds=done.returncode == 0, began=began)
    return done.returncode == 0


def report(name: str, *, holds: bool, began: float) -> None:
    """Print one gate's line."""
    word = "ok" if holds else "FAILED"
    print(f"{word:6} {name} ({time.monotonic() - began:.1f} s)", flush=True)


# ── Lock files ───────────────────────────────────────────────────────────────────────────────────


def lock(flags: list[str]) -> int:
    """Make the lock files again in place; 0 when all could be made."""
    for name in LOCKS:
        done = compile_lock(name, ROOT / name, flags)
        if done.returncode:
            print(done.stderr)
            return done.returncode
        print(f"made   {name}")
    return 0


def locks_are_current() -> bool:
    """Make each lock file again beside the old one and compare."""
    began = time.monotonic()
    holds = True
    with tempfile.TemporaryDirectory() as folder:
        for name in LOCKS:
            again = Path(folder) / name
            again.write_bytes((ROOT / name).read_bytes())  # what is pinned stays where it can
            done = compile_lock(name, again, [])
            if done.returncode == UV_UNREACHABLE:
                print(f"NOT CHECKED: {name}: the package registry cannot be reached", flush=True)
                return True
            if done.returncode or again.read_bytes() != (ROOT / name).read_bytes():
                holds = False
                print(done.stderr, *changes(ROOT / name, again), sep="\n")
                print(f"{name} is not what pyproject.toml asks for: run make lock")
    report("lock files", holds=holds, began=began)
    return holds


def compile_lock(name: str, target: Path, flags: list[str]) -> subprocess.CompletedProcess[str]:
    """Resolve one lock file into the target."""
    command = [sys.executable, "-m", *COMPILE, *LOCKS[name], *flags, "--output-file", str(target)]
    return subprocess.run(command, input="uv", capture_output=True, text=True, check=False)


def changes(old: Path, new: Path) -> list[str]:
    """List the lines that differ."""
    lines = difflib.unified_diff(
        old.read_text().splitlines(), new.read_text().splitlines(), lineterm="", n=0
    )
    return [line for line in lines if line[0] in "+-"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
