"""Makes the demo's nodes in one directory, once; a second run finds them as they were.

DIRECTORY/clock.json     the scenario clock all nodes read
DIRECTORY/access.json    logins, passwords and tokens of this demo (mode 0600)
DIRECTORY/fr …/hub       one data directory a node, as `isac init` makes it
DIRECTORY/files/ORG      what was handed over to an authority
DIRECTORY/seen           what each party saw at each look of the table
"""

import json
import secrets
import shutil
import socket
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from node.actions.enrolments import rule_file
from node.actions.init import NewNode, init_node
from node.actions.people import add_person, enrol_org, make_token
from node.clock import set_scenario
from node.demo.errors import DemoError
from node.demo.scenario import NodePlan, PersonPlan, Scenario
from node.keys import read_keys
from node.node import Node
from node.roster import own_entry, put_members
from node.settings import load_settings
from node.storage.people import Org

ACTOR = "demo"
_PULL_S = 0.4
_PROJECT_S = 0.1
# Below the ephemeral range, so that no outgoing connection of ours takes the port first.
_PORTS = range(18400, 32000, 7)


@dataclass(frozen=True, slots=True)
class Access:
    """How one person gets in."""

    login: str
    password: str = field(repr=False)
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Stage:
    """A prepared demo: where each node lives, what it is called, who may enter."""

    directory: Path
    homes: Mapping[str, Path]
    base_urls: Mapping[str, str]
    access: Mapping[str, Access]

    @property
    def clock(self) -> Path:
        """Give the path of the scenario clock."""
        return self.directory / "clock.json"

    def files(self, org: str) -> Path:
        """Give the folder of the files that were handed over to an organisation."""
        return self.directory / "files" / org


def prepare(scenario: Scenario, directory: Path) -> Stage:
    """Make, or find again, the nodes and people of `scenario` under `directory`.

    Raises:
        DemoError: the directory holds something else.
    """
    made = directory / "access.json"
    if directory.exists() and not made.exists() and any(directory.iterdir()):
        _sweep(directory, scenario)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    homes = {plan.key: directory / plan.key for plan in scenario.nodes}
    if not made.exists():
        access = _make(scenario, directory, homes)
        _write_private(made, json.dumps([asdict(one) for one in access], indent=1))
    known = [Access(**one) for one in json.loads(made.read_text())]
    return Stage(
        directory=directory,
        homes=homes,
        base_urls={key: load_settings(home).base_url for key, home in homes.items()},
        access={one.login: one for one in known},
    )


def _sweep(directory: Path, scenario: Scenario) -> None:
    """Remove a half-made demo, to be made anew; refuse a directory that is somebody else's."""
    ours = {plan.key for plan in scenario.nodes} | {"clock.json", "access.new", "seen", "files"}
    strange = sorted({path.name for path in directory.iterdir()} - ours)
    if strange:
        raise DemoError(f"{directory} is not a demo's: it holds {strange[0]}; choose another --dir")
    shutil.rmtree(directory)


def _make(scenario: Scenario, directory: Path, homes: Mapping[str, Path]) -> Sequence[Access]:
    set_scenario(directory / "clock.json", scenario.starts_at)
    ports = free_ports(len(scenario.nodes))
    urls = {
        plan.key: f"http://127.0.0.1:{port}"
        for plan, port in zip(scenario.nodes, ports, strict=True)
    }
    for plan in scenario.nodes:
        init_node(homes[plan.key], _choices(plan, urls)).close()
    made = [load_settings(home) for home in homes.values()]
    entries = [own_entry(one, read_keys(one.data, one.suite)) for one in made]
    access: list[Access] = []
    for plan in scenario.nodes:
        home = homes[plan.key]
        put_members(load_settings(home).roster_file, entries)
        node = init_node(home, _choices(plan, urls))
        try:
            _write_rules(scenario, node, plan.key)
            access += _let_people_in(scenario, node, plan.key)
        finally:
            node.close()
    return access


def _choices(plan: NodePlan, urls: Mapping[str, str]) -> NewNode:
    url = urls[plan.key]
    return NewNode(
        org=plan.org,
        name=plan.name,
        country=plan.country,
        role=plan.role,
        base_url=url,
        more={
            "port": int(url.rsplit(":", 1)[1]),
            "pull_interval_s": _PULL_S,
            "project_interval_s": _PROJECT_S,
            "clock_file": "../clock.json",
            "allow_hosts": [one.removeprefix("http://") for one in urls.values()],
        },
    )


def _write_rules(scenario: Scenario, node: Node, key: str) -> None:
    """Write the enrolment rules of one node, as its operator would."""
    hub = next(plan.org for plan in scenario.nodes if plan.role == "hub")
    for rule in scenario.enrolments:
        if rule.node == key:
            path = rule_file(node.settings, f"{rule.id}/{rule.version}")
            path.parent.mkdir(exist_ok=True)
            head = {"id": rule.id, "version": rule.version, "hub": hub, "amber_to_hub": True}
            named = {
                name: [scenario.org_of(one) for one in keys] for name, keys in rule.named.items()
            }
            path.write_text(f"{_toml(head)}[named]\n{_toml(named)}")


def _toml(facts: Mapping[str, object]) -> str:
    """Write facts as TOML: a JSON string, number, truth or list of strings is TOML as well."""
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in facts.items())


def _let_people_in(scenario: Scenario, node: Node, key: str) -> list[Access]:
    for org in scenario.orgs:
        if org.node == key:
            country = node.settings.country
            rule = org.enrolment or None
            enrolled = Org(org.org, org.name, org.kind, country, rule, org.details)
            enrol_org(node, ACTOR, enrolled)
    return [_let_in(scenario, node, person) for person in scenario.people if person.node == key]


def _let_in(scenario: Scenario, node: Node, person: PersonPlan) -> Access:
    password = secrets.token_urlsafe(12)
    org = scenario.org_of(person.org)
    add_person(node, ACTOR, login=person.login, org=org, role=person.role, password=password)
    return Access(person.login, password, make_token(node, ACTOR, person.login))


def free_ports(count: int) -> list[int]:
    """Give so many ports that nobody listens on, and that no outgoing connection gets by itself.

    Raises:
        DemoError: there are not so many.
    """
    found: list[int] = []
    start = secrets.randbelow(len(_PORTS))
    for port in [*_PORTS[start:], *_PORTS[:start]]:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise DemoError("no free ports on this machine")


def _write_private(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    fresh.replace(path)
