from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node.api.hall import Hall, open_hall


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    with open_hall(tmp_path) as made:
        yield made
