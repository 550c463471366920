"""One gate: nothing that a store keeps of anybody's words reaches a door but through a decision.

What counts as a reader, a door's import or an undecided type is read off the sources (`readers.py`);
written down here are exceptions only, each with its reason. An exception that nothing needs any
more fails, too.
"""

import ast
from collections.abc import Iterator
from functools import cache

import pytest

from node.storage import tables
from tests.tree.files import sources, tree_of
from tests.tree.readers import (
    ACTIONS,
    BOOKKEEPING,
    STORAGE,
    Code,
    Place,
    Source,
    content_columns,
    is_in,
)

GATE = frozenset(
    {
        ("sharing.project", "project"),
        ("sharing.project", "Projector"),
        ("node.actions.gate", "gate_of"),
        ("node.actions.gate", "allowed_classes"),
        ("node.actions.gate", "relation_of"),
    }
)
"""Whoever decides: all of them ask the judge, slot by slot or class by class."""

DOORS = ("node.api", "node.console", "node.commands", "node.app", "node.doors", "node.schedule")
ANSWERING = tuple(
    door for door in DOORS if door != "node.schedule"
)  # that one leads, and answers none

READS_CONTENT = {
    "node.actions.alerts_tell": "projects for each who is told",
    "node.actions.disclosed": "the ledger: keys and names of things, no value",
    "node.actions.evidence": "refused bytes, for whoever holds the data directory",
    "node.actions.foresee": "projects under two rulebooks",
    "node.actions.incidents": "a stage is held against the stages before it",
    "node.actions.notes": "projects for the reader",
    "node.actions.peers": "counts refusals",
    "node.actions.projector": "projects for peers",
    "node.actions.read": "projects for the reader",
    "node.actions.readable": "projects for the reader",
    "node.actions.ready": "what came in is held against what is there",
    "node.actions.receipts": "whether anything still shows what a receipt says is gone",
    "node.actions.repair": "drops what its source holds out no more",
    "node.actions.sealing": "a version is sealed from the one before it",
    "node.actions.shelf": "shows the slots that the projector's row names",
    "node.actions.submit": "the very same stage again is a repeat",
    "node.actions.waiting": "projects for the party it waits for",
}
"""Every module outside storage that calls a reader."""

BESIDE_THE_NODE = {
    "node.demo.canaries": "looks through the databases of a demo for what should not be there",
}

UNDECIDED = {
    # taking in: what is read is held against what comes, and the answer names it
    "node.actions.submit.add_attributes": "takes in",
    "node.actions.submit.submit_event": "takes in",
    "node.actions.submit.submit_report": "takes in",
    "node.actions.imports.import_misp": "takes in",
    "node.actions.exchange.pull": "takes in",
    "node.actions.exchange.pull_due": "takes in",
    "node.actions.listen.Listener": "only begins to take in",
    "node.actions.repair.repair": "takes in, and drops",
    "node.actions.repair.repair_due": "takes in, and drops",
    "node.actions.disown.disown_compromised": "forgets, and takes in anew",
    # labels of our own logs made anew
    "node.actions.groups_change.change_group": "seals our own logs anew; gives their number",
    "node.actions.groups_change.create_group": "seals our own logs anew; gives their number",
    "node.actions.groups_change.end_group": "seals our own logs anew; gives their number",
    "node.actions.restore.finish_restore": "recalls our own attributes anew; names their logs",
    "node.actions.recall.recall": "seals our own log anew for an operator; gives its number",
    "node.actions.renew.renew_logs": "seals our own logs anew; gives their number",
    # rows that the projector decided on under the rulebook in force (D22)
    "node.actions.serve.serve_feed": "shows the slots that the row names",
    "node.actions.serve.serve_held": "shows the slots that the row names",
    "node.actions.serve.serve_package": "shows the slots that the row names",
    "node.actions.serve.items_page": "shows the slots that the row names",
    "node.actions.push.Pusher": "shows the slots that the row names",
    # books of the node
    "node.actions.disclosed.who_had_value": "for this node's staff; no value",
    "node.actions.read.read_report": "dates and states of one's own report",
    "node.actions.peers.ExchangeState": "numbers",
    "node.actions.peers.exchange_state": "numbers",
    "node.actions.peers.equivocations": "reasons, without bytes",
    "node.actions.evidence.list_refusals": "reasons, without bytes",
    "node.actions.evidence.find_refused": "at the shell, for whoever holds the data directory",
    "node.actions.patients.release_refused": "at the shell; reads the feed anew and shows nothing",
}
"""What doors call that reads content and asks no gate."""

WHOLE = {
    ("node.commands.quarantine", "node.actions.evidence.find_refused"): "files for the operator",
    ("node.commands.quarantine", "node.actions.evidence.proof_of"): "statements only",
}
"""What doors call that takes or gives something whole."""

