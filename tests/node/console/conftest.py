from tests.node.api.conftest import furnished, hall

__all__ = ["furnished", "hall"]
