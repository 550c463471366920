"""Every row of the list of threats in the README names a test that exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = Path(__file__).with_name("README.md").read_text()
ROWS = [line for line in README.partition("| attacker |")[2].splitlines()[2:] if line]


@pytest.mark.parametrize("row", ROWS)
def test_a_threat_has_its_test(row: str) -> None:
    named = re.search(r"`(tests/[\w/]+\.py)::(test_\w+)` \|$", row)
    assert named, row
    file, test = named.groups()
    assert re.search(rf"^def {test}\(", (ROOT / file).read_text(), re.MULTILINE)


def test_the_list_is_read() -> None:
    assert len(ROWS) > 40
