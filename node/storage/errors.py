"""What can go wrong with the database."""

from node.errors import NodeError


class StoreError(NodeError):
    """The database did not do what it promised."""


class StoreBusyError(StoreError):
    """Another writer did not finish in time."""


class TornAuditError(StoreError):
    """A line of the audit chain was changed or is missing."""


class LostLeaseError(StoreError):
    """The unit belongs to a leader that is no longer one; nothing of it is kept."""
