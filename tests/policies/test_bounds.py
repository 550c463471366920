"""No text ends the process: what goes too deep is refused before the engine reads it."""

import random
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from policies.bounds import LEVELS, POLICIES, TextError, policy_ends
from policies.errors import BadRulebookError
from policies.rulebook import SHIPPED, read_rulebook, shipped

HEAD = '@id("x.y")\n@reason("r")\npermit (principal, action, resource)\nwhen { '

Shape = Callable[[int], str]
# Each of them repeats one thing that the engine goes into, as often as it is told.
SHAPES: dict[str, Shape] = {
    "brackets": lambda n: "(" * n + "true" + ")" * n,
    "sets": lambda n: "[" * n + "1" + "]" * n + " == []",
    "records": lambda n: '{"a":' * n + "1" + "}" * n + " == 1",
    "calls within": lambda n: "[1].contains(" * n + "1" + ")" * n,
    "functions": lambda n: "ip(" * n + '"1"' + ")" * n + '== ip("1")',
    "not, in brackets": lambda n: "!(" * n + "true" + ")" * n,
    "minus, in brackets": lambda n: "1 == " + "-(" * n + "1" + ")" * n,
    "and, in brackets": lambda n: "true && (" * n + "true" + ")" * n,
    "in, in brackets": lambda n: "principal in (" * n + "principal" + ")" * n,
    "is in, in brackets": lambda n: "principal is Party in (" * n + "principal" + ")" * n,
    "and behind brackets": lambda n: "(" * n + "true" + ")" * n + " && true" * n,
    "dots behind brackets": lambda n: "(" * n + "resource" + ")" * n + ".a" * n + " == 1",
    "not": lambda n: "!" * n + "true",
    "minus": lambda n: "1 == " + "-" * n + "1",
    "then": lambda n: "if true then " * n + "true" + " else true" * n,
    "if": lambda n: "if " * n + "true" + " then true else true" * n,
    "else": lambda n: "if true then true else " * n + "true",
    "and": lambda n: "true && " * n + "true",
    "or": lambda n: "context.own || " * n + "true",
    "plus": lambda n: "1 == 1" + " + 1" * n,
    "times": lambda n: "1 == 1" + " * 1" * n,
    "dots": lambda n: "principal" + ".country" * n + ' == ""',
    "places": lambda n: "principal" + '["country"]' * n + ' == ""',
    "calls": lambda n: "[1]" + ".contains(1)" * n,
    "has": lambda n: "principal has a" + ".a" * n,
    "equals": lambda n: "1 == " * n + "1",
    "whens": lambda n: "true }" + " when { true }" * n + " when { true",
}

# What may stand around an expression, or follow it.
AROUND = (
    *("({})", "!({})", "-({})", "[{}]", '{{"a": {}}}', "[1].contains({})", "{}.a", '{}["a"]'),
    *("({}).contains(1)", "{} && true", "true && {}", "{} || true", "true || ({})", "{} == 1"),
    *("1 + {}", "({}) + 1", "{} * 1", "if {} then 1 else 1", "if true then {} else 1"),
    *("if true then 1 else {}", "principal in {}", "principal is Party in ({})", '({}) like "a*"'),
)

# Reads what stands at its input as a rulebook, in a thread of as many bytes as its argument says.
READER = """
import sys, threading
from policies.errors import BadRulebookError
from policies.rulebook import read_rulebook
def read(text):
    try:
        read_rulebook(text, name="draft", version="1")
        print("read")
    except BadRulebookError as error:
        print(error)
threading.stack_size(int(sys.argv[1]))
for text in sys.stdin.read().split("\\0"):
    thread = threading.Thread(target=read, args=(text,))
    thread.start()
    thread.join()
"""
THREAD = 2 << 20  # bytes, the least that Linux gives a thread unless told otherwise


def policy(condition: str) -> str:
    return HEAD + condition + " };"


def read_elsewhere(texts: list[str], stack: int) -> list[str]:
    """What another process says of each text; it dies where the engine goes too deep."""
    done = subprocess.run(
        [sys.executable, "-c", READER, str(stack)],
        input="\0".join(texts),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-400:]
    return done.stdout.splitlines()


def deepest(shape: Shape) -> int:
    """How often a shape may be repeated."""
    return next(n for n in range(LEVELS + 1) if not is_let_through(shape(n + 1)))


def is_let_through(condition: str) -> bool:
    try:
        policy_ends(policy(condition))
    except TextError:
        return False
    return True


def test_a_text_of_any_depth_is_refused_and_the_process_lives() -> None:
    told = read_elsewhere([policy(shape(2000)) for shape in SHAPES.values()], 4 * THREAD)
    assert [line for line in told if "too deep" not in line] == []
    assert len(told) == len(SHAPES)


