"""Somebody who may be shown something: an organisation, the public, or a machine of either."""

from dataclasses import dataclass

from policies.errors import BadPartyError

STANDARD_ROLES = {
    "hospital": frozenset({"community"}),
    "node": frozenset({"member", "community"}),
    "hub": frozenset({"hub", "community"}),
    "community": frozenset({"community"}),
    "law_enforcement": frozenset[str](),
    "machine": frozenset[str](),  # has its owner's roles
    "public": frozenset[str](),
}
"""The kinds of parties, and the roles one of that kind has unless something else was agreed."""

KINDS = frozenset(STANDARD_ROLES)
ROLES = frozenset({"member", "community", "hub"})


@dataclass(frozen=True, slots=True)
class Party:
    """Whoever is to be shown something, as far as a rule may ask.

    `org` is a uuid, `country` two capital letters or empty, `communities` are uuids, `hosts` is
    what it runs for others. Whoever comes with a token, a feed or a webhook is a `machine`.

    Raises:
        BadPartyError: the kind or a role is unknown.
    """

    org: str
    kind: str
    country: str
    roles: frozenset[str]
    communities: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadPartyError(f"party {self.org} is of the unknown kind {self.kind!r}")
        if unknown := self.roles - ROLES:
            raise BadPartyError(f"party {self.org} has the unknown role {min(unknown)!r}")


PUBLIC = Party(org="", kind="public", country="", roles=STANDARD_ROLES["public"])
