"""What can go wrong in the demo, told plainly."""


class DemoError(Exception):
    """The demo cannot go on; the message says why and what to do."""


class ScenarioError(DemoError):
    """The scenario file does not make sense."""
