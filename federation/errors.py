"""What can go wrong while packages travel, and whose fault it is.

Their bytes are wrong: a child of `ForeignFault` (refuse, count, back off, go on). The wire is down:
`TransportError` (back off, go on). Anything else that leaves this floor is our own bug.
"""

from sharing.errors import ForeignFault


class FederationError(Exception):
    """Whatever this floor raises."""


class TransportError(FederationError):
    """The peer gave no usable answer; the message is one plain sentence for an operator."""


class NotAllowedHostError(TransportError):
    """The egress guard would not call there: a private address, or no TLS, and not listed."""


class RolledBackError(FederationError):
    """A peer has seen more of our feed than we remember: restored without a new incarnation."""


class BadLineError(FederationError, ForeignFault):
    """One line of a page, or one statement, breaks the grammar of fed/1."""


class BadRequestError(FederationError, ForeignFault):
    """A request is not the signed request of a member; `reason` is one word of a closed list."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


class BadCursorError(FederationError, ForeignFault):
    """The cursor was not made by us, or not for this peer."""


class BadBodyError(FederationError, ForeignFault):
    """A body does not decode within the caps (zstd: one frame, window, ratio, size)."""


class BadReplyError(FederationError, ForeignFault):
    """The answer has a status or a content type that fed/1 does not know."""


class BadPageError(FederationError, ForeignFault):
    """The page as a whole is refused and moves nothing.

    `check` is 1 (caps and framing) or 2 (trailer) of the order of checks in `admit`; `reason` is
    one word of a closed list.
    """

    def __init__(self, check: int, reason: str, detail: str) -> None:
        super().__init__(f"check {check}, {reason}: {detail}")
        self.check = check
        self.reason = reason


class BadRepairError(FederationError, ForeignFault):
    """An answer to a repair's question does not count; `reason` is one word of a closed list."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


class BadReceiptError(FederationError, ForeignFault):
    """A receipt does not count; `reason` is one word of a closed list."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


class BadTrustError(FederationError, ForeignFault):
    """A root, a roster or a member's entry does not count; `reason` is a word of a closed list."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class BadItemError(FederationError, ForeignFault):
    """One item is refused; `check` is 3 to 7 of the order of checks in `admit`."""

    def __init__(self, check: int, reason: str) -> None:
        super().__init__(f"check {check}: {reason}")
        self.check = check
        self.reason = reason
