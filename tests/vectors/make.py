"""Make the vectors: `python -m tests.vectors.make` writes them beside this file.

Nothing is random but an ML-DSA signature, which is kept. A test compares what this makes with what is
there: bytes that others may rely on do not change, new ones get a new file. The files not named here
are facts of a standard.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.vectors.altered import altered, refused
from tests.vectors.lies import signed
from tests.vectors.originator import Json
from tests.vectors.parts import known_answer, parts
from tests.vectors.trust import keys, recalls, suites
from tests.vectors.updates import updates
from tests.vectors.versions import history

FOLDER = Path(__file__).parent
FILES: Mapping[str, Callable[[], Json]] = {
    "seal.json": known_answer,
    "seal-parts.json": parts,
    "seal-refused.json": refused,
    "seal-altered.json": altered,
    "seal-signed.json": signed,
    "seal-versions.json": history,
    "seal-updates.json": updates,
    "seal-suites.json": suites,
    "seal-keys.json": keys,
    "seal-recall.json": recalls,
}


def text_of(name: str) -> str:
    """What belongs into a file."""
    return json.dumps(FILES[name](), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write every file that is not what it should be."""
    for name in FILES:
        file, text = FOLDER / name, text_of(name)
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
            print(f"wrote {name}")


if __name__ == "__main__":
    main()
