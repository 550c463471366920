"""Errors of the floor `sharing`.

`ForeignFault` and its children say that somebody else's bytes are wrong: refuse, count, go on.
Everything else that is raised here is our own mistake. No message holds a salt or a slot's text.
"""


class SharingError(Exception):
    """Something about what is shared is wrong."""


class ForeignFault(SharingError):
    """Their bytes are wrong."""


class RefusedError(ForeignFault):
    """A package, statement or recall that fails a numbered check of the seal.

    `check` is the step 1..7 of `sealing.md` §2.7 that failed, `reason` says what was found.
    """

    def __init__(self, check: int, reason: str) -> None:
        super().__init__(f"check {check}: {reason}")
        self.check = check
        self.reason = reason


class UnreadableError(ForeignFault, ValueError):
    """Bytes or JSON not written as the format says; its reason repeats nothing of them."""


class BadRosterError(ForeignFault):
    """A roster that is not one: not JSON, a member without org or keys, one key id twice."""


class BadRecordError(SharingError):
    """A record of ours that may not be sealed: no verifier would accept it."""


class BadChoiceError(SharingError):
    """What a source chose for a thing of its own contradicts itself; names the thing and why."""
