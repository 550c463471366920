"""The table of personal numbers, and what decides whether a number is one of them.

Check digits come from python-stdnum where it knows the number. Some of its checks read the clock
to tell 1926 from 2026; that changes nothing here but whether a birth in the future counts.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files

from stdnum import luhn, verhoeff
from stdnum.at import vnr
from stdnum.be import bis, nn
from stdnum.bg import egn, pnf
from stdnum.ch import ssn
from stdnum.cz import rc
from stdnum.de import idnr
from stdnum.dk import cpr
from stdnum.ee import ik
from stdnum.es import dni, nie
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.gr import amka
from stdnum.hr import oib
from stdnum.ie import pps
from stdnum.is_ import kennitala
from stdnum.it import codicefiscale
from stdnum.lt import asmens
from stdnum.lv import pvn
from stdnum.nl import bsn
from stdnum.no import fodselsnummer
from stdnum.pl import pesel
from stdnum.pt import cc
from stdnum.ro import cnp
from stdnum.se import personnummer
from stdnum.si import emso

Check = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Number:
    """One row of `numbers.toml`; `check` None: only its words make it one."""

    id: str
    name: str
    check: Check | None
    alone: frozenset[str]
    beside: frozenset[str]
    words: tuple[str, ...]
    anywhere: bool
    source: str

    def holds(self, written: str) -> bool:
        """Whether the check digits of a number, as it was written, are right."""
        compact = written.translate(_SEPARATORS).upper()
        return self.check is not None and len(compact) <= _LONGEST and self.check(compact)


_SEPARATORS = str.maketrans("", "", " ./-")
_LONGEST = 24
_NIR = re.compile(r"[123478]\d\d(?:0[1-9]|1[0-2]|[2-4]\d|[5-9]\d)\d[\dAB]\d{8}", re.ASCII)
_CODICE = re.compile(r"[A-Z]{6}[\dL-NP-V]{2}[A-EHLMPRST][\dL-NP-V]{2}[A-Z][\dL-NP-V]{3}[A-Z]")
_KVNR = re.compile(r"[A-Z]\d{9}", re.ASCII)
_PRIMES = (29, 23, 19, 17, 13, 11, 7, 5, 3, 2)
# EU, EEA, Switzerland and the United Kingdom as ISO 3166-1 numbers them.
_HEALTH_CARD = re.compile(
    r"80(040|056|100|191|196|203|208|233|246|250|276|300|348|352|372|380|428|438|440|442|470|528"
    r"|578|616|620|642|703|705|724|752|756|826)\d{15}",
    re.ASCII,
)


def _nir(text: str) -> bool:
    return bool(_NIR.fullmatch(text)) and nir.is_valid(text)


def _codice_fiscale(text: str) -> bool:
    return bool(_CODICE.fullmatch(text)) and codicefiscale.is_valid(text)


def _kvnr(text: str) -> bool:
    """Letter as two digits, weights 1 and 2, sum of the digits of the products, mod 10."""
    if not _KVNR.fullmatch(text):
        return False
    digits = f"{ord(text[0]) - 64:02}{text[1:9]}"
    products = (int(digit) * (1 + n % 2) for n, digit in enumerate(digits))
    return sum(product // 10 + product % 10 for product in products) % 10 == int(text[9])


def _taj(text: str) -> bool:
    if not _is_digits(text, 9) or text == "000000000":
        return False
    total = sum(int(digit) * (3, 7)[n % 2] for n, digit in enumerate(text[:8]))
    return total % 10 == int(text[8])


def _luxembourg(text: str) -> bool:
    """Year, month, day, three digits; then one by Luhn and one by Verhoeff over those eleven."""
    if not _is_digits(text, 13) or not (1850 <= int(text[:4]) <= 2100):
        return False
    dated = 1 <= int(text[4:6]) <= 12 and 1 <= int(text[6:8]) <= 31
    return dated and luhn.is_valid(text[:12]) and verhoeff.is_valid(text[:11] + text[12])


def _nss(text: str) -> bool:
    """Province, eight digits, then both mod 97; below ten million the number counts as seven."""
    if not _is_digits(text, 12) or not 1 <= int(text[:2]) <= 66:
        return False
    number = int(text[2:10])
    body = int(text[:2]) * 10**7 + number if number < 10**7 else int(text[:10])
    return body % 97 == int(text[10:])


def _niss(text: str) -> bool:
    if not _is_digits(text, 11) or text[0] not in "12":
        return False
    total = sum(int(digit) * prime for digit, prime in zip(text, _PRIMES, strict=False))
    return 9 - total % 10 == int(text[10])


def _health_card(text: str) -> bool:
    return bool(_HEALTH_CARD.fullmatch(text)) and luhn.is_valid(text)


def _latvian(text: str) -> bool:
    """A person's: a company's number begins with 4 or more."""
    return text[:1] <= "3" and pvn.is_valid(text)


def _of_a_person(text: str) -> bool:
    """A kennitala's day is raised by 40 where it is a company's."""
    return text[:1] <= "3" and kennitala.is_valid(text)


def _is_digits(text: str, length: int) -> bool:
    return len(text) == length and text.isascii() and text.isdigit()


_CHECKS: Mapping[str, Check] = {
    "nir": _nir,
    "codice_fiscale": _codice_fiscale,
    "kvnr": _kvnr,
    "taj": _taj,
    "luxembourg": _luxembourg,
    "nss": _nss,
    "niss": _niss,
    "ehic": _health_card,
    "personas_kods": _latvian,
    "kennitala": _of_a_person,
    "be_national": lambda text: nn.is_valid(text) or bis.is_valid(text),
    "egn": lambda text: egn.is_valid(text) or pnf.is_valid(text),
    "hetu": lambda text: hetu.is_valid(_signed(text)),
    "dni": dni.is_valid,
    "nie": nie.is_valid,
    "idnr": idnr.is_valid,
    "vnr": vnr.is_valid,
    "bsn": bsn.is_valid,
    "pps": pps.is_valid,
    "nhs": nhs.is_valid,
    "pesel": pesel.is_valid,
    "cartao": cc.is_valid,
    "amka": amka.is_valid,
    "cnp": cnp.is_valid,
    "oib": oib.is_valid,
    "emso": emso.is_valid,
    "rodne_cislo": rc.is_valid,
    "personnummer": personnummer.is_valid,
    "cpr": cpr.is_valid,
    "fodselsnummer": fodselsnummer.is_valid,
    "isikukood": ik.is_valid,
    "asmens_kodas": asmens.is_valid,
    "ahv": ssn.is_valid,
}


def _signed(text: str) -> str:
    """A Finnish number whose hyphen was taken away with the other separators."""
    return f"{text[:6]}-{text[6:]}" if len(text) == 10 else text


def _read(path: str, row: dict[str, object]) -> Number:
    given = row.get("check")
    forms = {name: row.get(name, []) for name in ("alone", "beside", "words")}
    lists = {
        name: tuple(map(str, value)) for name, value in forms.items() if isinstance(value, list)
    }
    return Number(
        id=path,
        name=str(row["name"]),
        check=None if given is None else _CHECKS[str(given)],
        alone=frozenset(lists["alone"]),
        beside=frozenset(lists["beside"]),
        words=lists["words"],
        anywhere=bool(row.get("anywhere")),
        source=str(row["source"]),
    )


def _table() -> dict[str, Number]:
    text = files("sharing.patients").joinpath("numbers.toml").read_text(encoding="utf-8")
    countries = tomllib.loads(text).items()
    return {
        f"{country}.{name}": _read(f"{country}.{name}", row)
        for country, rows in countries
        for name, row in rows.items()
    }


NUMBERS: Mapping[str, Number] = _table()
"""Every row by id (`fr.nir`), in the table's order."""


def _by_form() -> dict[str, tuple[Number, ...]]:
    forms = {form for number in NUMBERS.values() for form in number.alone | number.beside}
    return {
        form: tuple(n for n in NUMBERS.values() if form in n.alone or form in n.beside)
        for form in forms
    }


BY_FORM: Mapping[str, tuple[Number, ...]] = _by_form()
"""The rows that a written form may be."""
FORM_STARTS = frozenset(form[:n] for form in BY_FORM for n in range(1, len(form) + 1))
"""How a form may begin, so that reading stops where none can follow."""
