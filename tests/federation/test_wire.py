from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import BadLineError
from federation.lines import write_line
from federation.transfer import TransferStatement, read_trailer, write_trailer
from federation.wire import HeaderLine, ItemLine, Op, Place, read_item_line, read_place
from tests.federation.strategies import (
    FR,
    header_lines,
    item_lines,
    put_line,
    sealed,
    signer,
    statements,
)

LINE = put_line(sealed(), 7)


@given(item_lines())
def test_an_item_line_reads_back(line: ItemLine) -> None:
    assert read_item_line(line.write()) == line
    assert read_place(line.write()) == Place(line.pos, line.origin, line.event, line.size)


@given(header_lines)
def test_a_header_line_reads_back(header: HeaderLine) -> None:
    assert HeaderLine.read(header.write()) == header


@given(statements)
def test_a_transfer_statement_reads_back(statement: TransferStatement) -> None:
    assert TransferStatement.read(statement.write()) == statement


@given(statements)
def test_a_trailer_reads_back_with_its_signature(statement: TransferStatement) -> None:
    line = write_trailer(statement, signer(FR))
    trailer = read_trailer(line)
    assert trailer.statement == statement
    assert trailer.payload == statement.write()
    assert [one.keyid for one in trailer.signatures] == [signer(FR).kid]


def changed(**members: object) -> bytes:
    return write_line({**orjson.loads(LINE.write()), **members})


@pytest.mark.parametrize(
    "members",
    [
        {"pos": 0},
        {"pos": "7"},
        {"op": "DELETE"},
        {"origin": "f0000000"},
        {"origin": LINE.origin.upper()},
        {"epoch": 2**32},
        {"seq": -1},
        {"seal": "00"},
        {"digest": None},
        {"as": "delta"},
        {"as": "none"},
        {"base": LINE.digest},
        {"erase": [[0, 1, 1]]},
        {"hops": 17},
        {"urgent": 1},
        {"size": 2**20 + 1},
        {"withheld": [{}]},
        {"withheld": [{"ground": "mood", "kind": 1, "records": 1, "slots": 1, "fields": []}]},
        {"withheld": "none"},
        {"recall": {}},
        {"recall": "e30="},
        {"more": 1},
    ],
)
def test_an_item_line_out_of_grammar_is_refused(members: dict[str, object]) -> None:
    with pytest.raises(BadLineError):
        read_item_line(changed(**members))


DELTA: dict[str, object] = {"as": "delta", "base": LINE.digest, "size": 1}


@pytest.mark.parametrize(
    "members",
    [
        {"size": 0},
        {"as": "package"},
        {"base": None},
        {"op": "WITHDRAW", "digest": None},
        {"erase": [[0, 1, 0]]},
        {"erase": [[0, 0, 1]]},
        {"erase": [[0, 1, 1.5]]},
        {"erase": [[0, 1, True]]},
        {"erase": [[0, 1]]},
        {"erase": [[5, 2, 1], [6, 1, 1]]},
        {"erase": [[2**20, 1, 1]]},
        {"erase": [[n, 1, 1] for n in range(1025)]},
    ],
)
def test_a_delta_out_of_grammar_is_refused(members: dict[str, object]) -> None:
    whole = {**DELTA, "erase": [[5, 2, 1], [7, 1, 3]]}
    assert read_item_line(changed(**whole)).is_delta
    with pytest.raises(BadLineError):
        read_item_line(changed(**{**whole, **members}))


@pytest.mark.parametrize("op", [Op.WITHDRAW, Op.RECALL])
def test_only_a_put_carries_a_digest_bytes_or_grounds(op: Op) -> None:
    bare: dict[str, object] = {
        "op": op.value,
        "as": "none",
        "digest": None,
        "recall": {} if op is Op.RECALL else None,
    }
    assert read_item_line(changed(**bare)).op is op
    for extra in ({"digest": LINE.digest}, {"size": 1}, {"as": "package"}):
        with pytest.raises(BadLineError):
            read_item_line(changed(**{**bare, **extra}))


def test_a_recall_keeps_its_envelope_bytes() -> None:
    envelope = b'{"payload":"e30=","payloadType":"t","signatures":[]}'
    line = replace(LINE, op=Op.RECALL, digest=None, recall=envelope)
    assert read_item_line(line.write()).recall == envelope


def test_another_version_of_the_protocol_is_refused() -> None:
    with pytest.raises(BadLineError, match="fed is not 1"):
        HeaderLine.read(write_line({"fed": 2}))


@given(st.binary(max_size=100) | st.dictionaries(st.text(), st.integers(0, 2**53)).map(write_line))
def test_any_bytes_are_a_line_or_refused(line: bytes) -> None:
    for read in (read_item_line, read_place, HeaderLine.read, TransferStatement.read, read_trailer):
        with pytest.raises(BadLineError):
            read(line)