def test_the_deepest_text_is_read_with_a_quarter_of_the_smallest_stack() -> None:
    texts = [policy(shape(deepest(shape))) for shape in SHAPES.values()]
    told = read_elsewhere(texts, THREAD // 4)
    assert len(told) == len(SHAPES)
    assert [line for line in told if "deep" in line or "nesting" in line] == []


def test_no_mixture_that_is_let_through_goes_too_deep_for_the_engine() -> None:
    chance = random.Random(7)
    texts = []
    for _ in range(400):
        mixture, some = "1", chance.sample(AROUND, 4)
        while is_let_through(wider := chance.choice(some).format(mixture)):
            mixture = wider
        texts.append(policy(mixture))
    told = read_elsewhere(texts, THREAD // 4)
    assert len(told) == len(texts)
    assert [line for line in told if "deep" in line or "nesting" in line] == []


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_rulebook_is_far_from_the_bounds(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("policies.bounds.LEVELS", LEVELS // 4)
    monkeypatch.setattr("policies.bounds.POLICIES", POLICIES // 4)
    policy_ends(shipped(name).text)


def test_fifty_organisations_may_be_listed_one_by_one() -> None:
    own = " || ".join(['principal.country == "FR"'] * 50)
    text = policy(f"(resource.tlp <= 2 && ({own}))")
    assert len(read_rulebook(text, name="draft", version="1").policies) > 1


@pytest.mark.parametrize(
    ("condition", "where", "why"),
    [
        ("(" * 40 + "true" + ")" * 40, "line 4, column 39", "too deep"),
        ("true\n&& [(true]", "line 5, column 10", "`]` where `)` is due"),
        ("true }}", "line 4, column 14", "`}` closes nothing"),
        ("(true", "line 4, column 14", "`}` where `)` is due"),
        ('"abc', "line 4, column 8", "this string has no end"),
        ("true; }", "line 4, column 6", "`{` is never closed"),
    ],
)
def test_a_fault_names_the_policy_line_and_column(condition: str, where: str, why: str) -> None:
    with pytest.raises(BadRulebookError) as refused:
        read_rulebook(policy(condition), name="draft", version="1")
    assert refused.value.policy == "x.y"
    assert refused.value.reason.startswith(f"{where}: {why}")


def test_what_goes_too_deep_is_blamed_on_its_own_policy() -> None:
    good = '@id("good") @reason("r") permit (principal, action, resource);\n'
    for deep in ("(" * 99 + "true" + ")" * 99, " || ".join(["context.own"] * 99)):
        text = good + policy(deep) + "\n" + good.replace("good", "another") * 5
        with pytest.raises(BadRulebookError, match="too deep") as refused:
            read_rulebook(text, name="draft", version="1")
        assert refused.value.policy == "x.y"


def test_brackets_and_semicolons_in_strings_and_comments_count_for_nothing() -> None:
    text = '// (((( " ;\n' + HEAD.replace('"r"', '"a ; \\" ((("') + '"//" == "[" };// ((('
    assert policy_ends(text) == [text.rindex(";") + 1, len(text)]
    assert len(read_rulebook(text, name="draft", version="1").policies) > 1


@pytest.mark.parametrize(
    "text", [";" * 900, ";" * 250_000, "a;" * 100_000, HEAD + '"' + ";" * 9000]
)
def test_a_text_of_nothing_but_ends_is_refused_at_once(text: str) -> None:
    began = time.monotonic()
    with pytest.raises(BadRulebookError, match="line "):
        read_rulebook(text, name="draft", version="1")
    assert time.monotonic() - began < 2


def test_the_first_policy_that_cannot_be_read_is_named_among_many() -> None:
    good = [f'@id("p{n}") @reason("r") permit (principal, action, resource);' for n in range(90)]
    for place in (0, 1, 44, 88, 89):
        text = "\n".join(
            [*good[:place], good[place].replace("action", "acting"), *good[place + 1 :]]
        )
        with pytest.raises(BadRulebookError, match="cannot be read") as refused:
            read_rulebook(text, name="draft", version="1")
        assert refused.value.policy == f"p{place}"


def test_a_policy_is_refused_for_its_own_fault_and_not_for_that_of_a_later_one() -> None:
    text = f"""@id("first") @reason("r") permit (principal, action, resource) when {{ nothing("x") }};
    {policy("resource. == 1")}"""
    with pytest.raises(BadRulebookError, match="first: cannot be read: `nothing` is not a valid"):
        read_rulebook(text, name="draft", version="1")
