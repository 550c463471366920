"""Who asks: every action takes a Caller, and reads and writes as its party."""

from dataclasses import dataclass
from typing import Literal, get_args

from node.actions.errors import BadInputError
from policies.party import Party

Role = Literal["hospital", "operator", "analyst", "hub_analyst"]


@dataclass(frozen=True, slots=True)
class Caller:
    """A person or machine that signed in.

    `org` is the organisation it works for, `party` what policy knows of that organisation; `role`
    says what it may do there: hospital (report), operator (publish, release, recall), analyst
    (read), hub_analyst (read the hub's picture).
    """

    name: str
    org: str
    party: Party
    role: Role

    @property
    def is_staff(self) -> bool:
        """Whether the caller works for the node itself, not for one of its hospitals."""
        return self.role != "hospital"

    @property
    def is_token(self) -> bool:
        """Whether a program calls with somebody's token: nobody has signed in."""
        return self.party.kind == "machine"


def read_role(text: str) -> Role:
    """Give the role that `text` names.

    Raises:
        BadInputError: there is no such role.
    """
    for role in get_args(Role):
        if role == text:
            named: Role = role
            return named
    raise BadInputError("role", f"one of {', '.join(get_args(Role))}, not {text}")
