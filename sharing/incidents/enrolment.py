"""The enrolment rule a hospital accepted: whom it lets its node name, and for what.

It is data, a TOML text with an id and a version that every cut rests on (decisions.md D11):

    id = "fr-health"
    version = 3
    hub = "<org uuid>"           # the hub, for the fields the table means for it
    amber_to_hub = true          # also those of colour AMBER
    [named]                      # field name, or "indicators" -> org uuids
    supplier_name = ["<org uuid>", …]
    [pseudonyms]                 # a name of ours -> org uuids that get one pseudonym together;
    statistics = ["<org uuid>", "<org uuid>"]    # whoever stands in none has one of his own
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeGuard

from policies.tlp import Tlp
from sharing.errors import SharingError
from sharing.incidents.fields import FIELDS, Reach
from sharing.incidents.values import BadValueError, read_value

INDICATORS = "indicators"
_MEMBERS = {"id", "version", "hub", "amber_to_hub", "named", "pseudonyms"}


class BadEnrolmentError(SharingError):
    """An enrolment rule that cannot be read, or names somebody for what never leaves."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One version of an enrolment rule."""

    id: str
    version: int
    hub: str | None = None
    amber_to_hub: bool = False
    named: Mapping[str, frozenset[str]] = field(default_factory=dict)
    pseudonyms: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def ground(self) -> str:
        """How the rule is cited: `fr-health/3`."""
        return f"{self.id}/{self.version}"

    def addressees(self, name: str, reach: Reach, tlp: Tlp) -> frozenset[str]:
        """Whom a value of this field is addressed to, under its colour; up to GREEN only the hub.

        AMBER reaches the hub only where the rule says so, anything stricter only by name, and RED
        nobody (decisions.md D12).
        """
        if tlp == Tlp.RED:
            return frozenset()
        named = frozenset() if tlp <= Tlp.GREEN and not reach.only else self.named.get(name)
        to_hub = reach == Reach.HUB if tlp <= Tlp.GREEN else reach.hub and self._hub_reads(tlp)
        hub = frozenset({self.hub} if self.hub and to_hub else ())
        return hub | (named or frozenset())

    def classes(self, recipients: frozenset[str]) -> dict[str, frozenset[str]]:
        """These recipients by whom they may compare pseudonyms with: mostly each by himself."""
        together = {name: orgs & recipients for name, orgs in self.pseudonyms.items()}
        alone = recipients - frozenset[str]().union(*together.values())
        return {name: orgs for name, orgs in together.items() if orgs} | {
            org: frozenset({org}) for org in alone
        }

    def _hub_reads(self, tlp: Tlp) -> bool:
        return self.amber_to_hub and tlp == Tlp.AMBER


def read_enrolment(text: str) -> Enrolment:
    """Return the rule a TOML text says.

    Raises:
        BadEnrolmentError: naming the member at fault.
    """
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadEnrolmentError(f"enrolment rule is no TOML: {error}") from error
    if unknown := sorted(set(given) - _MEMBERS):
        raise BadEnrolmentError(f"enrolment rule has the unknown member {unknown[0]!r}")
    rule_id, version, hub = given.get("id"), given.get("version"), given.get("hub")
    if not isinstance(rule_id, str) or not isinstance(version, int):
        raise BadEnrolmentError("enrolment rule wants an id (text) and a version (whole number)")
    named, pseudonyms = given.get("named", {}), given.get("pseudonyms", {})
    if not isinstance(named, dict):
        raise BadEnrolmentError("enrolment rule: named wants a table of field names")
    if not isinstance(pseudonyms, dict):
        raise BadEnrolmentError("enrolment rule: pseudonyms wants a table of names")
    return Enrolment(
        id=rule_id,
        version=version,
        hub=None if hub is None else _org("hub", hub),
        amber_to_hub=given.get("amber_to_hub") is True,
        named={name: _orgs(name, orgs) for name, orgs in named.items()},
        pseudonyms=_classes(pseudonyms),
    )


def _classes(given: Mapping[str, object]) -> dict[str, frozenset[str]]:
    classes = {name: _org_list(name, orgs) for name, orgs in given.items()}
    every = [org for orgs in classes.values() for org in orgs]
    if twice := sorted({org for org in every if every.count(org) > 1}):
        raise BadEnrolmentError(f"enrolment rule: {twice[0]} is in two classes of pseudonyms")
    return classes


def _orgs(name: str, given: object) -> frozenset[str]:
    row = FIELDS.get(name)
    if name != INDICATORS and (row is None or not row.leaves_node):
        raise BadEnrolmentError(f"enrolment rule names somebody for {name!r}, which never leaves")
    return _org_list(name, given)


def _org_list(name: str, given: object) -> frozenset[str]:
    if not _is_list(given):
        raise BadEnrolmentError(f"enrolment rule: {name} wants a list of org uuids")
    return frozenset(_org(name, each) for each in given)


def _org(name: str, given: object) -> str:
    try:
        return str(read_value("uuid", "", given))
    except BadValueError as error:
        raise BadEnrolmentError(f"enrolment rule: {name} {error}") from error


def _is_list(given: object) -> TypeGuard[list[object]]:
    return isinstance(given, list)
