"""A declaration in words, for people who open the file without our program."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256

from node.actions.waiting import Waiting
from node.node import Node
from node.storage.releases import ActRow
from policies.label import Label
from sharing.event import Attribute
from sharing.view import View


def summary_of(
    node: Node, waiting: Waiting, shown: View, package: bytes, acts: Sequence[ActRow]
) -> str:
    """Give the text: from whom to whom, who released it on what ground, what it says."""
    return "\n".join(
        [
            f"Declaration {shown.uuid}",
            "",
            f"From:      {node.settings.name} ({node.settings.country}, {node.org})",
            f"To:        {waiting.target.name} ({waiting.target.party.org})",
            f"About:     event {waiting.about}",
            f"Sealed:    {_at(shown.sealed_at)}",
            *(f"Ground:    {ground}" for ground in _grounds(acts)),
            "",
            "Released by",
            *(f"  {act.person}, {act.role}, {_at(act.acted_at)}: {act.reason}" for act in acts),
            "",
            "What it says",
            *_fields(shown),
            "",
            *_indicators(shown),
            "How to check it",
            "  isac seal verify declaration.ndjson --keys ROSTER",
            f"  SHA-256 of declaration.ndjson: {sha256(package).hexdigest()}",
            "  act-….json: what each person said, signed by the node (DSSE)",
            "",
        ]
    )


def _grounds(acts: Sequence[ActRow]) -> list[str]:
    found = {f"{act.ground}, {act.reference}" for act in acts if act.ground}
    return sorted(found)


def _fields(shown: View) -> Iterator[str]:
    for field in shown.fields:
        yield f"  {field.name.replace('_', ' ')}: {_plain(field.value)}  ({_label(field.label)})"


def _indicators(shown: View) -> Iterator[str]:
    if not shown.event.attributes:
        return
    yield f"Indicators ({len(shown.event.attributes)})"
    for each in shown.event.attributes:
        yield f"  {each.type}: {each.value}  ({_label(_label_of(shown, each))})"
    yield ""


def _label_of(shown: View, attribute: Attribute) -> Label:
    return shown.labels.get(attribute.uuid, shown.label)


def _label(label: Label) -> str:
    return ", ".join([label.tlp.title, *sorted(label.categories)])


def _plain(value: object) -> str:
    match value:
        case list():
            return "; ".join(map(_plain, value))
        case dict():
            return ", ".join(f"{name} {_plain(each)}" for name, each in value.items())
        case _:
            return str(value)


def _at(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
