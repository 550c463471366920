"""Whatever an event holds is read: no field, type, member or slot passes for its name."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import orjson
import pytest

from policies.label import Label
from policies.tlp import Tlp
from sharing.event import Attribute, Event, Object
from sharing.patients.check import Checked, check_event, check_log
from sharing.patients.find import find
from sharing.patients.finding import Kind, Where
from sharing.patients.numbers import NUMBERS
from sharing.patients.places import _BY_TYPE
from sharing.slots_read import LogRead

KEY = bytes(32)
SECRET = "Patient Maria Rossi, born 3 April 1961"
PESEL = "44051401359"
NHS = "9434765919"
A_UUID = "5e1f8a30-7d1c-4b5e-9a2f-6d5c4b3a2f20"


def made(hint: Any) -> Any:
    """Something of a type: every field filled, one of everything in every list."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {UnionType, Union}:
        return made(next(each for each in arguments if each is not type(None)))
    if origin is tuple:
        return (made(arguments[0]),)
    if origin is frozenset:
        return frozenset({made(arguments[0])})
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"x": "x", "y": [{"z": "z"}], "n": 1}
    if origin is Literal:
        return arguments[0]
    if hint is Label:  # takes but words of closed lists
        return Label(Tlp.GREEN)
    if isinstance(hint, type) and is_dataclass(hint):
        hints = get_type_hints(hint)
        return hint(**{each.name: made(hints[each.name]) for each in fields(hint)})
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(iter(hint))
    plain = {str: "x", int: 1, bool: False, datetime: datetime(2026, 1, 27, tzinfo=UTC)}
    return plain[hint]


