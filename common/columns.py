"""Whole numbers and moments of many rows, read as numpy columns: a hundred times cheaper than rows of objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from common.later import later
from common.moments import EPOCH, POSTGRES_EPOCH, micros

if TYPE_CHECKING:
    import numpy as np
    from django.db.backends.utils import CursorWrapper
    from numpy.typing import NDArray
else:
    np = later("numpy")

NUMBER, MOMENT = "int8send", "timestamptz_send"
# One row would need a gigabyte for a hundred million events, and a row each is what makes reading slow.
SQL = """
SELECT string_agg({sent}, ''::bytea) FROM ({statement}) AS read({names}) GROUP BY read.{first} / 1024
"""


def read(cursor: CursorWrapper, statement: str, values: Mapping[str, Any], **kinds: str) -> NDArray[np.int64]:
    """What a SELECT finds, in no order: shape (columns, rows), moments as microseconds since 1970.

    `kinds` names its columns in their order, each NUMBER (bigint) or MOMENT (timestamptz), none of them NULL; the
    first is a number. The server packs the rows into blocks of bytes, in the binary form in which it sends them.
    """
    sent = " || ".join(f"{send}(read.{name})" for name, send in kinds.items())
    first = next(iter(kinds))
    cursor.execute(SQL.format(sent=sent, statement=statement, names=", ".join(kinds), first=first), values)
    blocks = [np.frombuffer(row[0], dtype=">i8").reshape(-1, len(kinds)).T for row in cursor]
    found = np.concatenate([np.zeros((len(kinds), 0), dtype=np.int64), *blocks], axis=1, dtype=np.int64)
    for place, kind in enumerate(kinds.values()):
        if kind == MOMENT:
            found[place] += micros(POSTGRES_EPOCH) - micros(EPOCH)
    return found
