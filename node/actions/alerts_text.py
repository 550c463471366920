"""The words of a mail about an alert: few, and none of the event unless its colour allows it.

Up to GREEN the title travels with it. From AMBER up, and where nothing may be shown to a machine,
a mail says that alert so-and-so waits and where to sign in: mail passes through others' hands.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from policies.tlp import Tlp, read_tlp

_IN_MAIL = frozenset({Tlp.CLEAR, Tlp.GREEN})
_SUBJECT_MAX = 150


@dataclass(frozen=True, slots=True)
class _Words:
    alert: str
    update: str
    withdrawn: str
    waits: str
    unseen: str
    sign_in: str


_WORDS: Mapping[str, _Words] = {
    "en": _Words(
        "Alert {n}",
        "Update, alert {n}",
        "Alert {n}: an event was taken back",
        "{node} has alert {n} for you.",
        "Nobody at your organisation has acknowledged alert {n} yet.",
        "Sign in to read and acknowledge it:",
    ),
    "de": _Words(
        "Warnung {n}",
        "Aktualisierung, Warnung {n}",
        "Warnung {n}: ein Ereignis wurde zurückgezogen",
        "{node} hat Warnung {n} für Sie.",
        "In Ihrem Haus hat noch niemand Warnung {n} bestätigt.",
        "Bitte melden Sie sich an, um sie zu lesen und zu bestätigen:",
    ),
    "fr": _Words(
        "Alerte {n}",
        "Mise à jour, alerte {n}",
        "Alerte {n} : un événement a été retiré",
        "{node} a l'alerte {n} pour vous.",
        "Personne dans votre établissement n'a encore accusé réception de l'alerte {n}.",
        "Connectez-vous pour la lire et en accuser réception :",
    ),
    "nl": _Words(
        "Waarschuwing {n}",
        "Update, waarschuwing {n}",
        "Waarschuwing {n}: een gebeurtenis is ingetrokken",
        "{node} heeft waarschuwing {n} voor u.",
        "Niemand in uw organisatie heeft waarschuwing {n} al bevestigd.",
        "Meld u aan om ze te lezen en te bevestigen:",
    ),
    "it": _Words(
        "Allerta {n}",
        "Aggiornamento, allerta {n}",
        "Allerta {n}: un evento è stato ritirato",
        "{node} ha l'allerta {n} per voi.",
        "Nessuno nella vostra organizzazione ha ancora confermato l'allerta {n}.",
        "Accedete per leggerla e confermarla:",
    ),
    "es": _Words(
        "Alerta {n}",
        "Actualización, alerta {n}",
        "Alerta {n}: se ha retirado un evento",
        "{node} tiene la alerta {n} para ustedes.",
        "Nadie en su organización ha confirmado todavía la alerta {n}.",
        "Inicie sesión para leerla y confirmarla:",
    ),
    "pl": _Words(
        "Alert {n}",
        "Aktualizacja, alert {n}",
        "Alert {n}: zdarzenie zostało wycofane",
        "{node} ma dla Państwa alert {n}.",
        "Nikt w Państwa organizacji nie potwierdził jeszcze alertu {n}.",
        "Proszę się zalogować, aby go przeczytać i potwierdzić:",
    ),
}
LANGUAGES = tuple(_WORDS)


@dataclass(frozen=True, slots=True)
class MailText:
    """Subject and body, plain text."""

    subject: str
    body: str


def mail_text(
    language: str,
    kind: str,
    number: int,
    *,
    node: str,
    console: str,
    info: str | None,
    tlp: str | None,
    link: str,
    is_second: bool,
) -> MailText:
    """What a mail about an alert says; `info`, `tlp` and `link` only travel where they may."""
    words = _WORDS.get(language, _WORDS["en"])
    subject = {"update": words.update, "withdrawn": words.withdrawn}.get(kind, words.alert)
    first = words.unseen if is_second else words.waits
    lines = [first.format(n=number, node=node), ""]
    may_tell = info is not None and tlp is not None and read_tlp(tlp) in _IN_MAIL
    title = " ".join((info or "").split()) if may_tell else ""
    if title:
        lines += [f"TLP:{(tlp or '').upper()}  {title}", ""]
    lines += [words.sign_in, link if title else console, ""]
    told = subject.format(n=number) + (f": {title}" if title else "")
    return MailText(told[:_SUBJECT_MAX], "\n".join(lines))
