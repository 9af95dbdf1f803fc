"""Records of a log: rows framed with their length, a checksum and their place in the order.

A record is a head, the key of its push, and the rows as an Arrow IPC stream. Its head says how long the file was when it had last been
forced to the disk: bytes before that were acknowledged. So a broken record followed by one that counts its bytes as forced is
damage (`Corrupt`); any other broken end is a write that was never acknowledged and may be cut.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence

import numpy as np
import polars as pl
import pyarrow as pa

from ...engine.errors import Corrupt
from ...engine.folds.column import Index
from ...engine.folds.rows import ARRIVAL, SEQUENCE
from ...engine.record import record
from . import sequence

_MAGIC = b"NTL1"
_HEAD = struct.Struct(
    "<4sIIQqqIH"
)  # magic, bytes after the head, crc32, bytes forced before, first sequence, arrival, rows, key length
_CRC_FROM = 12  # the checksum covers everything behind itself


@record
class Record:
    """One push as it stands in a file: its bytes are [start, stop), its rows begin at `body`."""

    start: int
    body: int
    stop: int
    forced: int
    first: int
    arrival: int
    rows: int
    key: str

    @property
    def last(self) -> int:
        """The sequence number of its last row."""
        return sequence.last(self.first, self.rows)


def encoded(rows: pl.DataFrame, *, key: str, first: int, arrival: int, forced: int) -> bytes:
    """The bytes of a record."""
    stream = io.BytesIO()
    rows.write_ipc_stream(stream)
    name = key.encode()
    return _framed(name + stream.getvalue(), forced, first, arrival, rows.height, len(name))


def without_rows(record: Record) -> bytes:
    """The bytes of a record that says where a push stood, and under which key."""
    name = record.key.encode()
    return _framed(name, 0, record.first, record.arrival, record.rows, len(name))


def _framed(body: bytes, *facts: int) -> bytes:
    head = _HEAD.pack(_MAGIC, len(body), 0, *facts)
    checksum = zlib.crc32(body, zlib.crc32(head[_CRC_FROM:]))
    return head[:8] + struct.pack("<I", checksum) + head[_CRC_FROM:] + body


def scan(data: bytes, where: str, *, sealed: bool, base: int = 0) -> tuple[list[Record], int]:
    """The whole records from the front, and where they end. What follows is a torn write, or `Corrupt`.

    `data` are the bytes of a file from `base` on; in a sealed file nothing may follow.
    """
    found: list[Record] = []
    end = 0
    while (record := _at(data, end)) is not None:
        found.append(record)
        end = record.stop
    if end < len(data) and (sealed or _forced_beyond(data, end, base)):
        raise Corrupt(
            f"{where} is damaged at byte {base + end:,}: the record there does not match its checksum, though it was stored. Restore the file."
        )
    return found, end


def _at(data: bytes, start: int) -> Record | None:
    """The record at a place, if it is whole."""
    if start + _HEAD.size > len(data):
        return None
    magic, size, checksum, forced, first, arrival, rows, key_size = _HEAD.unpack_from(data, start)
    body, stop = start + _HEAD.size, start + _HEAD.size + size
    if magic != _MAGIC or stop > len(data) or key_size > size:
        return None
    if zlib.crc32(memoryview(data)[start + _CRC_FROM : stop]) != checksum:
        return None
    return Record(start, body + key_size, stop, forced, first, arrival, rows, data[body : body + key_size].decode())


def _forced_beyond(data: bytes, end: int, base: int) -> bool:
    """True where a whole record behind `end` says that bytes behind `end` had been forced."""
    place = data.find(_MAGIC, end + 1)
    while place >= 0:
        record = _at(data, place)
        if record is not None and record.forced > base + end:
            return True
        place = data.find(_MAGIC, place + 1)
    return False


def decoded(data: bytes, records: Sequence[Record]) -> list[pl.DataFrame]:
    """The rows of records with arrival and sequence; neighbours of one schema come as one frame."""
    frames: list[pl.DataFrame] = []
    pieces: list[pa.Table] = []
    taken: list[Record] = []
    for one in records:
        piece = pa.ipc.open_stream(pa.py_buffer(memoryview(data)[one.body : one.stop])).read_all()
        if pieces and piece.schema != pieces[0].schema:
            frames.append(_joined(pieces, taken))
            pieces, taken = [], []
        pieces.append(piece)
        taken.append(one)
    return [*frames, _joined(pieces, taken)] if pieces else frames


def _joined(pieces: list[pa.Table], records: list[Record]) -> pl.DataFrame:
    frame = pl.DataFrame(pa.concat_tables(pieces))
    order = np.concatenate([sequence.numbers(record.first, record.rows) for record in records])
    arrival = np.repeat([record.arrival for record in records], [record.rows for record in records])
    return stamped(frame, arrival, order)


STAMPS: dict[str, pl.DataType] = {ARRIVAL: pl.Datetime("us", "UTC"), SEQUENCE: pl.Int64()}


def stamped(rows: pl.DataFrame, arrival: int | Index, order: Index) -> pl.DataFrame:
    """The rows with the columns that say when they came and in which order."""
    came = np.full(rows.height, arrival) if isinstance(arrival, int) else arrival
    times = pl.Series(ARRIVAL, came, dtype=pl.Int64).cast(STAMPS[ARRIVAL])
    return rows.with_columns(times, pl.Series(SEQUENCE, order, dtype=STAMPS[SEQUENCE]))
