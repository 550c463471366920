"""Rulebooks from the shell: are they sound, what would they say and change, who lets them count."""

from collections.abc import Iterable
from pathlib import Path

import typer

from node.actions.errors import BadInputError
from node.actions.explain import Explanation, origin_of
from node.actions.explain import explain as explain_event
from node.actions.foresee import Foreseen, PartyChange, sentences_of
from node.actions.people import caller_at_shell
from node.actions.rulebook_text import PolicyShown, check_rules, policies_of
from node.actions.rulebooks import (
    Proposed,
    find_rules,
    foresee_proposal,
    foresee_rules,
    kept_rules,
    propose,
)
from node.actions.rulebooks import approve as approve_rules
from node.actions.rulebooks import reject as reject_rules
from node.actions.towards import party_named
from node.commands.shown import opened, print_rows
from policies.cases import Case, ask_cases, read_cases, shipped_cases_text
from policies.decide import Reason
from policies.rulebook import SHIPPED, Rulebook, read_rulebook, shipped

_EVENTS = 20  # events listed for a party
_SHIPPED = ", ".join(sorted(SHIPPED))
_NO_RULEBOOK = (
    f"there is no such file, and shipped are {_SHIPPED}: `isac policy show NAME --text` prints one "
    "to start from"
)
_NO_CASES = (
    "there is no such file: what the rulebook should say stands in it, case by case; "
    f"`isac policy show NAME --cases` prints those of {_SHIPPED} to start from"
)


def check(which: str) -> None:
    """Check a rulebook together with the floor; prints its digest and policies."""
    text, name = _given(which, "")
    rulebook = read_rulebook(text, name=name, version="unversioned")
    _print_head(rulebook.name, rulebook.version, rulebook.digest)
    _print_policies(policies_of(rulebook))


def test(which: str, cases: Path | None) -> bool:
    """Ask the rulebook its cases; tell whether it answers as expected."""
    rulebook, expected = _cases(which, cases)
    outcome = ask_cases(expected, rulebook)
    for line in outcome.contradictions:
        typer.echo(f"FAIL  {line}")
    for policy in outcome.untried:
        typer.echo(f"-     no case expects {policy} to decide")
    agreed = outcome.asked - len(outcome.contradictions)
    typer.echo(f"{agreed} of {outcome.asked} cases as expected")
    return not outcome.contradictions


def show(data: Path, which: str, *, text: bool, cases: bool) -> None:
    """Print a rulebook of this node, or a shipped one; or the cases of a shipped one."""
    if cases:
        if which not in SHIPPED:
            raise BadInputError("--cases", f"come with {_SHIPPED}: name one of them")
        typer.echo(shipped_cases_text(which), nl=False)
        return
    if which in SHIPPED:
        rulebook = shipped(which)
        if text:
            typer.echo(rulebook.text, nl=False)
            return
        _print_head(rulebook.name, rulebook.version, rulebook.digest)
        _print_policies(policies_of(rulebook))
        return
    with opened(data) as node:
        found = find_rules(node, _number(which) if which else None)
    if text:
        typer.echo(found.text, nl=False)
        return
    about = found.about
    _print_head(about.name, str(about.number), about.digest)
    typer.echo(f"{about.state}; by {about.author} at {about.proposed_at:%Y-%m-%d %H:%M:%SZ}")
    typer.echo(f"why: {about.why}")
    for line in about.foreseen:
        typer.echo(f"then: {line}")
    _print_policies(found.policies)


def history(data: Path) -> None:
    """Print every rulebook that was ever proposed."""
    with opened(data) as node:
        rules = kept_rules(node)
    print_rows(
        ("number", "name", "state", "proposed at", "by", "decided by", "digest", "why"),
        [
            (
                one.number,
                one.name,
                one.state,
                f"{one.proposed_at:%Y-%m-%d %H:%M:%SZ}",
                one.author,
                one.decided_by or "-",
                one.digest[:16],
                one.note or one.why,
            )
            for one in rules
        ],
    )


def explain(data: Path, login: str, event: str, to: str, origin: str) -> None:
    """Print what a party gets of an event, slot by slot."""
    with opened(data) as node:
        caller = caller_at_shell(node, login)
        source = origin or origin_of(node, caller, event)
        _print_explained(explain_event(node, caller, source, event, party_named(node, to)))


def diff(data: Path, login: str, which: str) -> None:
    """Print what a rulebook would change of all that is stored."""
    with opened(data) as node:
        caller = caller_at_shell(node, login)
        if which.isdecimal():
            _print_foreseen(foresee_proposal(node, caller, int(which)))
            return
        text, name = _given(which, "")
        _print_foreseen(foresee_rules(node, caller, text, name))


