"""Whatever brings a call to a peer: the network, or a test's memory."""

from typing import Protocol

from federation.call import Call, Reply
from federation.peer import Peer


class Carrier(Protocol):
    """Whatever brings a call to a peer and its answer back."""

    def send(self, call: Call, peer: Peer) -> Reply:
        """The peer's answer; raises TransportError where there is none."""
