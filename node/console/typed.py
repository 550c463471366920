"""From a posted report form to the stage it means; what cannot be read stays as it was typed.

Nothing is checked here: a text that is no number or time goes to the action as text, which names
the field. Only a pasted line that looks like no indicator is told here, for only here it is a line.
"""

import re
from collections.abc import Mapping

from node.actions.errors import BadInputError
from node.console.iocs import Line, read_lines
from node.console.questions import QUESTIONS, Kind, Question
from node.console.zones import read_wall
from sharing.incidents.fields import FIELDS

SERVICE_ROWS = 6
_TYPED = Mapping[str, list[str]]
# No longer than what a database counts; Python itself refuses thousands of digits.
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_DECIMAL = re.compile(r"-?[0-9]{0,18}\.[0-9]{1,18}")


def read_stage(typed: _TYPED, country: str) -> dict[str, object]:
    """Give the stage that a form says, as the API would take it.

    Raises:
        BadInputError: pasted lines that look like no indicator.
    """
    body: dict[str, object] = {"report_id": _one(typed, "report_id"), "stage": _one(typed, "stage")}
    for question in QUESTIONS.values():
        value = _value(question, typed, country)
        if value not in (None, "", []):
            body[question.name] = value
    if _one(typed, "is_new") and "assistance_requested" not in body:
        body["assistance_requested"] = ["none"]
    indicators = read_indicators(typed)
    return body | ({"indicators": indicators} if indicators else {})


def read_indicators(typed: _TYPED) -> list[dict[str, str]]:
    """Give the pasted indicators: the attacker's, then one's own, which never leave."""
    theirs, ours = (read_lines(_one(typed, name)) for name in ("indicators", "own_indicators"))
    unknown = [*_unknown(theirs, "indicators"), *_unknown(ours, "own_indicators")]
    if unknown:
        (field, why), *others = unknown
        raise BadInputError(field, why, others)
    tlp = _one(typed, "indicators_tlp")
    colour = {"tlp": tlp} if tlp else {}
    return [
        *({"type": line.kind, "value": line.text, "role": "other"} | colour for line in theirs),
        *({"type": line.kind, "value": line.text, "role": "victim_side"} for line in ours),
    ]


def place_of(field: str, typed: _TYPED) -> str:
    """Give the question on the page that a field of the stage was asked by."""
    name = re.split(r"[.\[]", field, maxsplit=1)[0]
    if name == "indicators" and (found := re.match(r"indicators\[(\d+)\]", field)):
        is_ours = int(found[1]) >= len(read_lines(_one(typed, "indicators")))
        return "own_indicators" if is_ours else "indicators"
    return name


def _unknown(lines: list[Line], field: str) -> list[tuple[str, str]]:
    bad = [str(line.number) for line in lines if not line.kind]
    if not bad:
        return []
    which = f"line {bad[0]} looks" if len(bad) == 1 else f"lines {', '.join(bad)} look"
    return [(field, f"{which} like no indicator; take it out, or say it in the summary")]


def _value(question: Question, typed: _TYPED, country: str) -> object:
    name, text = question.name, _one(typed, question.name)
    match question.kind:
        case Kind.SERVICES:
            return _services(typed)
        case Kind.MANY:
            return typed.get(name, [])
        case Kind.LINES:
            return [line.strip() for line in text.splitlines() if line.strip()]
        case Kind.MOMENT:
            return _moment(text, _one(typed, "zone"), country)
        case Kind.NUMBER:
            return _number(text)
        case _:
            return _spelled(name, text)


def _spelled(name: str, text: str) -> object:
    kind = FIELDS[name].type
    if kind == "bool" and text:
        return text == "yes" if text in {"yes", "no"} else text
    return int(text) if kind == "band" and _WHOLE.fullmatch(text) else text


def _services(typed: _TYPED) -> list[dict[str, str]]:
    found = []
    for n in range(SERVICE_ROWS):
        service, state = _one(typed, f"service_{n}"), _one(typed, f"degradation_{n}")
        if service:
            found.append({"service": service, "degradation": state or "unknown"})
    return found


def _moment(text: str, zone: str, country: str) -> str:
    try:
        return read_wall(text, zone, country) if text else ""
    except ValueError:
        return text


def _number(text: str) -> object:
    plain = text.replace(",", ".").replace(" ", "")
    if _WHOLE.fullmatch(plain):
        return int(plain)
    return float(plain) if _DECIMAL.fullmatch(plain) else text


def _one(typed: _TYPED, name: str) -> str:
    return next(iter(typed.get(name, ())), "").strip()