def apply(data: Path, login: str, which: str, name: str, why: str) -> None:
    """Propose a rulebook, in force at once where it only takes back."""
    text, called = _given(which, name)
    with opened(data) as node:
        _print_done(propose(node, caller_at_shell(node, login), text, called, why))


def approve(data: Path, login: str, number: int) -> None:
    """Put another operator's proposal in force."""
    with opened(data) as node:
        _print_done(approve_rules(node, caller_at_shell(node, login), number))


def reject(data: Path, login: str, number: int, reason: str) -> None:
    """Turn a proposal down."""
    with opened(data) as node:
        _print_done(reject_rules(node, caller_at_shell(node, login), number, reason))


def _cases(which: str, cases: Path | None) -> tuple[Rulebook, tuple[Case, ...]]:
    file = Path(which)
    if which in SHIPPED and not file.exists():
        expected = shipped_cases_text(which) if cases is None else _text_of(cases, _NO_CASES)
        return shipped(which), read_cases(expected)
    rulebook = check_rules(_text_of(file), _name_of(file))
    beside = cases or file.with_suffix(".cases.toml")
    return rulebook, read_cases(_text_of(beside, _NO_CASES))


def _given(which: str, name: str) -> tuple[str, str]:
    """The text and the name of what was given: a file, or a shipped rulebook."""
    file = Path(which)
    if which in SHIPPED and not file.exists():
        return shipped(which).text, name or which
    return _text_of(file), name or _name_of(file)


def _name_of(file: Path) -> str:
    return file.stem.lower()


def _text_of(file: Path, missing: str = _NO_RULEBOOK) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadInputError(str(file), "is no UTF-8 text") from error
    except FileNotFoundError as error:
        raise BadInputError(str(file), missing) from error
    except OSError as error:
        raise BadInputError(str(file), f"cannot be read: {error.strerror}") from error


def _number(text: str) -> int:
    if not text.isdecimal():
        raise BadInputError("", f"{text} is no number of the history, and shipped are {_SHIPPED}")
    return int(text)


def _print_head(name: str, version: str, digest: str) -> None:
    typer.echo(f"{name} {version} {digest}")


def _print_policies(policies: Iterable[PolicyShown]) -> None:
    for policy in sorted(policies, key=lambda one: one.id):
        typer.echo(f"{policy.id}: {policy.reason}")


def _print_explained(told: Explanation) -> None:
    typer.echo(f"event {told.origin} {told.event} to {told.party_name} {told.party}")
    typer.echo(f"{told.sent} slots sent, {told.held} held, {told.withheld} withheld")
    if not told.published:
        typer.echo("it is not published")
    if told.refused:
        typer.echo(f"not offered at all: {told.refused}")
    if told.digest:
        typer.echo(f"package of {told.size} bytes, {told.digest}")
    print_rows(
        ("what", "slot", "becomes", "label", "because"),
        [
            (f"{row.kind} {row.name}", row.slot, row.effect, row.label, _told(row.reasons))
            for row in told.rows
        ],
    )


def _told(reasons: Iterable[Reason]) -> str:
    return "; ".join(f"{reason.text} ({reason.id})" for reason in reasons)


def _print_foreseen(seen: Foreseen) -> None:
    for policy in seen.removed:
        typer.echo(f"- policy {policy}")
    for policy in seen.added:
        typer.echo(f"+ policy {policy}")
    for party in seen.parties:
        for line in sentences_of(party):
            typer.echo(line)
        _print_events(party)
    if not seen.parties:
        typer.echo("nothing of what is stored would go elsewhere")
    typer.echo(f"{seen.looked_at} events looked at, against rulebook {seen.base}")
    if seen.example:
        typer.echo(f"for example {seen.example}")
    typer.echo(
        "it lets somebody have more: another operator has to approve it"
        if seen.widens
        else "it lets nobody have more: it is in force as soon as it is applied"
    )


def _print_events(party: PartyChange) -> None:
    for event in party.events[:_EVENTS]:
        what = [
            *(["newly"] if event.newly else []),
            *(["recalled"] if event.recalled else []),
            f"+{event.gained} -{event.lost}",
            *([f"{event.held} held"] if event.held else []),
        ]
        typer.echo(f"  {event.event} {event.info or ''} ({', '.join(what)})")
        typer.echo(f"    because {_told(event.reasons)}")
    total = party.newly + party.recalled + party.more + party.less + party.held
    if total > _EVENTS and len(party.events) > _EVENTS:
        typer.echo("  …")


def _print_done(done: Proposed) -> None:
    about = done.about
    typer.echo(f"rulebook {about.number} {about.name} {about.digest}: {about.state}")
    for line in about.foreseen:
        typer.echo(line)
    if about.state == "waiting":
        typer.echo(f"another operator has to approve it: `isac policy approve {about.number}`")
