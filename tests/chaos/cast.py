"""Who is there: the hub and five nodes, each with an operator, each reached through its proxy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from node.actions.init import NewNode, init_node
from node.actions.people import add_person, make_token
from node.demo.prepare import free_ports
from node.roster import own_entry, put_members
from node.settings import load_settings
from tests.chaos.crew import Post

HUB = "HUB"
NAMES = ("BE", "DE", "ES", "FR", "IT", HUB)
OPERATOR: Final = "operator"
PULL_S = 2.0  # 30 pulls in that time, idle ones too
PROJECT_S = 0.2


def org_of(name: str) -> str:
    return f"1a6f1f3e-00{NAMES.index(name):02d}-4000-8000-00000000c0a5"


@dataclass(frozen=True)
class Cast:
    """The nodes that were made: where they live, where they listen, who may enter.

    `targets` gives by name the port of its proxy, by which its peers know it, and its own.
    """

    homes: Mapping[str, Path]
    targets: Mapping[str, tuple[int, int]]
    tokens: Mapping[str, str]
    spare_port: int

    def posts(self) -> dict[str, Post]:
        """The processes to run; on PostgreSQL the hub has two, of which one leads."""
        posts = {name: Post(home, self.targets[name][1]) for name, home in self.homes.items()}
        if load_settings(self.homes[HUB]).database.startswith("postgresql"):
            posts["HUB 2"] = Post(self.homes[HUB], self.spare_port)
        return posts

    def door(self, name: str) -> str:
        """The node's own address, past its proxy."""
        return f"http://127.0.0.1:{self.targets[name][1]}"


def make_cast(folder: Path, new_url: Callable[[], str]) -> Cast:
    """Make the nodes in the folder, each on a database of its own."""
    spare, *ports = free_ports(2 * len(NAMES) + 1)
    targets = dict(zip(NAMES, zip(ports[::2], ports[1::2], strict=True), strict=True))
    peers = [f"127.0.0.1:{port}" for port, _ in targets.values()]
    homes, tokens, entries = dict[str, Path](), dict[str, str](), list[dict[str, object]]()
    for name in NAMES:
        homes[name] = folder / name
        proxy, port = targets[name]
        more: dict[str, str | float | list[str]] = {
            "port": port,
            "database_url": new_url(),
            "pull_interval_s": PULL_S,
            "project_interval_s": PROJECT_S,
            "allow_hosts": peers,
        }
        role, country = ("hub", "EU") if name == HUB else ("national", name)
        url = f"http://127.0.0.1:{proxy}"
        chosen = NewNode(org_of(name), f"Node {name}", country, role, url, more)
        node = init_node(homes[name], chosen)
        add_person(node, "chaos", login=OPERATOR, org=node.org, role=OPERATOR, password=None)
        tokens[name] = make_token(node, "chaos", OPERATOR)
        entries.append(own_entry(node.settings, node.keys))
        node.close()
    for name in NAMES:
        put_members(homes[name] / "roster.json", entries)
    return Cast(homes, targets, tokens, spare)
