"""A real server on loopback for a real browser."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Page

from tests.node.api.hall import Hall, furnish, open_hall
from tests.node.nodes import PASSWORD

VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (e) => {
  (window.violations ??= []).push(e.effectiveDirective + " " + e.blockedURI);
});
"""


@dataclass(frozen=True)
class Site:
    """The node's pages at an address of this machine."""

    url: str
    hall: Hall

    def sign_in(self, page: Page, login: str) -> None:
        page.goto(f"{self.url}/console/sign-in")
        page.get_by_label("Login").fill(login)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/console/events")


@contextmanager
def serving(folder: Path) -> Iterator[Site]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    furnish(folder, url)
    with open_hall(folder) as hall:
        config = uvicorn.Config(
            hall.app, host="127.0.0.1", port=port, log_config=None, lifespan="off"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield Site(url, hall)
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One site for the tests of a file: each makes what it needs under an id of its own."""
    with serving(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    """The common page; besides, no directive of the policy was broken anywhere."""
    page.add_init_script(VIOLATIONS)
    yield page
    assert page.evaluate("window.violations ?? []") == []
