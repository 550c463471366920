"""What a refusal may repeat of a text that somebody typed: it may be about a patient."""

import re

_WORD = re.compile(r"(?=.{1,40}\Z)[a-z]+([_.+-][a-z]+)*|[!-/:-@\[-`{-~]{1,3}")
_TYPED = re.compile(r'"(?:[^"\\]|\\.)*+"|(?<!\w)\'(?:[^\'\\]|\\.)*+\'|\w{41,}')
_MOST = 300


def printable(typed: object) -> str:
    """Return a plain word or sign as it is, and of anything else nothing: it may be anybody's."""
    text = str(typed)
    return text if _WORD.fullmatch(text) else "…"


def told(message: str) -> str:
    """Return another program's message without the strings typed into what it speaks of."""

    def shown(found: re.Match[str]) -> str:
        typed = found[0] if found[0].isalnum() else found[0][1:-1]
        return found[0] if _WORD.fullmatch(typed) else '"…"'

    told = _TYPED.sub(shown, message)
    return told if len(told) <= _MOST else f"{told[:_MOST]}…"
