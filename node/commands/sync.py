"""The exchange with peers, by hand, from the shell."""

from pathlib import Path

import typer

from federation.peer import Peer
from node.actions.exchange import pull
from node.actions.explain import origin_of
from node.actions.journey import journey
from node.actions.people import caller_at_shell
from node.actions.repair import RepairResult
from node.actions.repair import repair as repair_from
from node.commands.shown import opened
from node.errors import SettingsError
from node.node import Node
from node.tls import transport_to_peers


def repair(data: Path, named: str) -> int:
    """Repair from the named peer, or from each; gives 1 where one did not come to its end."""
    with opened(data) as node:
        transport = transport_to_peers(node.settings)
        is_whole = True
        for peer in _chosen(node, named):
            done = repair_from(node, peer, transport)
            typer.echo(f"{_name(peer)} {peer.org}: {_told(done)}")
            is_whole &= done.error is None
    return 0 if is_whole else 1


def pull_now(data: Path, named: str) -> int:
    """Pull from the named peer, or from each; gives 1 where one could not be read."""
    with opened(data) as node:
        transport = transport_to_peers(node.settings)
        is_whole = True
        for peer in _chosen(node, named):
            done = pull(node, peer, transport)
            counts = f"{done.items} items, {done.admitted} taken, {done.quarantined} refused"
            typer.echo(f"{_name(peer)} {peer.org}: {done.error or counts}")
            is_whole &= done.error is None
    return 0 if is_whole else 1


def explain_way(data: Path, event: str, to: str, login: str) -> int:
    """Print how far an event has come on its way to a peer; gives 1 where it has not arrived."""
    with opened(data) as node:
        caller = caller_at_shell(node, login)
        (peer,) = _chosen(node, to)
        told = journey(node, caller, origin_of(node, caller, event), event, peer.org)
        for sentence in told.sentences:
            typer.echo(sentence)
    return 0 if told.arrived else 1


def _told(done: RepairResult) -> str:
    if done.error is not None:
        return f"not done: {done.error}. It is done again by itself."
    if not done.missing and not done.extra and not done.brought and not done.dropped:
        return f"nothing differs ({done.rounds} questions)"
    return (
        f"{done.missing} missing here, {done.extra} not held out any more; {done.brought} brought, "
        f"{done.dropped} dropped ({done.rounds} questions)"
    )


def _chosen(node: Node, named: str) -> list[Peer]:
    """The peers a person means.

    Raises:
        SettingsError: there is none of that name.
    """
    if not named:
        return list(node.peers)
    found = [
        peer
        for peer in node.peers
        if named.lower() in (peer.org, peer.role, peer.member.country.lower())
    ]
    if not found:
        known = ", ".join(f"{_name(peer)} {peer.org}" for peer in node.peers) or "nobody"
        raise SettingsError(f"no peer {named}: the roster holds {known}")
    return found


def _name(peer: Peer) -> str:
    return "hub" if peer.role == "hub" else f"node {peer.member.country}"
