"""What an action may answer instead of doing it. Doors have one table from these to a status.

None of them tells whether a thing exists that the caller may not see: what is invisible and what is
not there are both `NotFoundError`, with the same words.
"""

from collections.abc import Iterable

from node.errors import NodeError

SAID_CHARS = 1000


class ActionError(NodeError):
    """The base of every error of the actions."""


class NotAllowedError(ActionError):
    """This caller may not do this; `why` says who may."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class NotFoundError(ActionError):
    """There is no such thing, as far as this caller may know."""

    def __init__(self, what: str) -> None:
        super().__init__(f"no such {what}")
        self.what = what


class ConflictError(ActionError):
    """What is there already, or happened meanwhile, stands in the way; `why` says what."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class RestoringError(ConflictError):
    """This node comes from a backup and does not know yet what it had said since."""

    def __init__(self) -> None:
        super().__init__(
            "this node was restored from a backup: nothing is sealed or served until its peers "
            "have told how far they know its logs and an operator ends it (`isac restore`)"
        )


class BadInputError(ActionError):
    """What the caller gave is wrong: `field` names the place ("" for the whole), `why` the rule.

    `others` are further places at fault, as (field, why).
    """

    def __init__(self, field: str, why: str, others: Iterable[tuple[str, str]] = ()) -> None:
        self.field = field
        self.why = why
        self.others = tuple(others)
        faults = [(field, why), *self.others]
        super().__init__("; ".join(f"{at}: {what}" if at else what for at, what in faults))


def check_said(field: str, text: str, *, needed: bool = True) -> None:
    """Check that what a person says of an act can be kept, and is there where it is needed.

    Raises:
        BadInputError: it is empty, longer than `SAID_CHARS`, or holds a NUL.
    """
    if len(text) > SAID_CHARS or (needed and not text.strip()):
        raise BadInputError(field, f"say it, in at most {SAID_CHARS} characters")
    if "\0" in text:
        raise BadInputError(field, "holds a NUL, which is no text")
