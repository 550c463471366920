"""One version, told in two places."""

import tomllib

from node.version import VERSION
from tests.conftest import ROOT


def test_the_program_and_the_project_file_name_the_same_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == VERSION
