"""The rules hospitals accepted, as files of the operator."""

from pathlib import Path

import pytest

from node.actions.enrolments import NOBODY_NAMED, read_rule, rule_file
from node.errors import SettingsError
from node.settings import Settings

HUB = "1a6f1f3e-0004-4000-8000-0000000e0004"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path, org=HUB, name="hub", country="GR")


def write(settings: Settings, rule: str, text: str) -> None:
    path = rule_file(settings, rule)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def test_a_rule_is_read_by_the_name_it_was_accepted_under(settings: Settings) -> None:
    write(settings, "fr-health/3", f'id = "fr-health"\nversion = 3\nhub = "{HUB}"\n')
    assert read_rule(settings, "fr-health/3").hub == HUB
    assert rule_file(settings, "fr-health/3").name == "fr-health-3.toml"


def test_who_accepted_no_rule_lets_nobody_be_named(settings: Settings) -> None:
    assert read_rule(settings, None) == read_rule(settings, "") == NOBODY_NAMED
    assert not NOBODY_NAMED.named


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("fr-health/3", None),
        ("fr-health/3", 'id = "fr-health"\nversion = 4\n'),
        ("fr-health/3", "not toml"),
        ("fr-health/3", 'id = "fr-health"\nversion = 3\nlets = "everybody"\n'),
        ("../../etc/passwd", None),
        ("fr-health", None),
        ("FR/3", None),
    ],
)
def test_a_rule_that_is_not_what_its_name_says_is_refused(
    settings: Settings, rule: str, text: str | None
) -> None:
    if text is not None:
        write(settings, rule, text)
    with pytest.raises(SettingsError, match="enrolment rule"):
        read_rule(settings, rule)
