"""Valid personal numbers, invented: digits drawn at random until the check digits are right.

The checks are asked of the library, or written again here where it knows none: never of ours.
"""

import random
import string
from collections.abc import Callable

from stdnum import luhn, verhoeff
from stdnum.at import vnr
from stdnum.bg import egn
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

Draw = random.Random


def _digits(chance: Draw, count: int) -> str:
    return "".join(chance.choices(string.digits, k=count))


def _letters(chance: Draw, count: int) -> str:
    return "".join(chance.choices("ABCDEFGHLMPRST", k=count))


def _date(chance: Draw, form: str, *, years: tuple[int, int] = (1940, 1999)) -> str:
    year, month, day = chance.randint(*years), chance.randint(1, 12), chance.randint(1, 28)
    values = {"Y": f"{year}", "y": f"{year % 100:02}", "m": f"{month:02}", "d": f"{day:02}"}
    return "".join(values[part] for part in form)


def _until(chance: Draw, make: Callable[[Draw], str], valid: Callable[[str], bool]) -> str:
    while not valid(number := make(chance)):
        pass
    return number


def _kvnr_is_valid(number: str) -> bool:
    digits = [int(c) for c in f"{string.ascii_uppercase.index(number[0]) + 1:02}{number[1:9]}"]
    doubled = [digit if n % 2 == 0 else digit * 2 for n, digit in enumerate(digits)]
    return sum(sum(map(int, str(d))) for d in doubled) % 10 == int(number[9])


def _taj_is_valid(number: str) -> bool:
    odd, even = sum(map(int, number[0:8:2])), sum(map(int, number[1:8:2]))
    return (3 * odd + 7 * even) % 10 == int(number[8])


def _niss_is_valid(number: str) -> bool:
    primes = [29, 23, 19, 17, 13, 11, 7, 5, 3, 2]
    total = sum(p * int(d) for p, d in zip(primes, number, strict=False))
    return int(number[10]) == 9 - total % 10


def _pin(chance: Draw) -> str:
    body = _date(chance, "Ymd") + _digits(chance, 3)
    return body + luhn.calc_check_digit(body) + verhoeff.calc_check_digit(body)


def _nss(chance: Draw) -> str:
    body = f"{chance.randint(1, 50):02}{chance.randint(10**7, 10**8 - 1)}"
    return f"{body}{int(body) % 97:02}"


def _card(chance: Draw) -> str:
    body = f"80{chance.choice(('380', '276', '250', '724'))}{_digits(chance, 14)}"
    return body + luhn.calc_check_digit(body)


def _nir(chance: Draw) -> str:
    department = chance.choice(("75", "69", "2A", "2B", "13", "59"))
    body = f"{chance.choice('12')}{_date(chance, 'ym')}{department}{_digits(chance, 6)}"
    return body + nir.calc_check_digits(body)


def _codice(chance: Draw) -> str:
    month, day = chance.choice("ABCDEHLMPRST"), f"{chance.randint(1, 28):02}"
    body = f"{_letters(chance, 6)}{_digits(chance, 2)}{month}{day}H{chance.randint(100, 999)}"
    return body + codicefiscale.calc_check_digit(body)


def _belgian(chance: Draw) -> str:
    body = _date(chance, "ymd") + f"{chance.randint(1, 997):03}"
    return f"{body}{97 - int(body) % 97:02}"


def _cartao(chance: Draw) -> str:
    return _until(chance, lambda c: f"{_digits(c, 9)}ZY{_digits(c, 1)}", cc.is_valid)


def _dated(form: str, more: int, valid: Callable[[str], bool]) -> Callable[[Draw], str]:
    return lambda chance: _until(chance, lambda c: _date(c, form) + _digits(c, more), valid)


def _any(count: int, valid: Callable[[str], bool]) -> Callable[[Draw], str]:
    return lambda chance: _until(chance, lambda c: _digits(c, count), valid)


def _led(lead: str, form: str, more: int, valid: Callable[[str], bool]) -> Callable[[Draw], str]:
    return lambda chance: _until(
        chance, lambda c: c.choice(lead) + _date(c, form) + _digits(c, more), valid
    )


def _cut(*lengths: int, by: str = " ") -> Callable[[str], str]:
    """A number in groups; separators from `by`, the last one repeated."""

    def write(number: str) -> str:
        parts, place = [], 0
        for length in lengths:
            parts.append(number[place : place + length])
            place += length
        gaps = by + by[-1] * len(parts)
        return "".join(part + gaps[n] for n, part in enumerate(parts))[
            : len(number) + len(parts) - 1
        ]

    return write


def _bare(number: str) -> str:
    return number


Writers = tuple[Callable[[str], str], ...]

