"""The nodes of a run: real ones on real databases in memory-backed files, made once and copied.

Keys and ids come from names alone, so that a seed plays the same on every machine.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from sqlite3 import Connection as SqliteConnection
from sqlite3 import connect
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import event

from node.actions.init import NewNode, init_node
from node.node import Node, open_node
from node.roster import own_entry, put_members
from node.settings import load_settings
from tests.node.nodes import HandClock

HUB = "HUB"
COUNTRIES = [
    "AT",
    "BE",
    "BG",
    "CY",
    "CZ",
    "DE",
    "DK",
    "EE",
    "ES",
    "FI",
    "FR",
    "GR",
    "HR",
    "HU",
    "IE",
    "IT",
    "LT",
    "LU",
    "LV",
    "MT",
    "NL",
    "PL",
    "PT",
    "RO",
    "SE",
    "SI",
    "SK",
]
_FOLDER = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def org_of(name: str) -> str:
    return str(UUID(bytes=hashlib.sha256(f"org {name}".encode()).digest()[:16], version=4))


def url_of(name: str) -> str:
    return f"https://{name.lower()}.example.org"


@contextmanager
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="simulation-", dir=_FOLDER))
    try:
        yield made
    finally:
        shutil.rmtree(made)


def make_template(into: Path, nodes: int) -> None:
    """Directories of new nodes that all know each other: `nodes` national ones and the hub."""
    made = [_init(into / name, name) for name in (*COUNTRIES[:nodes], HUB)]
    entries = [own_entry(node.settings, node.keys) for node in made]
    for node in made:
        node.close()
        put_members(node.settings.roster_file, entries)


def put_private(path: Path, name: str) -> None:
    """A key that follows from its name."""
    key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _put_secret(path, pem)


def _init(data: Path, name: str) -> Node:
    keys = data / "keys"
    keys.mkdir(parents=True)
    for file in ("seal", "transport"):
        put_private(keys / f"{file}.pem", f"{name} {file}")
    for file in ("cursor", "pseudonym", "patients"):
        _put_secret(keys / f"{file}.key", hashlib.sha256(f"{name} {file}".encode()).digest())
    _put_secret(data / "incarnation", hashlib.md5(name.encode()).hexdigest().encode())
    role, country = ("hub", "EU") if name == HUB else ("national", name)
    return init_node(data, NewNode(org_of(name), f"Node {name}", country, role, url_of(name)))


def _put_secret(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)


@dataclass
class Stage:
    """The nodes of one run, by name, on one clock; `chance` is where their randomness comes from."""

    folder: Path
    clock: HandClock
    chance: Random
    nodes: dict[str, Node]

    @classmethod
    def copy_of(cls, template: Path, into: Path, chance: Random) -> "Stage":
        shutil.copytree(template, into)
        stage = cls(into, HandClock(), chance, {})
        for name in sorted(one.name for one in into.iterdir()):
            stage.open(name)
        return stage

    def open(self, name: str) -> Node:
        """The node as its files have it: started, or started again."""
        node = open_node(load_settings(self.folder / name), wall=self.clock)
        event.listen(node.store.engine, "connect", _careless)
        chance = self.chance
        self.nodes[name] = replace(node, clock=self.clock, wall=self.clock, rng=chance.randbytes)
        return self.nodes[name]

    def close(self) -> None:
        for node in self.nodes.values():
            node.close()

    def backup(self, name: str, to: Path) -> None:
        """A copy of the node's database, as an operator would take it while it runs."""
        source, target = connect(self.folder / name / "isac.db"), connect(to)
        with source, target:
            source.backup(target)
        source.close()
        target.close()

    def restore(self, name: str, backup: Path) -> Node:
        """The node stops, its database becomes the backup, and it starts again."""
        self.nodes[name].close()
        data = self.folder / name
        for file in data.glob("isac.db-*"):
            file.unlink()
        shutil.copyfile(backup, data / "isac.db")
        return self.open(name)


def _careless(dbapi: SqliteConnection, entry: object) -> None:
    """No waiting for a disk: what a power cut may take is not what is simulated here."""
    del entry
    dbapi.execute("PRAGMA synchronous = OFF")