ON_STORAGE = {
    ("node.app", "node.storage.schema.is_ready"): "whether the database answers",
    ("node.commands.doctor", "node.storage.audit"): "checks the chain; shows its length",
    ("node.commands.doctor", "node.storage.schema"): "the revision",
    ("node.commands.doctor", "node.storage.store.open_store"): "opened beside the node",
    ("node.commands.setup", "node.storage.schema"): "migrates",
    ("node.commands.setup", "node.storage.store.open_store"): "migrates before there is a node",
}
"""What doors use of storage beside its types."""

IN_UNITS = {"node.app": "asks whether the database answers"}
"""Doors that touch a store."""


@cache
def code() -> Code:
    """All that runs on a node."""
    return with_more("", "")


def with_more(path: str, text: str) -> Code:
    """The same, with one file more or one file changed."""
    more = (Source.of(path, ast.parse(text)),) if path else ()
    kept = (each for each in ours() if all(each.module != one.module for one in more))
    return Code((*kept, *more))


@cache
def ours() -> tuple[Source, ...]:
    """Every file that runs on a node, and what it is made of."""
    return tuple(Source.of(name, tree_of(name)) for name in sources("node", "sharing"))


def is_door(module: str, doors: tuple[str, ...] = DOORS) -> bool:
    """Whether the module answers to the outside, or sends to it."""
    return any(is_in(module, door) for door in doors) or module.startswith("node.cli")


def used_by(source: Source) -> set[Place]:
    """What a file imports, or names by the module it imported."""
    whole = {place for place in source.imported.values() if place[1]}
    return whole | set(source.meanings(source.tree))


def dotted(place: Place) -> str:
    return ".".join(place)


def unlisted_readers(asked: Code) -> dict[str, set[str]]:
    """Modules that call a reader and may not."""
    listed = READS_CONTENT.keys() | BESIDE_THE_NODE.keys()
    return {m: names for m, names in asked.users(asked.readers).items() if m not in listed}


def undecided_calls(asked: Code) -> set[str]:
    """What doors call that reaches a reader and no gate."""
    return {
        dotted(place)
        for source in asked.sources
        if is_door(source.module)
        for place in used_by(source)
        if is_in(place[0], ACTIONS)
        and asked.reached(place) & asked.readers
        and not asked.reached(place) & GATE
    }


def doors_on_storage(asked: Code) -> set[tuple[str, str]]:
    """What of storage doors use beside its types."""
    return {
        (source.module, dotted(place))
        for source in asked.sources
        if is_door(source.module, ANSWERING)
        for place in set(source.imported.values())
        if is_in(place[0], STORAGE) and not isinstance(asked.definition(place), ast.ClassDef)
    }


def doors_on_whole_things(asked: Code) -> set[tuple[str, str]]:
    """What doors use that takes or gives something nobody has decided on."""
    return {
        (source.module, dotted(place))
        for source in asked.sources
        if is_door(source.module, ANSWERING)
        for place in used_by(source)
        if asked.handles_unprojected(place)
    }


def doors_in_units(asked: Code) -> set[str]:
    """Doors that touch a store."""
    return {
        source.module
        for source in asked.sources
        if is_door(source.module, ANSWERING) and "store" in attributes(source.tree)
    }


def attributes(tree: ast.Module) -> Iterator[str]:
    return (node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute))


# ── What stands ──────────────────────────────────────────────────────────────────────────────────


def test_what_an_event_says_stands_in_these_columns_and_is_given_by_these_functions() -> None:
    """Fails where a column or a reader comes or goes: look whether it is one, then say so here."""
    assert content_columns() == {
        "entry": {"value", "value_key"},
        "holding": {"package"},
        "ledger_record": {"key"},
        "quarantine": {"raw", "in_force"},
        "stage": {"content"},
    }
    assert {dotted(place).removeprefix("node.storage.") for place in code().readers} == {
        "ledger.records_of",
        "ledger.records_with",
        "logs.best_holding",
        "logs.every_package",
        "logs.find_holding",
        "logs.holdings_of",
        "quarantine.find_quarantined",
        "quarantine.quarantined",
        "quarantine.refusals",
        "reports.stages_of",
    }


def test_every_column_called_bookkeeping_is_there() -> None:
    made = tables.log.metadata.sorted_tables
    columns = {f"{table.name}.{column.name}" for table in made for column in table.c}
    assert BOOKKEEPING.keys() <= columns


def test_only_these_modules_call_a_reader_of_the_store() -> None:
    assert unlisted_readers(code()) == {}
    assert code().users(code().readers).keys() == READS_CONTENT.keys() | BESIDE_THE_NODE.keys()


def test_whatever_a_door_calls_that_reads_the_store_asks_the_gate() -> None:
    assert undecided_calls(code()) == set(UNDECIDED)


def test_no_door_uses_storage_itself() -> None:
    assert doors_on_storage(code()) == set(ON_STORAGE)
    assert doors_in_units(code()) == set(IN_UNITS)


def test_no_door_handles_what_nobody_has_decided_on() -> None:
    assert doors_on_whole_things(code()) == set(WHOLE)