def tainted(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The value again and again, each time with a patient in another leaf of it."""
    if isinstance(value, bool | Enum | datetime | Label):
        return
    if isinstance(value, str):
        yield path, SECRET
    elif isinstance(value, int):
        yield path, int(PESEL)
        if path.rpartition("/")[2] == "n":
            yield f"{path} float", float(PESEL)
    elif isinstance(value, tuple | list | frozenset):
        kind, (only,) = type(value), value
        yield from ((at, kind([each])) for at, each in tainted(only, path))
    elif isinstance(value, dict):
        yield f"{path} name", {SECRET: 1}
        yield f"{path} short name", {"patient_Maria_Rossi": 1}
        for name, inner in value.items():
            yield from (
                (at, {**value, name: each}) for at, each in tainted(inner, f"{path}/{name}")
            )
    else:
        for field in fields(value):
            inner = getattr(value, field.name)
            put = partial(replace, value)
            for at, each in tainted(inner, f"{path}/{field.name}"):
                yield at, put(**{field.name: each})


FULL: Event = made(Event)
TAINTED = dict(tainted(FULL))


def event(**attribute: Any) -> Event:
    one = replace(Attribute(A_UUID, "text", "Other", "x", to_ids=False, timestamp=1), **attribute)
    return Event(A_UUID, "info", "2026-01-27", 1, 1, 1, attributes=(one,))


def with_extra(**extra: Any) -> Event:
    return replace(event(), extra=extra)


def test_the_full_event_is_clean_and_has_every_part() -> None:
    assert check_event(FULL, key=KEY) == Checked()
    for path in ("/attributes/twin/value", "/objects/attributes/mark/audience/parties", "/orgc/x"):
        assert path in TAINTED
    assert len(TAINTED) > 150


@pytest.mark.parametrize("leaf", TAINTED)
def test_a_patient_is_found_in_every_leaf_and_shown_nowhere(leaf: str) -> None:
    found = check_event(TAINTED[leaf], key=KEY).found
    assert found
    told = " ".join(each.sentence + each.place for each in found)
    assert not [part for part in ("Rossi", "1961", PESEL) if part in told]


@pytest.mark.parametrize("kind", [*_BY_TYPE, "text", "hex", "size-in-bytes", "a-type-of-tomorrow"])
def test_a_patient_is_found_as_a_value_of_every_type(kind: str) -> None:
    assert check_event(event(type=kind, value=SECRET), key=KEY).found
    assert check_event(event(type=kind, value=SECRET, to_ids=True), key=KEY).found


@pytest.mark.parametrize("kind", [each for each, where in _BY_TYPE.items() if where == "machine"])
def test_a_patients_number_is_no_value_that_a_machine_wrote(kind: str) -> None:
    for number in (PESEL, NHS, "943 476 5919", "85073003328", "295109912611193"):
        assert check_event(event(type=kind, value=number), key=KEY).found, number


TOKENS = (
    ("md5", "44051401359440514013594405140135"),
    ("sha256", "9434765919" * 6 + "9434"),
    ("ip-dst", "94.34.76.59"),
    ("ip-dst|port", "203.0.113.45|44351"),
    ("ip-src", "2001:db8::9434:7659"),
    ("vulnerability", "CVE-2021-44228"),
    ("domain", "patient-maria.rossi.example"),
    ("domain", "a9434765919.example"),
    ("url", "https://x.example/Maria/Rossi/index.php?id=44051401359"),
    ("email-src", "Maria.Rossi@x.example"),
    ("filename", "Patient_Portal_Setup.exe"),
    ("filename", "9434765919.bin"),
    ("size-in-bytes", "9434765919"),
    ("AS", "4294967295"),
    ("datetime", "2026-01-27T10:11:12.000000+00:00"),
    ("ssdeep", "96:s4Ud1Lj96tHHlZDrwciQmA+4uy1I0G4HYuL8N3TzS8QsO/wqWXLcMSx:sF1LjEtHHlZDrJzrhuy"),
    ("cpe", "cpe:2.3:a:philips:patient_monitor:1.2:*:*:*:*:*:*:*"),
    ("mac-address", "00:11:22:33:44:55"),
)


@pytest.mark.parametrize(("kind", "value"), TOKENS)
def test_a_token_of_its_type_is_no_patients(kind: str, value: str) -> None:
    assert check_event(event(type=kind, value=value), key=KEY) == Checked()


SPELLED = (
    ("url", "https://x.example/?q=Patient%20Maria%20Rossi"),
    ("url", "https://x.example/Patient+Maria+Rossi"),
    ("filename", "Patient_Maria_Rossi.pdf"),
    ("filename", "Patient.Maria.Rossi.pdf"),
    ("filename", "patient Maria Rossi.exe"),
    ("comment", "see https://x.example/?q=Patient%20Maria%20Rossi"),
)


@pytest.mark.parametrize(("kind", "value"), SPELLED)
def test_a_name_is_found_where_other_signs_stand_for_its_spaces(kind: str, value: str) -> None:
    found = check_event(event(type=kind, value=value), key=KEY).found
    assert {each.finding.kind for each in found} == {Kind.NAME}
    assert all(0 <= each.finding.start < each.finding.end <= len(value) for each in found)


LABELLED: tuple[dict[str, Any], ...] = (
    {"nhs_number": int(NHS)},
    {"nhsNumber": NHS},
    {"patient": "Maria Rossi"},
    {"Patient": {"name": "Maria Rossi"}},
    {"patients": [{"name": {"full": ["Maria Rossi"]}}]},
    {"PESEL": float(PESEL)},
    {"dateOfBirth": "3.4.61"},
    {PESEL: "x"},
    {"a" + PESEL: {"x": PESEL}},
)


@pytest.mark.parametrize("members", LABELLED)
def test_a_members_name_is_read_with_its_value(members: dict[str, Any]) -> None:
    found = check_event(with_extra(**members), key=KEY).found
    assert found
    assert PESEL not in " ".join(each.sentence + each.place for each in found)


def test_the_relation_of_a_value_in_an_object_is_read_with_it() -> None:
    (inside,) = event(value=NHS, object_relation="nhs-number").attributes
    held = replace(event(), objects=(Object("oo", "record", 1, attributes=(inside,)),))
    assert [each.path for each in check_event(held, key=KEY).found] == [
        f"objects/oo/attributes/{A_UUID}/value"
    ]


def test_depth_hides_nothing() -> None:
    deep: Any = SECRET
    for _ in range(100):
        deep = [{"x": deep}]
    assert check_event(with_extra(x=deep), key=KEY).found


GREEK = "Ο ασθενής Γιώργος Παπαδόπουλος περιμένει"
TEXTS = (
    SECRET.encode(),
    b"PID|1||4711^^^KIS||",
    *(SECRET.encode(f"utf-{n}") for n in (16, 32)),
    *(text.encode(f"utf-{n}") for text in (SECRET, GREEK) for n in ("16-le", "16-be", "32-le")),
    SECRET.encode("utf-32-be"),
    "".join(f"<td>{word}</td>" for word in SECRET.split()).encode(),
    SECRET.encode() + b"\0",
    SECRET.encode() + bytes(5000),
    bytes(5001) + SECRET.encode(),
    bytes(5001) + SECRET.encode("utf-16-le"),
    SECRET.encode().replace(b"a", b"\0a\0"),
    SECRET.encode().replace(b" ", b"\0"),
    GREEK.encode() * 100 + b"\0\xff",
    SECRET.replace(" ", "&nbsp;").encode(),
    SECRET.replace(" ", "&#32;").encode(),
    SECRET.replace(" ", "&#x20;").encode("utf-16-le"),
)


@pytest.mark.parametrize("raw", TEXTS)
def test_an_attachment_is_read_where_its_bytes_are_text(raw: bytes) -> None:
    data = base64.encodebytes(raw).decode()
    for held in (event(type="attachment", data=data), with_extra(data=data)):
        assert check_event(held, key=KEY).found


def test_a_dicom_file_is_a_patients_record_and_other_bytes_are_not_opened() -> None:
    dicom = base64.b64encode(bytes(128) + b"DICM" + bytes(40)).decode()
    (finding,) = find(dicom, where=Where.FILE)
    assert (finding.start, finding.end, finding.kind) == (0, len(dicom), Kind.RECORD)
    for raw in (bytes(range(256)), bytes(range(256)) + SECRET.encode(), b"\x89\1\0\0" * 500):
        assert find(base64.b64encode(raw).decode(), where=Where.FILE) == ()


def test_a_file_that_is_wrapped_in_any_way_is_read() -> None:
    data = base64.b64encode(SECRET.encode()).decode()
    assert find(f" {data[:9]}\t{data[9:]} ", where=Where.FILE)


@pytest.mark.parametrize("space", ["&nbsp;", "&#32;", "&#160;", "&ensp;"])
def test_entities_hide_nothing_in_a_text(space: str) -> None:
    text = "patient Maria Rossi".replace(" ", space)
    (finding,) = find(text)
    assert (finding.start, finding.end, finding.kind) == (0, len(text), Kind.NAME)


SLOTS: tuple[Any, ...] = (
    {"uuid": A_UUID, "type": "text", "value": {"x": SECRET}},
    {"uuid": A_UUID, "name": [SECRET]},
    {"kind of tomorrow": SECRET},
    {SECRET: 1},
    {"pesel": int(PESEL)},
    {"x": float(PESEL)},
    {"patient": {"name": "Maria Rossi"}},
)


@pytest.mark.parametrize("slot", SLOTS)
def test_what_no_reader_of_a_log_takes_up_is_read_as_well(slot: Any) -> None:
    clean = [orjson.dumps({"uuid": A_UUID, "timestamp": 1769500000, "value": "x.example"})]
    log = LogRead(event(), (), {})
    assert check_log(log, clean, key=KEY) == Checked()
    assert check_log(log, [*clean, orjson.dumps(slot)], key=KEY).found


def test_what_was_read_of_a_log_is_told_once() -> None:
    slots = [orjson.dumps({"info": SECRET})]
    checked = check_log(LogRead(replace(event(), info=SECRET), (), {}), slots, key=KEY)
    assert {each.path for each in checked.found} == {"info"}


def test_no_number_of_few_digits_counts_by_itself() -> None:
    digits = [form for row in NUMBERS.values() for form in row.alone if form.isdecimal()]
    assert min(map(int, digits)) == 11
    anything = [f for row in NUMBERS.values() for f in row.alone | row.beside if f.isdecimal()]
    assert min(map(int, anything)) == 9
