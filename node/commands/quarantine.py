"""What was refused, and the proof of what should not be, from the shell."""

from pathlib import Path

import typer

from node.actions.evidence import find_refused, list_refusals, proof_of
from node.actions.receipts_got import answers_told
from node.commands.shown import opened, print_rows

_KEPT = {"in_force": "in-force.ndjson", "refused": "refused.ndjson", "about": "about.json"}


def list_refused(data: Path) -> None:
    """Print what was refused last, newest first."""
    with opened(data) as node:
        found = list_refusals(node)
        answers = answers_told(node, found)
        print_rows(
            ("number", "at", "from", "check", "log", "why", "answer"),
            [
                (
                    one.id,
                    f"{one.received_at:%Y-%m-%d %H:%M:%SZ}",
                    one.src,
                    one.check,
                    f"{one.origin} {one.event}",
                    f"ALARM {one.reason}" if one.is_equivocation else one.reason,
                    answers.get(one.id, "-"),
                )
                for one in found
            ],
        )


def export(data: Path, number: int, out: Path, *, raw: bool) -> None:
    """Write what was refused into a new directory, and say how a stranger checks it."""
    with opened(data) as node:
        row, roster = find_refused(node, number), node.settings.roster_file
    out.mkdir(mode=0o700, parents=True)
    (out / "item.json").write_bytes(row.item_line)
    if raw:
        (out / "raw.ndjson").write_bytes(row.raw)
    typer.echo(f"refused by check {row.check}: {row.reason}")
    proof = proof_of(row)
    if proof is None:
        return
    for name, file in _KEPT.items():
        (out / file).write_bytes(getattr(proof, name))
    first, second = out / _KEPT["in_force"], out / _KEPT["refused"]
    typer.echo("each of the two verifies, and the second is refused beside the first (check 6):")
    typer.echo(f"  isac seal verify {first} --keys {roster}")
    typer.echo(f"  isac seal verify {second} --keys {roster}")
    typer.echo(f"  isac seal verify {second} --keys {roster} --prev {first}")
