"""Real events and advisories: no string of theirs is a patient's."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sharing.formats.misp import BadMispError, read_misp
from sharing.patients.check import Checked, check_event
from sharing.patients.find import find
from tests.sharing.making import counting

NOW = datetime(2026, 1, 27, tzinfo=UTC)


def strings(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for name, inner in value.items():
                yield name
                yield from strings(inner)
        case list():
            for inner in value:
                yield from strings(inner)
        case _:
            return


@pytest.mark.parametrize("folder", ["misp-events", "csaf-icsma", "cacao"])
def test_no_string_of_a_real_file_raises_an_alarm(shared_data: Path, folder: str) -> None:
    files = sorted((shared_data / "real" / folder).glob("*.json"))
    assert files
    read = {s for file in files for s in strings(json.loads(file.read_text(encoding="utf-8")))}
    assert len(read) > 100
    assert [text[f.start : f.end] for text in read for f in find(text)] == []


def test_no_real_event_is_refused(shared_data: Path) -> None:
    checked = 0
    for file in sorted((shared_data / "real" / "misp-events").glob("*.json")):
        try:
            read = read_misp(file.read_bytes(), name=file.name, fresh=counting(), now=NOW)
        except BadMispError:
            continue  # one file is no event
        for each in read:
            assert check_event(each.event, key=bytes(32)) == Checked(), file.name
            checked += 1
    assert checked >= 20
