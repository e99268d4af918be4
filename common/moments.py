"""Moments as columns: whole microseconds since 1970, so that a million of them is one array."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from common.later import later

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Moments = NDArray[np.int64]
    Ids = NDArray[np.int64]
    Truths = NDArray[np.bool_]
else:
    np = later("numpy")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# PostgreSQL counts from here.
POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
NEVER = 2**62


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // TICK


def span_micros(span: timedelta) -> int:
    return span // TICK


def moment(number: int) -> datetime:
    return EPOCH + timedelta(microseconds=int(number))


def moments(numbers: Moments) -> list[datetime]:
    return [EPOCH + timedelta(microseconds=number) for number in numbers.tolist()]


def column(found: Sequence[datetime | None]) -> Moments:
    """`NEVER` stands for none."""
    return np.array([NEVER if each is None else micros(each) for each in found], dtype=np.int64)
