"""Which arm somebody gets, by the hash that GrowthBook's SDKs use, so that an app with one of them agrees with us.

A unit (a contact's number, or whatever an app knows somebody by) and a seed give a bucket between 0 and 1; each arm
owns a range of buckets. Nothing is stored, so nothing can be lost: the same unit always gets the same arm.

Source: GrowthBook SDK specification 0.5, "hash", "getBucketRanges" and "inNamespace". FNV-1a with 32 bits runs over
UTF-16 code units, as JavaScript's strings have them. Version 2 hashes the decimal digits of the first result again,
for FNV alone leaves similar seeds alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from common.later import later

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = later("numpy")

OFFSET, PRIME, MASK = 0x811C9DC5, 0x01000193, 0xFFFFFFFF
BUCKETS, NAMESPACE_BUCKETS = 10_000, 1_000
Range = tuple[float, float]


@dataclass(frozen=True)
class Namespace:
    """A share of the buckets of `name`: experiments with ranges that do not overlap never meet in one person."""

    name: str
    start: float
    end: float


def bucket(seed: str, unit: str) -> float:
    """From 0 to 0.9999, in steps of 1/10 000."""
    return _fnv1a(str(_fnv1a(seed + unit))) % BUCKETS / BUCKETS


def buckets(seed: str, units: Sequence[str]) -> NDArray[np.float64]:
    """`bucket` of many units at once; shape (len(units),)."""
    first = _fnv1a_of_many([seed + unit for unit in units])
    again = _fnv1a_of_many(first.astype(str).tolist())
    return again % BUCKETS / BUCKETS


def ranges(weights: Sequence[float], coverage: float = 1.0) -> list[Range]:
    """The buckets of each arm. `weights` add up to 1; `coverage` is the share of everybody who takes part.

    Each range grows from its own start, so whoever is in at a low coverage keeps the arm at a higher one.
    Raises ValueError.
    """
    if not weights or any(weight < 0 for weight in weights) or abs(sum(weights) - 1) > 1e-6:
        raise ValueError("The weights of the arms are not below 0 and add up to 1.")
    if not 0 <= coverage <= 1:
        raise ValueError("The coverage lies between 0 and 1.")
    starts = accumulate(weights, initial=0.0)
    return [(start, start + coverage * (end - start)) for start, end in pairwise(starts)]


def arm_of(number: float, arms: Sequence[Range]) -> int | None:
    """The place of the arm that owns this bucket; None for those who take no part."""
    return next((place for place, (start, end) in enumerate(arms) if start <= number < end), None)


def arms_of(numbers: NDArray[np.float64], arms: Sequence[Range]) -> NDArray[np.int64]:
    """`arm_of` many buckets, -1 for those who take no part; same shape."""
    found = np.full(numbers.shape, -1, dtype=np.int64)
    for place, (start, end) in reversed(list(enumerate(arms))):
        found[(start <= numbers) & (numbers < end)] = place
    return found


def is_in(namespace: Namespace, unit: str) -> bool:
    """Whether this unit belongs to the share of the namespace."""
    number = _fnv1a(f"{unit}__{namespace.name}") % NAMESPACE_BUCKETS / NAMESPACE_BUCKETS
    return namespace.start <= number < namespace.end


def are_in(namespace: Namespace, units: Sequence[str]) -> NDArray[np.bool_]:
    """`is_in` for many units; shape (len(units),)."""
    numbers = _fnv1a_of_many([f"{unit}__{namespace.name}" for unit in units]) % NAMESPACE_BUCKETS / NAMESPACE_BUCKETS
    return (namespace.start <= numbers) & (numbers < namespace.end)


def _fnv1a(text: str) -> int:
    state = OFFSET
    for unit in memoryview(_utf16(text)).cast("H"):
        state = (state ^ unit) * PRIME & MASK
    return state


def _fnv1a_of_many(texts: Sequence[str]) -> NDArray[np.uint64]:
    """All texts a character at a time: a million in less time than a loop needs for ten thousand."""
    encoded = [_utf16(text) for text in texts]
    lengths = np.array([len(each) // 2 for each in encoded], dtype=np.int64)
    widest = int(lengths.max(initial=0))
    characters = np.frombuffer(b"".join(each.ljust(2 * widest, b"\0") for each in encoded), dtype="<u2")
    states = np.full(len(texts), OFFSET, dtype=np.uint64)
    for place, column in enumerate(characters.reshape(len(texts), widest).T if widest else ()):
        moved = (states ^ column) * np.uint64(PRIME) & np.uint64(MASK)
        states = np.where(place < lengths, moved, states)
    return states


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")
