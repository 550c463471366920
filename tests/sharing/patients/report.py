"""Prints how well the detector does: `python -m tests.sharing.patients.report [--tuning]`.

Recall: of the spans that are patient data, those that a finding overlaps. Alarms: harmless
documents with a finding, of all harmless ones. Strays: findings beside all spans of a document
that has some.
"""

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from sharing.patients.find import find
from sharing.patients.finding import Finding, Kind
from tests.sharing.patients.corpus import Document, Span, documents

SEED = 2026
EACH = 40


@dataclass(slots=True)
class Tally:
    """Counts over documents; keys of `there` and `found` are (language, kind)."""

    there: Counter[tuple[str, str]] = field(default_factory=Counter)
    found: Counter[tuple[str, str]] = field(default_factory=Counter)
    numbers: Counter[str] = field(default_factory=Counter)
    numbers_found: Counter[str] = field(default_factory=Counter)
    harmless: Counter[str] = field(default_factory=Counter)
    alarms: Counter[str] = field(default_factory=Counter)
    alarm_kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    strays: Counter[str] = field(default_factory=Counter)

    def recall(self, *, language: str = "", kind: str = "") -> float | None:
        """Share of the spans of a language, a kind or both that were found; None: there are none."""
        chosen = [k for k in self.there if language in {"", k[0]} and kind in {"", k[1]}]
        total = sum(self.there[k] for k in chosen)
        return sum(self.found[k] for k in chosen) / total if total else None

    def alarm_rate(self, language: str = "") -> float:
        """Share of the harmless documents that raised an alarm."""
        if language:
            return self.alarms[language] / max(1, self.harmless[language])
        return self.alarms.total() / max(1, self.harmless.total())


def overlaps(span: Span, findings: Iterable[Finding]) -> bool:
    """Whether a finding covers some of a span."""
    return any(f.start < span.end and span.start < f.end for f in findings)


def tally(corpus: Iterable[Document]) -> Tally:
    """Ask the detector about every document."""
    counts = Tally()
    for document in corpus:
        findings = find(document.text)
        language = document.language
        if not document.spans:
            counts.harmless[language] += 1
            counts.alarms[language] += bool(findings)
            counts.alarm_kinds.update((language, f.kind.value) for f in findings)
        for span in document.spans:
            hit = overlaps(span, findings)
            counts.there[language, span.kind.value] += 1
            counts.found[language, span.kind.value] += hit
            if span.number:
                counts.numbers[span.number] += 1
                counts.numbers_found[span.number] += hit
        if document.spans:
            counts.strays[language] += sum(
                not any(f.start < s.end and s.start < f.end for s in document.spans)
                for f in findings
            )
    return counts


def table(counts: Tally) -> str:
    """The tally as a table: a row a language, a column a kind."""
    kinds = [kind.value for kind in Kind if counts.recall(kind=kind.value) is not None]
    head = ["language", *kinds, "all", "harmless", "alarms", "strays"]
    rows = [head]
    for language in [*counts.harmless, ""]:
        cells = [counts.recall(language=language, kind=kind) for kind in [*kinds, ""]]
        row = [language or "all", *("" if c is None else f"{c:.1%}" for c in cells)]
        documents_there = counts.harmless[language] if language else counts.harmless.total()
        strays = counts.strays[language] if language else counts.strays.total()
        rows.append([*row, str(documents_there), f"{counts.alarm_rate(language):.2%}", str(strays)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    """Print the table of the scoring set, or of the tuning set with its misses."""
    which = "tuning" if "--tuning" in arguments else "scoring"
    counts = tally(documents(which, seed=SEED, each=EACH))
    print(f"{which} set, seed {SEED}, {EACH} documents from each template\n")
    print(table(counts))
    shares = (
        f"{n} {counts.numbers_found[n] / counts.numbers[n]:.0%}" for n in sorted(counts.numbers)
    )
    print("\nnumbers:", ", ".join(shares))


if __name__ == "__main__":
    main(sys.argv[1:])
