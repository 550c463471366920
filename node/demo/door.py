"""One person at one node's API, as any client would call it; patient while a node starts again."""

import time
from collections.abc import Callable
from typing import Any

import httpx2

from node.demo.errors import DemoError

_PATIENCE_S = 30.0
_PAUSE_S = 0.1
_BUSY = {502, 503, 504}


class Door:
    """A node's `/api/v1`, opened with a token."""

    def __init__(self, base_url: str, token: str, who: str, check: Callable[[], None]) -> None:
        self._who = who
        self._check = check  # raises when waiting is in vain
        self._client = httpx2.Client(
            base_url=f"{base_url}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=20,
            trust_env=False,
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def get(self, path: str, **query: str) -> bytes:
        """Give the answer's bytes; a 404 gives none.

        Raises:
            DemoError: any other refusal, or no answer for half a minute.
        """
        return self._call("GET", path, query=query)

    def post(self, path: str, body: dict[str, Any]) -> bytes:
        """Post JSON; every act of the demo may be repeated, so a lost answer is asked for again."""
        return self._call("POST", path, body=body)

    def _call(
        self, method: str, path: str, *, query: dict[str, str] | None = None, body: object = None
    ) -> bytes:
        until = time.monotonic() + _PATIENCE_S
        while True:
            try:
                answer = self._client.request(method, path, params=query, json=body)
            except httpx2.TransportError as error:
                why = str(error)
            else:
                if answer.status_code == httpx2.codes.NOT_FOUND and method == "GET":
                    return b""
                if answer.is_success:
                    return answer.content
                why = f"{answer.status_code} {answer.text[:500]}"
                if answer.status_code not in _BUSY:
                    raise DemoError(f"{self._who}: {method} {path}: {why}")
            self._check()
            if time.monotonic() > until:
                raise DemoError(f"{self._who}: {method} {path}: no answer: {why}")
            time.sleep(_PAUSE_S)
