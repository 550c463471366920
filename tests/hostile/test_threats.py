"""The list of threats in the README names tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.findall(
    r"`(tests/[\w/]+\.py)::(test_\w+)`", Path(__file__).with_name("README.md").read_text()
)


def test_the_list_is_read() -> None:
    assert len(NAMED) > 20


@pytest.mark.parametrize(("file", "test"), sorted(set(NAMED)))
def test_a_threat_has_its_test(file: str, test: str) -> None:
    assert re.search(rf"^def {test}\(", (ROOT / file).read_text(), re.MULTILINE)
