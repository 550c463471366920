"""One person at one node, patient while it starts again: by token, or signed in at the console."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx2

from node.demo.errors import DemoError

_PATIENCE_S = 30.0
_PAUSE_S = 0.1
_BUSY = {502, 503, 504}
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')

Form = Mapping[str, str | Sequence[str]]


class _Patient:
    """Calls one node for one person, until it answers."""

    def __init__(self, client: httpx2.Client, who: str, check: Callable[[], None]) -> None:
        self._client = client
        self._who = who
        self._check = check  # raises when waiting is in vain

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: object = None,
        form: Form | None = None,
        may_be: int = httpx2.codes.NOT_FOUND,
    ) -> httpx2.Response:
        """Give the answer; a 404 is one, or instead another refusal that may be.

        Raises:
            DemoError: any other refusal, or no answer for half a minute.
        """
        until = time.monotonic() + _PATIENCE_S
        while True:
            try:
                answer = self._client.request(method, path, params=query, json=body, data=form)
            except httpx2.TransportError as error:
                why = str(error)
            else:
                if answer.status_code == may_be or answer.status_code < 400:
                    return answer
                why = f"{answer.status_code} {answer.text[:500]}"
                if answer.status_code not in _BUSY:
                    raise DemoError(f"{self._who}: {method} {path}: {why}")
            self._check()
            if time.monotonic() > until:
                raise DemoError(f"{self._who}: {method} {path}: no answer: {why}")
            time.sleep(_PAUSE_S)


class Door(_Patient):
    """A node's `/api/v1`, opened with a token."""

    def __init__(self, base_url: str, token: str, who: str, check: Callable[[], None]) -> None:
        client = httpx2.Client(
            base_url=f"{base_url}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=20,
            trust_env=False,
        )
        super().__init__(client, who, check)

    def get(self, path: str, **query: str) -> bytes:
        """Give the answer's bytes; a 404 gives none."""
        answer = self._call("GET", path, query=query)
        return b"" if answer.status_code == httpx2.codes.NOT_FOUND else answer.content

    def post(self, path: str, body: dict[str, Any]) -> bytes:
        """Post JSON; every act of the demo may be repeated, so a lost answer is asked for again.

        Raises:
            DemoError: it was refused.
        """
        answer = self._call("POST", path, body=body)
        if answer.status_code == httpx2.codes.NOT_FOUND:
            raise DemoError(f"{self._who}: POST {path}: {answer.text[:500]}")
        return answer.content

    def find(self, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        """Post JSON that may hold patient data; gives the findings it was refused for, if it was.

        Raises:
            DemoError: it was refused for anything else.
        """
        answer = self._call("POST", path, body=body, may_be=httpx2.codes.UNPROCESSABLE_ENTITY)
        findings: list[dict[str, Any]] = answer.json().get("findings", [])
        if answer.is_error and not findings:
            raise DemoError(f"{self._who}: POST {path}: {answer.text[:500]}")
        return findings


class Person(_Patient):
    """Somebody at a node's console, as with a browser without scripts; signs in when needed."""

    def __init__(self, base_url: str, login: str, password: str, check: Callable[[], None]) -> None:
        client = httpx2.Client(
            base_url=f"{base_url}/console",
            headers={"Origin": base_url},
            timeout=20,
            trust_env=False,
        )
        super().__init__(client, login, check)
        self._entry = {"login": login, "password": password}

    def read(self, path: str) -> bytes:
        """Give a page; a 404 gives none."""
        answer = self._signed_in("GET", path)
        return b"" if answer.status_code == httpx2.codes.NOT_FOUND else answer.content

    def send(self, path: str, form: Form) -> bytes:
        """Post a form of our own pages; gives what comes back, none for a redirect.

        Raises:
            DemoError: it was refused.
        """
        csrf = _CSRF.search(self.read("/events").decode())
        if csrf is None:
            raise DemoError(f"{self._who}: the console shows no form")
        answer = self._signed_in("POST", path, form={**form, "csrf": csrf[1]})
        if answer.status_code == httpx2.codes.NOT_FOUND:
            raise DemoError(f"{self._who}: POST {path}: no such page")
        return b"" if answer.is_redirect else answer.content

    def _signed_in(self, method: str, path: str, form: Form | None = None) -> httpx2.Response:
        answer = self._call(method, path, form=form)
        if "/sign-in" in answer.headers.get("location", ""):
            self._call("POST", "/sign-in", form=self._entry)
            answer = self._call(method, path, form=form)
        return answer