def test_nothing_is_imported_by_a_name_made_while_it_runs() -> None:
    makers = {"import_module", "__import__"}
    found = {
        source.module
        for source in ours()
        if not is_in(source.module, "node.bench")  # measures other people's programs
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Name | ast.Attribute | ast.alias)
        and makers & {getattr(node, "id", ""), getattr(node, "attr", ""), getattr(node, "name", "")}
    }
    assert found == set()


# ── What would be noticed ────────────────────────────────────────────────────────────────────────

PLAIN_DOOR = """
from node.storage.logs import best_holding

def leak(node, origin, event):
    with node.store.read() as unit:
        return best_holding(unit.connection, origin, event).package
"""
DOOR_BY_MODULE = """
from node.storage import logs as shelf

def leak(connection, origin, event):
    return shelf.find_holding(connection, origin, event, origin).package
"""
DOOR_BY_PATH = """
import node.storage.logs

def leak(connection):
    return list(node.storage.logs.every_package(connection))
"""


@pytest.mark.parametrize("text", [PLAIN_DOOR, DOOR_BY_MODULE, DOOR_BY_PATH])
def test_a_door_that_reads_the_store_is_noticed(text: str) -> None:
    made = with_more("node/api/leak.py", text)
    assert "node.api.leak" in unlisted_readers(made)
    assert {module for module, _ in doors_on_storage(made)} - {m for m, _ in ON_STORAGE}


def test_a_door_that_opens_a_unit_is_noticed() -> None:
    text = "def leak(node):\n    with node.store.read() as unit:\n        return ask(unit)\n"
    assert "node.console.leak" in doors_in_units(with_more("node/console/leak.py", text))


@pytest.mark.parametrize(
    "text",
    [
        "from node.actions.sealing import read_own\n",
        "from node.actions.readable import find_readable\n",
        "from node.actions import readable\nleak = readable.find_readable\n",
        "from node.actions.stored import open_holding\n",
        "from node.actions.towards import offer_to\n",
        "from sharing.view import view\n",
        "from sharing.seal.package import load_holding\n",
        "from sharing.project import project\n",
        "from sharing.slots_read import read_log\n",
    ],
)
def test_a_door_that_takes_a_log_whole_is_noticed(text: str) -> None:
    made = with_more("node/commands/leak.py", text)
    assert "node.commands.leak" in {module for module, _ in doors_on_whole_things(made)}


def test_an_action_that_reads_past_the_gate_is_noticed() -> None:
    action = """
from node.storage.logs import best_holding

def bulk_export(node, caller, keys):
    with node.store.read() as unit:
        return [_one(unit, key) for key in keys]

def _one(unit, key):
    return best_holding(unit.connection, *key).package
"""
    assert "node.actions.bulk" in unlisted_readers(with_more("node/actions/bulk.py", action))


def test_a_listed_module_that_forgets_the_gate_once_is_noticed() -> None:
    """In a module that reads for good reasons, one more function that a door calls."""
    text = ast.unparse(tree_of("node/actions/read.py"))
    raw = "\n\ndef raw_event(node, unit, origin, event):\n    return find_holding(unit, origin, event, '')\n"
    made = with_more("node/actions/read.py", text + raw)
    door = Source.of("node/api/leak.py", ast.parse("from node.actions.read import raw_event"))
    assert "node.actions.read.raw_event" in undecided_calls(Code((*made.sources, door)))


@pytest.mark.parametrize(
    "text",
    [
        "def newest(conn) -> list[bytes]:\n    return list(conn.execute(select(holding.c.package)))",
        "def newest(conn):\n    return conn.execute(_ALL)\n\n_ALL = select(holding)",
        "def newest(conn) -> str:\n    return _ask(conn)\n\n\ndef _ask(conn): return select(stage)",
        "def newest(conn, gate: Gate) -> str:\n    return select(entry.c.value)",  # never asks it
    ],
)
def test_a_new_reader_counts_on_the_day_it_is_written(text: str) -> None:
    made = with_more("node/storage/newest.py", "from node.storage.gate import Gate\n" + text)
    assert ("node.storage.newest", "newest") in made.readers


def test_a_reader_that_asks_the_gate_is_none() -> None:
    text = (
        "from node.storage.gate import Gate, entry_is_seen\n"
        "def seen(conn, gate: Gate) -> str:\n"
        "    return conn.execute(select(entry.c.value).where(entry_is_seen(gate))).scalar()\n"
    )
    assert ("node.storage.seen", "seen") not in with_more("node/storage/seen.py", text).readers


def test_a_table_is_called_by_its_name() -> None:
    """`readers.py` knows a table in a query by the name it has there."""
    for source in ours():
        for name, node in source.defined.items():
            match node:
                case ast.Assign(value=ast.Call(func=ast.Name(id="Table"), args=[first, *_])):
                    assert ast.literal_eval(first) == name, source.module
                case _:
                    pass
