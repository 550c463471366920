"""What no linter knows: which floor may say what, and how big a room may grow."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.tree.files import LOWER_FLOORS, PACKAGES, project_files, sources, text_of, tree_of

LONGEST_FILE = {"tests": 600} | dict.fromkeys(
    PACKAGES, 450
)  # cases make a test file long, not deep
EMPTY_NAMES = {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}
CHANCE = {"uuid1", "uuid4", "urandom", "token_bytes", "token_hex", "SystemRandom"}
SQL = re.compile(
    r"\s*(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s.+\sSET|DELETE\s+FROM|(CREATE|DROP|ALTER)\s+TABLE)\s",
    re.IGNORECASE | re.DOTALL,
)
# The outermost door and the round of the scheduler: nothing may escape there, and all is logged.
CATCH_ALLS = {"node/doors.py", "node/schedule.py"}


def strings(tree: ast.Module) -> Iterator[str]:
    """Every string in the code that is no docstring."""
    spoken = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in spoken
        ):
            yield node.value


def words(tree: ast.Module) -> set[str]:
    """Every name that the code uses or imports, without what stands before its dot."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=word) | ast.Attribute(attr=word):
                found.add(word)
            case ast.ImportFrom(names=aliases) | ast.Import(names=aliases):
                found |= {alias.name for alias in aliases}
            case _:
                pass
    return found


def called(tree: ast.Module) -> set[str]:
    """Everything that is called, by the last word of its name."""
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {ast.unparse(function).rpartition(".")[2] for function in calls}


def called_builtins(tree: ast.Module) -> set[str]:
    """The bare names that are called."""
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {function.id for function in calls if isinstance(function, ast.Name)}


def makes_keys(tree: ast.Module) -> bool:
    """Whether the code draws a fresh private key."""
    return bool(re.search(r"PrivateKey\w*\.generate\(", ast.unparse(tree)))


def swallows_all(tree: ast.Module) -> bool:
    """Whether an `except` for everything stands there that raises nothing again."""
    for node in ast.walk(tree):
        match node:
            case ast.ExceptHandler(type=caught, body=body):
                names = set() if caught is None else words(ast.Module([ast.Expr(caught)], []))
                again = any(isinstance(n, ast.Raise) for part in body for n in ast.walk(part))
                if not again and (caught is None or names & {"Exception", "BaseException"}):
                    return True
            case _:
                pass
    return False


def test_the_checks_below_see_what_they_look_for() -> None:
    tree = ast.parse(
        '"""SELECT a FROM b """\n'
        "from uuid import uuid4\n"
        "open('x', 'y').z(a.HTTPException)\n"
        "q = 'select a from b where c'\n"
        "Ed25519PrivateKey.generate()\n"
        "try: pass\n"
        "except (KeyError, Exception): pass\n"
    )
    assert {"uuid4", "HTTPException", "z"} <= words(tree)
    assert {"open", "z", "generate"} == called(tree)
    assert called_builtins(tree) == {"open"}
    assert [text for text in strings(tree) if SQL.match(text)] == [
        "q = 'select a from b where c'"[5:-1]
    ]
    assert makes_keys(tree)
    assert swallows_all(tree)


@pytest.mark.parametrize("name", sources(*LOWER_FLOORS))
def test_a_lower_floor_is_handed_its_files_and_its_chance(name: str) -> None:
    assert not words(tree_of(name)) & CHANCE
    assert "open" not in called_builtins(tree_of(name))
    assert not makes_keys(tree_of(name))


def test_only_the_api_raises_http_errors() -> None:
    raisers = [n for n in sources(*PACKAGES) if "HTTPException" in called(tree_of(n))]
    assert [name for name in raisers if not name.startswith("node/api/")] == []


def test_sql_is_written_in_storage_only() -> None:
    ours = [n for n in sources(*PACKAGES) if not n.startswith(("node/storage/", "migrations/"))]
    assert [n for n in ours if any(SQL.match(text) for text in strings(tree_of(n)))] == []


def test_a_revision_imports_nothing_of_ours() -> None:
    imports = re.compile(rf"^\s*(?:from|import)\s+({'|'.join(PACKAGES)})\b", re.MULTILINE)
    revisions = sources("migrations/versions")
    assert revisions
    assert [name for name in revisions if imports.search(text_of(name))] == []


def test_everything_is_caught_in_two_places_only() -> None:
    assert {n for n in sources(*PACKAGES) if swallows_all(tree_of(n))} <= CATCH_ALLS


def test_a_module_is_named_after_what_is_in_it() -> None:
    stems = {name: name.rpartition("/")[2].removesuffix(".py") for name in project_files()}
    assert [n for n, stem in stems.items() if n.endswith(".py") and stem in EMPTY_NAMES] == []


def test_an_init_holds_one_docstring() -> None:
    assert set(PACKAGES) <= {name.partition("/")[0] for name in sources(*PACKAGES)}
    for name in sources(*PACKAGES, "tests"):
        if name.endswith("/__init__.py"):
            assert len(tree_of(name).body) <= 1, name
            assert ast.get_docstring(tree_of(name)), name


def test_a_file_is_one_room() -> None:
    for name in sources(*LONGEST_FILE):
        lines = text_of(name).count("\n")
        assert lines <= LONGEST_FILE[name.partition("/")[0]], name
