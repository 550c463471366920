"""What every test may ask for: databases, a browser, recorded data; and the rules of the suite.

Rules: a test opens no socket, but loopback where its folder or `@pytest.mark.loopback` says so;
what is skipped is named at the end with what to install; where CI is set, a skip is a failure.
"""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.postgresql import Cluster, PostgresMissingError, running_cluster

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests"
IN_CI = bool(os.environ.get("CI"))

LOOPBACK = ["127.0.0.1", "::1"]
LOOPBACK_FOLDERS = ("browser", "contract", "e2e", "hostile")

CHROMIUM_FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Two noisy cores say nothing about one example's time; pytest-timeout bounds the test.
settings.register_profile(
    "isac", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("isac")


# ── Rules ────────────────────────────────────────────────────────────────────────────────────────


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "loopback: this test talks to servers on this machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0] if item.path.is_relative_to(TESTS) else ""
        if folder in LOOPBACK_FOLDERS or item.get_closest_marker("loopback"):
            item.add_marker(pytest.mark.allow_hosts(LOOPBACK))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if not hasattr(report, "wasxfail"):
        _refuse_skip_in_ci(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse_skip_in_ci(report)
    return report


def _refuse_skip_in_ci(report: pytest.TestReport | pytest.CollectReport) -> None:
    if IN_CI and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped, where CI must run everything: {_reason(report)}"


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    # pytest keeps (path, line, "Skipped: reason") for a skip.
    story = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return story.removeprefix("Skipped: ")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = Counter(_reason(report) for report in terminalreporter.getreports("skipped"))
    for reason, times in sorted(skipped.items()):
        terminalreporter.write_line(f"skipped {times}: {reason}", yellow=True)


# ── Databases ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL server of our own, for the whole run of this process."""
    try:
        with running_cluster() as cluster:
            yield cluster
    except PostgresMissingError as missing:
        pytest.skip(str(missing))


@pytest.fixture
def postgres_url(postgres: Cluster) -> Iterator[str]:
    """The URL of an empty PostgreSQL database, dropped after the test."""
    url = postgres.new_database()
    yield url
    postgres.drop_database(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Empty databases, as many as are asked for; the test runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        numbers = count()
        yield lambda: f"sqlite:///{tmp_path}/test_{next(numbers)}.sqlite"
        return
    cluster: Cluster = request.getfixturevalue("postgres")
    made: list[str] = []

    def new_database() -> str:
        made.append(cluster.new_database())
        return made[-1]

    yield new_database
    for url in made:
        cluster.drop_database(url)


@pytest.fixture
def database_url(database_urls: Callable[[], str]) -> str:
    """The URL of one empty database; the test runs on SQLite and on PostgreSQL."""
    return database_urls()


# ── Browser ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The Chromium to drive: ISAC_CHROMIUM, or the one installed."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("ISAC_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if not found:
        pytest.skip(
            "Chromium not found: apt install chromium fonts-noto-core, or set ISAC_CHROMIUM"
        )
    return found


@pytest.fixture(scope="module")  # while it runs, nothing else in this process can run an event loop
def browser(chromium_path: str) -> Iterator[Browser]:
    """A headless Chromium for the tests of one file."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=chromium_path, headless=True, args=CHROMIUM_FLAGS
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page with no cookies; the test fails when a page breaks its own security policy."""
    violations: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            violations.append(message.text)

    with browser.new_context(locale="en-IE", timezone_id="Europe/Brussels") as context:
        fresh = context.new_page()
        fresh.on("console", note)
        yield fresh
    assert violations == []


# ── Recorded data ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real and recorded files that is kept beside the repository."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("shared data not found: put the project's shared/ beside this folder")
    return folder
