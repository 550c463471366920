"""The files that belong to the project: what git tracks or would track."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("federation", "migrations", "node", "policies", "sharing")
LOWER_FLOORS = ("federation", "policies", "sharing")


@cache
def project_files() -> tuple[str, ...]:
    """Every file's path below the root, sorted; new files count before they are committed."""
    # CI may run as another user than the one who cloned.
    git = ["git", "-c", "safe.directory=*"]
    command = [*git, "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(sorted(name for name in listed.splitlines() if (ROOT / name).is_file()))


def sources(*folders: str) -> tuple[str, ...]:
    """The Python files below the folders."""
    starts = tuple(f"{folder}/" for folder in folders)
    return tuple(n for n in project_files() if n.startswith(starts) and n.endswith(".py"))


@cache
def text_of(name: str) -> str:
    """The text of a file; a picture or a database has none."""
    return (ROOT / name).read_bytes().decode(errors="ignore")


@cache
def tree_of(name: str) -> ast.Module:
    """The syntax tree of a Python file."""
    return ast.parse(text_of(name), name)
