"""A rulebook with one slip in it: what its cases must notice.

A slip forgets a policy, a scope or a clause, takes one condition for always or never true, or a
limit for the next one. Works on the text, as an operator would; the texts are our own, so their
layout is known: one `forbid (…)` or `permit (…)` a line, clauses below it, no `;` in a reason.
"""

import re
from collections.abc import Iterator

_POLICY = re.compile(r'^@id\("([^"]+)"\).*?;', re.DOTALL | re.MULTILINE)
_SCOPES = (
    (re.compile(r"\(principal in [^,]+,"), "(principal,"),
    (re.compile(r", action (?:==|in) [^,]+,"), ", action,"),
)
_CLAUSE = re.compile(r"\n(?:when|unless) \{.*?\n?\}(?=\n|;)", re.DOTALL)
_CONDITION = re.compile(
    r"""
      !?(?:context|resource)\.(?:own|client|direct|named|released|embargoed|published|only|relay)\b
    | principal\.kind [!=]= Kind::"\w+"
    | resource\.log == Log::"\w+"
    | resource\.categories\.contains\([^)]*\)
    | resource\.(?:tlp|pap) [<>=]= \d
    | principal in Role::"\w+"(?=[ )}])(?!,)
    """,
    re.VERBOSE,
)
_LIMIT = re.compile(r"(?<= [<>=]= )\d")
_MEMBER = re.compile(r'(?<=[\[ ])Category::"[\w-]+"(?=[,\]])')


def mutants(text: str) -> Iterator[tuple[str, str]]:
    """Yield what was changed, and the whole text with that one change."""
    for policy in _POLICY.finditer(text):
        for what, changed in _slips(policy[0]):
            yield f"{policy[1]}: {what}", text[: policy.start()] + changed + text[policy.end() :]


def _slips(policy: str) -> Iterator[tuple[str, str]]:
    yield "forgotten", ""
    for scope, wide in _SCOPES:
        for found in scope.finditer(policy):
            yield f"{found[0]} forgotten", _with(policy, found, wide)
    for clause in _CLAUSE.finditer(policy):
        yield f"{clause[0]} forgotten", _with(policy, clause, "")
        for condition in _CONDITION.finditer(policy, clause.start(), clause.end()):
            for answer in ("true", "false"):
                yield f"{condition[0]} is {answer}", _with(policy, condition, answer)
        for limit in _LIMIT.finditer(policy, clause.start(), clause.end()):
            for other in (int(limit[0]) - 1, int(limit[0]) + 1):
                yield f"{limit[0]} is {other}", _with(policy, limit, str(other))
        for member in _MEMBER.finditer(policy, clause.start(), clause.end()):
            yield f"{member[0]} is another", _with(policy, member, 'Category::"finance"')


def _with(policy: str, found: re.Match[str], instead: str) -> str:
    return policy[: found.start()] + instead + policy[found.end() :]
