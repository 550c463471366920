"""Who reads what a store keeps of anybody's words, and how: read off the source text, not from lists.

A *reader* is a public function of `node/storage` that gives content and takes no `Gate`. A *door* is
whatever answers to the outside or sends to it. Nothing here names a reader: they are derived from
the tables they touch, so that a new one counts on the day it is written.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy import LargeBinary, Text

from node.storage import tables

Place = tuple[str, str]  # (module, name)

STORAGE = "node.storage"
ACTIONS = "node.actions"
_SILENT_ANSWERS = {"None", "bool", "int"}
_BLIND_MODULES = {"columns", "store", "schema", "errors"}

# What stands in a table of logs and is none of their words. Any other text or bytes count.
BOOKKEEPING = {
    "log.ground": "the rule its labels rest on",
    "log.recall": "its originator's signed word, for whoever had the log",
    "own_head.recall": "the same, of what a restore must not forget",
    "holding.withheld": "a sender's grounds for what it kept back",
    "stage.due": "dates",
    "act.reason": "why a person released something",
    "act.reference": "the order it was released on",
    "act.envelope": "hashes of what was released, signed",
    "outbox.map": "which slots a row shows, not what they say",
    "outbox.withheld": "grounds for what was kept back",
    "outbox.told": "which words of a recall a peer was told",
    "seen.told": "the same, of what we were told",
    "ledger.map": "which slots were given, not what they say",
    "ledger.void": "which records were void",
    "receipt_due.envelope": "what became of an item, signed",
    "receipt_due.lost": "which slots must be gone, not what they say",
    "receipt_got.envelope": "what became of an item, signed",
    "quarantine.reason": "the check that failed",
    "quarantine.item_line": "a line of a feed: names, versions, hashes",
    "spread.left_out": "who of a sharing group was not listed, by uuid; no word of the event",
    "push.last_error": "a peer's status",
    "audit.detail": "what was done; never a value",
}


def content_columns() -> dict[str, set[str]]:
    """By table about logs: its columns that hold words of theirs, or keys by which those are found."""
    found = {
        table.name: {
            column.name
            for column in table.c
            if (isinstance(column.type, Text | LargeBinary) or column.name.endswith("key"))
            and f"{table.name}.{column.name}" not in BOOKKEEPING
        }
        for table in tables.log.metadata.sorted_tables
        if "event" in table.c
    }
    return {name: columns for name, columns in found.items() if columns}


@dataclass(frozen=True)
class Source:
    """A file of ours: its dotted name and its tree."""

    module: str
    tree: ast.Module
    _meanings: dict[ast.AST, frozenset[Place]] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, path: str, tree: ast.Module) -> "Source":
        """The file at this path below the root."""
        return cls(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."), tree)

    @cached_property
    def imported(self) -> dict[str, Place]:
        """What each name of this file stands for: (module, name); name is empty for a module."""
        found: dict[str, Place] = {}
        for node in ast.walk(self.tree):
            match node:
                case ast.ImportFrom(module=str(module), names=aliases):
                    for alias in aliases:
                        found[alias.asname or alias.name] = (module, alias.name)
                case ast.Import(names=aliases):
                    for alias in aliases:
                        whole = alias.asname or alias.name.partition(".")[0]
                        found[whole] = (alias.name if alias.asname else whole, "")
                        found[alias.name] = (alias.name, "")
                case _:
                    pass
        return found

    @cached_property
    def defined(self) -> dict[str, ast.stmt]:
        """The functions, classes and values of this file's top level."""
        found: dict[str, ast.stmt] = {}
        for node in self.tree.body:
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    found[node.name] = node
                case ast.Assign(targets=targets):
                    found |= {each.id: node for each in targets if isinstance(each, ast.Name)}
                case ast.AnnAssign(target=ast.Name(id=name)):
                    found[name] = node
                case _:
                    pass
        return found

    def meant(self, node: ast.expr) -> Place | None:
        """What a name or a dotted name of this file stands for."""
        match node:
            case ast.Name(id=name) if name in self.imported:
                return self.imported[name]
            case ast.Name(id=name) if name in self.defined:
                return (self.module, name)
            case ast.Attribute(value=value, attr=name):
                whole = self.meant(value)
                return None if whole is None else (".".join(filter(None, whole)), name)
            case _:
                return None

    def meanings(self, node: ast.AST) -> frozenset[Place]:
        """Everything that the names in this part of the file stand for."""
        if node not in self._meanings:
            names = (each for each in ast.walk(node) if isinstance(each, ast.Name | ast.Attribute))
            self._meanings[node] = frozenset(filter(None, map(self.meant, names)))
        return self._meanings[node]


