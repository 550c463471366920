"""A private PostgreSQL for one test run: made, used and thrown away in about a second.

It listens on a unix socket in its own folder only, so that runs side by side never meet, and it
trusts its disk never to lose power. PostgreSQL refuses to run as root: then user postgres runs it.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TypedDict

import psycopg
from psycopg import sql

_START_S = 20
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "log_min_messages": "fatal",
}


class PostgresMissingError(Exception):
    """No PostgreSQL server is installed here."""


class _RunAs(TypedDict, total=False):
    """Who runs the server: the same keywords for subprocess.run and Popen."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Cluster:
    """A running server; `folder` holds its data and its socket."""

    folder: Path
    _numbers: Iterator[int] = field(default_factory=count)

    def new_database(self) -> str:
        """Create an empty database and give its SQLAlchemy URL."""
        name = f"test_{next(self._numbers)}"
        self._run(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return f"postgresql+psycopg://isac@/{name}?host={self.folder}"

    def drop_database(self, url: str) -> None:
        """Remove a database, whoever is still connected."""
        name = url.partition("@/")[2].partition("?")[0]
        self._run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute(statement)

    @property
    def conninfo(self) -> str:
        """How libpq reaches the server."""
        return f"host={self.folder} user=isac dbname=postgres"


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """Start a new cluster and stop it afterwards.

    Raises:
        PostgresMissingError: neither PATH nor Debian's folders hold `initdb` and `postgres`.
    """
    programs = find_programs()
    with tempfile.TemporaryDirectory(prefix="isac-pg-") as name:
        folder = Path(name)
        run_as = _run_as()
        if run_as:
            os.chown(folder, run_as["user"], run_as["group"])
        environment = {"PATH": f"{programs}:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        _initdb(programs, folder, environment, run_as)
        with _server(programs, folder, environment, run_as) as cluster:
            yield cluster


def find_programs() -> Path:
    """Give the folder of the newest PostgreSQL server installed."""
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    newest_first = sorted(debian, key=lambda path: int(path.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    # PATH may hold a link to one program only; its neighbours are where it points to.
    candidates = [Path(on_path).resolve().parent, *newest_first] if on_path else newest_first
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    message = "PostgreSQL not found: apt install postgresql"
    raise PostgresMissingError(message)


def _run_as() -> _RunAs:
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _initdb(programs: Path, folder: Path, environment: Mapping[str, str], run_as: _RunAs) -> None:
    flags = ["--auth=trust", "--username=isac", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    command = [str(programs / "initdb"), *flags, f"--pgdata={folder / 'data'}"]
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, check=False, **run_as
    )
    assert done.returncode == 0, done.stderr


@contextmanager
def _server(
    programs: Path, folder: Path, environment: Mapping[str, str], run_as: _RunAs
) -> Iterator[Cluster]:
    settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
    command = [str(programs / "postgres"), "-D", str(folder / "data"), "-k", str(folder), *settings]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            **run_as,
        ) as server,
    ):
        cluster = Cluster(folder)
        try:
            _wait_until_up(cluster, server)
            yield cluster
        finally:
            server.send_signal(signal.SIGINT)  # drops what is connected, then ends
            server.wait(_START_S)


def _wait_until_up(cluster: Cluster, server: subprocess.Popen[bytes]) -> None:
    last = time.monotonic() + _START_S
    while True:
        try:
            psycopg.connect(cluster.conninfo).close()
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > last:
                error.add_note((cluster.folder / "log").read_text())
                raise
            time.sleep(0.02)
        else:
            return
