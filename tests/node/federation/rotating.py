"""What operators do about keys in tests, and thieves."""

from dataclasses import replace
from datetime import datetime

from node.actions.keys import accept_member, rotate_keys
from node.actions.sealing import Birth, first_version, fresh_uuid, write_version
from node.node import open_node
from node.roster import own_entry
from node.settings import FILE, Suite, load_settings
from policies.label import Label
from policies.tlp import Tlp
from sharing.event import NOBODY
from sharing.seal.keys import Use
from sharing.slots import Names, cut_event
from tests.node.federation.world import World, draft, url_of


def restart(world: World, name: str) -> None:
    """Stop the node and start it again, with what its files say now."""
    settings = load_settings(world[name].settings.data)
    world[name].close()
    node = replace(open_node(settings), clock=world.clock, wall=world.clock)
    world.nodes[name] = world.memory.nodes[url_of(name)] = node


def rotate(world: World, name: str, *, suite: Suite | None = None) -> None:
    """New seal keys for the node, of another suite if one is given; its peers are not told."""
    data = world[name].settings.data
    if suite is not None:
        lines = (data / FILE).read_text().splitlines()
        kept = [line for line in lines if not line.startswith("suite")]
        (data / FILE).write_text("\n".join([*kept, f'suite = "{suite}"\n']))
    rotate_keys(load_settings(data), Use.SEAL, at=world.clock())
    restart(world, name)


def tell(world: World, name: str, *peers: str) -> None:
    """Its peers' operators accept the node's entry as it is now."""
    node = world[name]
    for peer in peers:
        accept_member(world[peer].settings, own_entry(node.settings, node.keys))


def forge(world: World, name: str, info: str, *, iat: datetime) -> str:
    """An event of the node, sealed and back-dated by whoever stole its keys; gives its uuid."""
    node = world[name]
    event = fresh_uuid(node)
    drafted = draft(node, event, info, ["stolen.example"], Label(Tlp.GREEN), NOBODY)
    records = cut_event(drafted, Names.of(None, lambda: fresh_uuid(node)))
    version = first_version(node, Birth("event", event, node.org, {}, published=True), records, iat)
    with node.store.write() as unit:
        write_version(unit, version)
    return event