MADE: dict[str, tuple[Callable[[Draw], str], Writers]] = {
    "fr.nir": (_nir, (_bare, _cut(1, 2, 2, 2, 3, 3, 2), _cut(13, 2))),
    "it.cf": (_codice, (_bare,)),
    "es.dni": (
        lambda c: (body := _digits(c, 8)) + dni.calc_check_digit(body),
        (_bare, _cut(8, 1, by="-")),
    ),
    "es.nie": (
        lambda c: (body := c.choice("XYZ") + _digits(c, 7)) + nie.calc_check_digit(body),
        (_bare, _cut(1, 7, 1, by="-")),
    ),
    "es.nss": (_nss, (_bare, _cut(2, 8, 2), _cut(2, 8, 2, by="/"))),
    "es.cip": (lambda c: _letters(c, 4) + _digits(c, 12), (_bare,)),
    "de.kvnr": (
        lambda c: _until(c, lambda d: _letters(d, 1) + _digits(d, 9), _kvnr_is_valid),
        (_bare, _cut(4, 3, 3)),
    ),
    "de.idnr": (_any(11, idnr.is_valid), (_bare, _cut(2, 3, 3, 3))),
    "at.vnr": (
        lambda c: _until(c, lambda d: _digits(d, 4) + _date(d, "dmy"), vnr.is_valid),
        (_bare, _cut(4, 6)),
    ),
    "be.nn": (_belgian, (_bare, _cut(2, 2, 2, 3, 2, by="..-."), _cut(6, 3, 2, by="-"))),
    "nl.bsn": (_any(9, bsn.is_valid), (_bare, _cut(3, 3, 3), _cut(4, 2, 3, by="."))),
    "lu.pin": (_pin, (_bare, _cut(8, 3, 2))),
    "ie.pps": (
        lambda c: _until(
            c, lambda d: _digits(d, 7) + d.choice(string.ascii_uppercase), pps.is_valid
        ),
        (_bare,),
    ),
    "mt.id": (lambda c: _digits(c, 7) + c.choice("MGAPL"), (_bare,)),
    "gb.nhs": (_any(10, nhs.is_valid), (_bare, _cut(3, 3, 4))),
    "pl.pesel": (_dated("ymd", 5, pesel.is_valid), (_bare,)),
    "pt.cc": (_cartao, (_bare, _cut(8, 1, 3))),
    "pt.niss": (
        lambda c: _until(c, lambda d: d.choice("12") + _digits(d, 10), _niss_is_valid),
        (_bare,),
    ),
    "pt.utente": (lambda c: "2" + _digits(c, 8), (_bare, _cut(3, 3, 3))),
    "gr.amka": (_dated("dmy", 5, amka.is_valid), (_bare,)),
    "cy.id": (lambda c: _digits(c, 7), (_bare,)),
    "ro.cnp": (_led("12", "ymd", 6, cnp.is_valid), (_bare,)),
    "bg.egn": (_dated("ymd", 4, egn.is_valid), (_bare,)),
    "hr.oib": (_any(11, oib.is_valid), (_bare,)),
    "si.emso": (
        lambda c: _until(
            c, lambda d: _date(d, "dm") + f"9{_date(d, 'y')}50{_digits(d, 4)}", emso.is_valid
        ),
        (_bare,),
    ),
    "cz.rc": (
        lambda c: _until(
            c, lambda d: _date(d, "ymd", years=(1955, 1999)) + _digits(d, 4), rc.is_valid
        ),
        (_bare, _cut(6, 4, by="/")),
    ),
    "hu.taj": (_any(9, _taj_is_valid), (_bare, _cut(3, 3, 3), _cut(3, 3, 3, by="-"))),
    "se.pnr": (_dated("ymd", 4, personnummer.is_valid), (_bare, _cut(6, 4, by="-"))),
    "fi.hetu": (
        lambda c: _until(
            c,
            lambda d: (
                _date(d, "dmy") + f"-{_digits(d, 3)}{d.choice('0123456789ABCDEFHJKLMNPRSTUVWXY')}"
            ),
            hetu.is_valid,
        ),
        (_bare,),
    ),
    "dk.cpr": (_dated("dmy", 4, cpr.is_valid), (_bare, _cut(6, 4, by="-"))),
    "no.fnr": (_dated("dmy", 5, fodselsnummer.is_valid), (_bare, _cut(6, 5))),
    "is.kt": (_dated("dmy", 4, kennitala.is_valid), (_bare, _cut(6, 4, by="-"))),
    "ee.ik": (_led("34", "ymd", 4, ik.is_valid), (_bare,)),
    "lv.pk": (_dated("dmy", 5, pvn.is_valid), (_bare, _cut(6, 5, by="-"))),
    "lt.ak": (_led("34", "ymd", 4, asmens.is_valid), (_bare,)),
    "ch.ahv": (
        lambda c: _until(c, lambda d: "756" + _digits(d, 10), ssn.is_valid),
        (_bare, _cut(3, 4, 4, 2, by=".")),
    ),
    "eu.ehic": (_card, (_bare,)),
}
"""How each number of the table is made, and how people write it."""


def written(number: str, chance: Draw) -> str:
    """A valid number of a kind (`fr.nir`), in one of its written forms."""
    make, writers = MADE[number]
    return chance.choice(writers)(make(chance))


def iban(chance: Draw) -> str:
    """A Belgian or German account number with right check digits, in groups or not."""
    country, length = chance.choice((("BE", 12), ("DE", 18)))
    body = _digits(chance, length)
    moved = body + "".join(str(ord(c) - 55) for c in country) + "00"
    number = f"{country}{98 - int(moved) % 97:02}{body}"
    groups = " ".join(number[n : n + 4] for n in range(0, len(number), 4))
    return chance.choice((number, groups))
