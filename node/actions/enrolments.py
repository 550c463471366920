"""The enrolment rules that hospitals accepted: whom this node may name on their behalf (D11).

A rule is a file of the operator, `enrolments/<id>-<version>.toml` in the data directory, in the
form that `sharing/incidents/enrolment.py` reads; a hospital's row names the one it accepted, like
`fr-health/3`. A version is never edited: a changed rule is a new one, for whom accepts it.
"""

import re
from pathlib import Path

from node.errors import SettingsError
from node.settings import Settings
from sharing.errors import SharingError
from sharing.incidents.enrolment import Enrolment, read_enrolment

FOLDER = "enrolments"
NOBODY_NAMED = Enrolment(id="none", version=0)
"""What holds for an organisation that accepted no rule: only what GREEN and CLEAR allow leaves."""

_RULE = re.compile(r"([a-z0-9][a-z0-9-]{0,50})/([0-9]{1,6})")


def rule_file(settings: Settings, rule: str) -> Path:
    """Give where the rule `id/version` lies.

    Raises:
        SettingsError: the name is none.
    """
    match = _RULE.fullmatch(rule)
    if match is None:
        raise SettingsError(f"enrolment rule {rule!r}: want a name like fr-health/3")
    return settings.data / FOLDER / f"{match[1]}-{match[2]}.toml"


def read_rule(settings: Settings, rule: str | None) -> Enrolment:
    """Give the rule an organisation accepted, or the one that names nobody if it accepted none.

    Raises:
        SettingsError: there is no such file, or it holds another rule or none.
    """
    if not rule:
        return NOBODY_NAMED
    path = rule_file(settings, rule)
    try:
        found = read_enrolment(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, SharingError) as error:
        raise SettingsError(f"enrolment rule {rule}: {path}: {error}") from error
    if found.ground != rule:
        raise SettingsError(f"enrolment rule {rule}: {path} holds {found.ground}")
    return found
