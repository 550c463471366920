"""The text of a rulebook, before anybody proposes it: is it sound, does it say what it should."""

import re
from dataclasses import dataclass

from node.actions.errors import BadInputError
from policies.cases import Outcome, ask_cases, read_cases
from policies.errors import BadCaseError, BadRulebookError
from policies.rulebook import Policy, Rulebook, read_rulebook

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_TEXT_BYTES = 256 << 10


@dataclass(frozen=True, slots=True)
class PolicyShown:
    """A policy as people see it; the floor's are part of the program."""

    id: str
    reason: str
    is_floor: bool


@dataclass(frozen=True, slots=True)
class CheckedRulebook:
    """A text that makes a rulebook together with the floor."""

    name: str
    digest: str
    policies: tuple[PolicyShown, ...]


def check_rules(text: str, name: str) -> Rulebook:
    """Give the rulebook that a text makes together with the floor.

    Raises:
        BadInputError: it makes none: names the policy at fault, and says why.
    """
    if not _NAME.fullmatch(name):
        raise BadInputError("name", "a to z, digits and . _ -, at most 64 characters")
    if len(text.encode()) > _TEXT_BYTES:
        raise BadInputError("text", f"at most {_TEXT_BYTES >> 10} KiB")
    if "\0" in text:
        raise BadInputError("text", "holds a NUL, which is no text")
    try:
        return read_rulebook(text, name=name, version="proposed")
    except BadRulebookError as error:
        raise BadInputError(error.policy, error.reason) from error


def policies_of(rulebook: Rulebook) -> tuple[PolicyShown, ...]:
    """Give the policies of a rulebook by their ids, the floor's last."""

    def place(policy: Policy) -> tuple[bool, str]:
        return policy.is_floor, policy.id

    found = sorted(rulebook.policies.values(), key=place)
    return tuple(PolicyShown(each.id, each.reason, each.is_floor) for each in found)


def checked(rulebook: Rulebook) -> CheckedRulebook:
    """Give what is told of a sound text."""
    return CheckedRulebook(rulebook.name, rulebook.digest, policies_of(rulebook))


def try_cases(text: str, name: str, cases: str) -> Outcome:
    """Ask a rulebook what is expected of it, case by case.

    Raises:
        BadInputError: the text makes no rulebook, or the cases cannot be read.
    """
    rulebook = check_rules(text, name)
    try:
        return ask_cases(read_cases(cases), rulebook)
    except BadCaseError as error:
        raise BadInputError("cases", str(error)) from error
