"""What can go wrong with the database."""

from node.errors import NodeError


class StoreError(NodeError):
    """The database did not do what it promised."""


class StoreBusyError(StoreError):
    """Another writer did not finish in time."""


class StoreUnreachableError(StoreError):
    """The database does not answer at its address, or is not there."""


class TornAuditError(StoreError):
    """A line of the audit chain was changed or is missing."""


class StoredPackageError(StoreError):
    """A package that this node stored is no longer what was stored; `why` repeats nothing of it."""

    def __init__(self, key: tuple[str, str], src: str, version: tuple[int, int], why: str) -> None:
        told = f"{key[1]} (version {version[0]}.{version[1]}, given by {src})"
        super().__init__(f"our own stored package of {told} is damaged: {why}")
        self.key = key
        self.src = src
        self.version = version
        self.why = why


class LostLeaseError(StoreError):
    """The unit belongs to a leader that is no longer one; nothing of it is kept."""
