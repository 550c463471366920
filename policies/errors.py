"""What can go wrong on this floor. A decision of "no" is never an error: it is a `Decision`."""


class PoliciesError(Exception):
    """The base of every error of this floor."""


class BadLabelError(PoliciesError):
    """A label names a category that does not exist, or an instant without a time zone."""


class BadPartyError(PoliciesError):
    """A party is of no known kind or has an unknown role."""


class BadRulebookError(PoliciesError):
    """A rulebook is refused; the one in force stays in force.

    `policy` is the id of the policy at fault, or its place where it has no id ("policy 3", or
    "line 12" when that line cannot be read).
    """

    def __init__(self, rulebook: str, policy: str, reason: str) -> None:
        super().__init__(f"rulebook {rulebook}, {policy}: {reason}")
        self.rulebook = rulebook
        self.policy = policy
        self.reason = reason


class BadCaseError(PoliciesError):
    """A case beside a rulebook cannot be read: something in it has no meaning."""


class EngineError(PoliciesError):
    """The engine gave no clean answer. Nothing was decided, and nobody may treat it as a denial."""
