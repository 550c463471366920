"""What can go wrong on the node floor, whose fault it is, and nothing about HTTP."""


class NodeError(Exception):
    """A node could not do what it promised; children say what."""


class SettingsError(NodeError):
    """A setting is missing or cannot be what it says."""


class KeyFileError(NodeError):
    """A key file is missing, unreadable, or readable by too many."""


class ClockError(NodeError):
    """The scenario clock's file does not tell a time."""
