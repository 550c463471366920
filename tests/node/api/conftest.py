from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest

from tests.node.api.hall import Hall, furnish, open_hall


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a furnished hall, made once and copied for each test."""
    folder = tmp_path_factory.mktemp("hall")
    furnish(folder)
    return folder


@pytest.fixture
def hall(tmp_path: Path, furnished: Path) -> Iterator[Hall]:
    copytree(furnished, tmp_path / "hall")
    with open_hall(tmp_path / "hall") as made:
        yield made