@dataclass(frozen=True)
class Code:
    """Files of ours, asked together."""

    sources: tuple[Source, ...]
    _reached: dict[Place, frozenset[Place]] = field(default_factory=dict)

    @cached_property
    def by_module(self) -> Mapping[str, Source]:
        """Each file by its dotted name."""
        return {each.module: each for each in self.sources}

    def definition(self, place: Place) -> ast.stmt | None:
        """What defines it, if one of these files does."""
        source = self.by_module.get(place[0])
        return None if source is None else source.defined.get(place[1])

    def reached(self, place: Place) -> frozenset[Place]:
        """Everything that it names, and what that names, as far as these files go."""
        if place not in self._reached:
            seen, waiting = set[Place](), [place]
            while waiting:
                at = waiting.pop()
                node = self.definition(at)
                if at in seen or node is None:
                    seen.add(at)
                    continue
                seen.add(at)
                waiting += self.by_module[at[0]].meanings(node)
            self._reached[place] = frozenset(seen)
        return self._reached[place]

    @cached_property
    def readers(self) -> frozenset[Place]:
        """The public functions of storage that give content, whoever asks."""
        content = content_columns()
        return frozenset(
            place
            for place in self._public(STORAGE)
            if not _is_blind(place)
            and self._answers(place)
            and not self._is_gated(place)
            and any(
                _touches(node, content)
                for each in self.reached(place)
                if (node := self.definition(each)) is not None and not _is_blind(each)
            )
        )

    def users(self, places: Iterable[Place]) -> dict[str, set[str]]:
        """By module outside storage: which of these it names anywhere."""
        wanted = frozenset(places)
        found = {
            source.module: {
                name for at, name in source.meanings(source.tree) if (at, name) in wanted
            }
            | {name for at, name in source.imported.values() if (at, name) in wanted}
            for source in self.sources
            if not is_in(source.module, STORAGE)
        }
        return {module: names for module, names in found.items() if names}

    @cached_property
    def unprojected(self) -> frozenset[Place]:
        """The types of what nobody has decided on: whole rows, whole logs, whatever holds such."""
        content = {column for columns in content_columns().values() for column in columns}
        rows = {
            place
            for reader in self.readers
            for place in self._annotated(reader)
            if _has_field(self.definition(place), content)
        }
        found = rows | {("sharing.seal.holding", name) for name in ("Holding", "HeldRecord")}
        while True:
            more = {
                place
                for place in self._classes(ACTIONS)
                if place not in found and not found.isdisjoint(self._annotated(place))
            }
            if not more:
                return frozenset(found)
            found |= more

    def handles_unprojected(self, place: Place) -> bool:
        """Whether it is such a type, or a function that takes or gives one."""
        return place in self.unprojected or (
            isinstance(self.definition(place), ast.FunctionDef)
            and not self.unprojected.isdisjoint(self._annotated(place))
        )

    def _annotated(self, place: Place) -> set[Place]:
        """What the signature of a function names, or the fields of a class."""
        source, node = self.by_module[place[0]], self.definition(place)
        match node:
            case ast.FunctionDef(args=args, returns=returns):
                arguments = [*args.posonlyargs, *args.args, *args.kwonlyargs]
                said = [each.annotation for each in arguments] + [returns]
            case ast.ClassDef(body=body):
                said = [each.annotation for each in body if isinstance(each, ast.AnnAssign)]
            case _:
                said = []
        return {each for one in said if one is not None for each in source.meanings(one)}

    def _classes(self, package: str) -> Iterator[Place]:
        for source in self.sources:
            if is_in(source.module, package):
                for name, node in source.defined.items():
                    if isinstance(node, ast.ClassDef):
                        yield (source.module, name)

    def _public(self, package: str) -> Iterator[Place]:
        for source in self.sources:
            if is_in(source.module, package):
                for name, node in source.defined.items():
                    if isinstance(node, ast.FunctionDef) and not name.startswith("_"):
                        yield (source.module, name)

    def _answers(self, place: Place) -> bool:
        node = self.definition(place)
        returns = node.returns if isinstance(node, ast.FunctionDef) else None
        return returns is None or ast.unparse(returns) not in _SILENT_ANSWERS

    def _is_gated(self, place: Place) -> bool:
        """Whether it is handed a Gate, and asks storage's gate about rows."""
        node = self.definition(place)
        assert isinstance(node, ast.FunctionDef)
        arguments = [*node.args.args, *node.args.kwonlyargs]
        takes = any(
            each.annotation and ast.unparse(each.annotation) == "Gate" for each in arguments
        )
        asks = {f"{STORAGE}.gate"} & {at for at, name in self.reached(place) if name.islower()}
        return takes and bool(asks)


def is_in(module: str, package: str) -> bool:
    """Whether the module is the package or stands in it."""
    return f"{module}.".startswith(f"{package}.")


def _is_blind(place: Place) -> bool:
    """Whether it says what tables there are, or how any database is asked; it reads nothing."""
    module = place[0].removeprefix(f"{STORAGE}.")
    return module in _BLIND_MODULES or module.startswith("tables")


def _has_field(node: ast.stmt | None, names: set[str]) -> bool:
    """Whether it is a class with a field of one of these names."""
    body = node.body if isinstance(node, ast.ClassDef) else []
    fields = (each.target for each in body if isinstance(each, ast.AnnAssign))
    return any(_last(each) in names for each in fields)


def _touches(node: ast.AST, content: Mapping[str, set[str]]) -> bool:
    """Whether a query in it selects or asks for content: a column, or the whole of its table."""
    for each in ast.walk(node):
        match each:
            case ast.Attribute(value=ast.Attribute(value=table, attr="c"), attr=column):
                if column in content.get(_last(table), ()):
                    return True
            case ast.Subscript(value=ast.Attribute(value=table, attr="c")):
                if _last(table) in content:
                    return True
            case ast.Call(func=function, args=arguments) if _last(function) == "select":
                if any(_last(argument) in content for argument in arguments):
                    return True
            case _:
                pass
    return False


def _last(node: ast.expr) -> str:
    """The last word of a name."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""
