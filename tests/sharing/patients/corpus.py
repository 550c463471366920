"""Makes texts with patient data at known places, and texts without, from a seed.

Two sets of templates (`tuning.toml`, `scoring.toml`) and two halves of the names: a detector that
was changed on the one set is measured on the other. All people, places and numbers are invented.
"""

import random
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sharing.patients.finding import Kind
from tests.sharing.patients import numbers_made

HERE = Path(__file__).parent
_SLOT = re.compile(r"\{([a-z_0-9]+)(?::([a-z]+\.[a-z]+))?\}")
NAMES = tomllib.loads((HERE / "names.toml").read_text())
LANGUAGES = tuple(NAMES)


@dataclass(frozen=True, slots=True)
class Span:
    """Where patient data truly stands; `number` says which national number it is."""

    start: int
    end: int
    kind: Kind
    number: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A text of one language and what of it is patient data."""

    language: str
    text: str
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class _People:
    """Draws from one half of the names."""

    chance: random.Random
    language: str
    half: int

    def pick(self, which: str) -> str:
        names = NAMES[self.language if self.language != "any" else "en"][which]
        return str(self.chance.choice(names[self.half :: 2]))


Slot = Callable[[_People], str]


def _digits(people: _People, count: int) -> str:
    first = people.chance.choice("123456789")
    return first + "".join(people.chance.choices("0123456789", k=count - 1))


def _hex(people: _People, count: int) -> str:
    return "".join(people.chance.choices("0123456789abcdef", k=count))


def _one_of(*choices: str) -> Slot:
    return lambda people: people.chance.choice(choices)


def _day(people: _People, years: tuple[int, int]) -> tuple[int, int, int]:
    draw = people.chance.randint
    return draw(*years), draw(1, 12), draw(1, 28)


def _dob(people: _People) -> str:
    year, month, day = _day(people, (1925, 2015))
    forms = (
        f"{day:02}/{month:02}/{year}",
        f"{day:02}.{month:02}.{year}",
        f"{day}. {month}. {year}",
    )
    dashed = (f"{day:02}-{month:02}-{year}", f"{year}-{month:02}-{day:02}")
    return people.chance.choice((*forms, *dashed))


def _dob_iso(people: _People) -> str:
    year, month, day = _day(people, (1925, 2015))
    return people.chance.choice((f"{year}-{month:02}-{day:02}", f"{year}.{month:02}.{day:02}."))


_MONTHS = {
    "en": "January March October",
    "fr": "janvier mars août",
    "de": "Januar März Oktober",
    "it": "gennaio marzo agosto",
    "es": "enero marzo agosto",
    "nl": "januari maart augustus",
    "pl": "stycznia marca października",
    "pt": "janeiro março agosto",
}


def _dob_long(people: _People) -> str:
    year, _, day = _day(people, (1925, 2015))
    month = people.chance.choice(_MONTHS[people.language].split())
    match people.language:
        case "de":
            return f"{day}. {month} {year}"
        case "es" | "pt":
            return f"{day} de {month} de {year}"
        case "en":
            return people.chance.choice((f"{day} {month} {year}", f"{month} {day}, {year}"))
        case _:
            return f"{day} {month} {year}"


_COUNTRY_CODES = ("33", "49", "39", "34", "31", "48", "351", "30", "40", "46", "420", "353")


def _phone(people: _People) -> str:
    code, tail = people.chance.choice(_COUNTRY_CODES), _digits(people, 9)
    spaced = f"{tail[:3]} {tail[3:6]} {tail[6:]}"
    pairs = f"0{tail[0]} {tail[1:3]} {tail[3:5]} {tail[5:7]} {tail[7:]}"
    return people.chance.choice((f"+{code} {spaced}", f"+{code}{tail}", pairs, f"0{tail}"))


def _mrn(people: _People) -> str:
    number = _digits(people, people.chance.randint(6, 10))
    return people.chance.choice((number, number, f"00{number}", f"H-{number}"))


def _email(people: _People) -> str:
    return f"{people.chance.choice('abcdefgh')}.{_hex(people, 5)}@{_word(people)}.example"


def _word(people: _People) -> str:
    return "".join(people.chance.choices("abcdefghiklmnoprstuvz", k=people.chance.randint(5, 11)))


def _moment(people: _People) -> str:
    year, month, day = _day(people, (2024, 2026))
    clock = f"{people.chance.randint(0, 23):02}:{people.chance.randint(0, 59):02}"
    forms = (f"{year}-{month:02}-{day:02}T{clock}:07Z", f"{year}-{month:02}-{day:02} {clock}")
    return people.chance.choice((*forms, f"{day:02}.{month:02}.{year} {clock}"))


def _date(people: _People) -> str:
    year, month, day = _day(people, (2024, 2026))
    return people.chance.choice((f"{day:02}/{month:02}/{year}", f"{year}-{month:02}-{day:02}"))


def _ip(people: _People) -> str:
    return f"203.0.113.{people.chance.randint(1, 254)}"


def _file(people: _People) -> str:
    stem = people.chance.choice(
        (_word(people), f"report_{_digits(people, 8)}", f"IMG-{_date(people)}")
    )
    return stem.replace("/", "") + people.chance.choice((".exe", ".pdf", ".docm", ".dll", ".zip"))


def _staff(people: _People) -> str:
    name = f"{people.pick('given')} {people.pick('surnames')}"
    return people.chance.choice((name, f"Dr. {name}", f"Prof. {people.pick('surnames')}"))


_HOSPITALS = {
    "fr": ("CHU de Valmont", "Centre hospitalier Saint-Exemple"),
    "de": ("Klinikum Musterstadt", "St.-Beispiel-Krankenhaus"),
    "it": ("Ospedale San Esempio", "Istituto Santa Prova"),
    "es": ("Hospital Universitario Ejemplo", "Hospital La Muestra"),
    "nl": ("Ziekenhuis Voorbeeld", "AZ Sint-Voorbeeld"),
    "el": ("Γενικό Νοσοκομείο Παραδείγματος", "Ιπποκράτειο Δείγμα"),
    "bg": ("Болница Пример", "УМБАЛ Образец"),
}
_COMPANIES = ("Boston Devices", "Nordic Imaging", "Siemona Health", "Medi Wave", "Philor Systems")
_PRODUCTS = ("IntelliWatch MX400", "Infusomat Space X", "Windows Server 2019", "NeuroWorks 8.4")

SLOTS: dict[str, Slot] = {
    "ip": _ip,
    "ip6": lambda p: f"2001:db8:{_hex(p, 4)}::{_hex(p, 2)}",
    "domain": lambda p: f"{_word(p)}-{_digits(p, 3)}.example",
    "url": lambda p: f"https://{_word(p)}.example/{_digits(p, 9)}/i.php?id={_digits(p, 10)}",
    "md5": lambda p: _hex(p, 32),
    "sha1": lambda p: _hex(p, 40),
    "sha256": lambda p: _hex(p, 64),
    "cve": lambda p: f"CVE-{p.chance.randint(2015, 2026)}-{_digits(p, p.chance.randint(4, 7))}",
    "mac": lambda p: ":".join(_hex(p, 2) for _ in range(6)),
    "uuid": lambda p: "-".join(_hex(p, n) for n in (8, 4, 4, 4, 12)),
    "file": _file,
    "path": lambda p: f"C:\\Users\\{_word(p)}\\{_digits(p, 9)}\\{_word(p)}.dat",
    "stamp": _moment,
    "date": _date,
    "time": lambda p: f"{p.chance.randint(0, 23):02}:{p.chance.randint(0, 59):02}",
    "count": lambda p: p.chance.choice((_digits(p, 2), _digits(p, 4), f"{_digits(p, 2)} 000")),
    "port": lambda p: _digits(p, 4),
    "ticket": lambda p: p.chance.choice(
        (f"INC{_digits(p, 9)}", f"#{_digits(p, 9)}", f"SD-2026-{_digits(p, 6)}", _digits(p, 10))
    ),
    "version": lambda p: f"{_digits(p, 1)}.{_digits(p, 2)}.{_digits(p, 4)}",
    "serial": lambda p: f"SN{_digits(p, 8)}",
    "udi": lambda p: f"(01){_digits(p, 14)}(17)260101(10)A{_digits(p, 4)}",
    "btc": lambda p: "bc1q" + _hex(p, 38),
    "num9": lambda p: _digits(p, 9),
    "num10": lambda p: _digits(p, 10),
    "product": _one_of(*_PRODUCTS),
    "company": _one_of(*_COMPANIES),
    "hospital": lambda p: p.chance.choice(
        _HOSPITALS.get(p.language, ("Example General Hospital", "University Hospital Sample"))
    ),
    "city": _one_of("Valmont", "Musterstadt", "Esempio", "Sampleton"),
    "staff": _staff,
    "hotline": _phone,
    "role_mail": lambda p: f"{p.chance.choice(('soc', 'cert', 'helpdesk'))}@{_word(p)}.example",
    "bad_mail": _email,
}


def _full(people: _People) -> str:
    return f"{people.pick('given')} {people.pick('surnames')}"


TRUE_SLOTS: dict[str, tuple[Kind, Slot]] = {
    "name": (Kind.NAME, _full),
    "given": (Kind.NAME, lambda p: p.pick("given")),
    "surname": (Kind.NAME, lambda p: p.pick("surnames")),
    "last_first": (Kind.NAME, lambda p: f"{p.pick('surnames')}, {p.pick('given')}"),
    "last_space_first": (Kind.NAME, lambda p: f"{p.pick('surnames')} {p.pick('given')}"),
    "caps": (Kind.NAME, lambda p: f"{p.pick('surnames').upper()} {p.pick('given')}"),
    "hl7": (Kind.RECORD, lambda p: f"{p.pick('surnames')}^{p.pick('given')}".upper()),
    "hl7_dob": (Kind.RECORD, lambda p: "19610403"),
    "dob": (Kind.BIRTH, _dob),
    "dob_iso": (Kind.BIRTH, _dob_iso),
    "dob_long": (Kind.BIRTH, _dob_long),
    "mrn": (Kind.RECORD_NUMBER, _mrn),
    "phone": (Kind.PHONE, _phone),
    "email": (Kind.EMAIL, _email),
    "iban": (Kind.ACCOUNT, lambda p: numbers_made.iban(p.chance)),
}


def templates(which: str) -> dict[str, dict[str, list[str]]]:
    """The templates of the `tuning` or the `scoring` set: language -> positives, negatives."""
    return tomllib.loads((HERE / f"{which}.toml").read_text())


def documents(which: str, *, seed: int, each: int) -> Iterator[Document]:
    """`each` documents from every template of a set, the same ones for the same seed.

    A positive stands alone or among harmless sentences, a negative likewise.
    """
    chance = random.Random(f"{which} {seed}")
    half = ("tuning", "scoring").index(which)
    for language, kinds in templates(which).items():
        people = _People(chance, language, half)
        for template in kinds["positives"] * each:
            around = chance.choices(kinds["negatives"], k=chance.choice((0, 0, 1, 2)))
            place = chance.randint(0, len(around))
            parts = [(text, True) for text in around]
            yield _document(people, [*parts[:place], (template, False), *parts[place:]])
        for template in kinds["negatives"] * each:
            around = chance.choices(kinds["negatives"], k=chance.choice((0, 1)))
            yield _document(people, [(text, True) for text in (template, *around)])


def _document(people: _People, parts: list[tuple[str, bool]]) -> Document:
    """Join sentences; the names and births in a harmless one are nobody's."""
    text, spans = "", []
    for part, harmless in parts:
        text += _joint(people, text) if text else ""
        end = 0
        for slot in _SLOT.finditer(part):
            text += part[end : slot.start()].replace("{{", "{").replace("}}", "}")
            value, kind, number = _fill(people, slot[1], slot[2] or "", harmless=harmless)
            if kind is not None:
                spans.append(Span(len(text), len(text) + len(value), kind, number))
            text += value
            end = slot.end()
        text += part[end:].replace("{{", "{").replace("}}", "}")
    return Document(people.language, text, tuple(spans))


def _joint(people: _People, text: str) -> str:
    """What stands between two sentences: a new line, or a full stop where there is none."""
    if people.language == "any" or people.chance.random() < 0.5:
        return "\n"
    return " " if text[-1] in ".!?" else ". "


def _fill(
    people: _People, slot: str, number: str, *, harmless: bool
) -> tuple[str, Kind | None, str]:
    if slot == "id":
        return numbers_made.written(number, people.chance), Kind.NATIONAL_ID, number
    if slot in TRUE_SLOTS:
        kind, make = TRUE_SLOTS[slot]
        # "IT manager {name}": a name of staff is not patient data.
        return make(people), None if harmless else kind, ""
    return SLOTS[slot](people), None, ""
