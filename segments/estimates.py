"""Quick looks while somebody edits a rule: about how many it finds, some of them, and values that are really there.

Nothing here writes, and every statement has its limit of time.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import ceil, floor
from typing import Any

from django.core.cache import cache
from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled
from redis import RedisError

from audience.models import Contact
from common import tenancy
from common.errors import Transient
from segments import selectors
from segments.domain.intervals import wilson
from segments.rules.tree import Rule

# Of so many, a share of one half is known to ± 1.8 points and a share of 1 % to ± 0.4. A rule that is dear to judge
# is judged for fewer: the first few say how many more fit into the time.
SAMPLE = 3_000
FIRST = 400
ENOUGH_SECONDS = 0.2
# Up to here ids are chosen by reading the index of all of them (30 ms); above, by drawing numbers.
READ_WHOLE = 100_000
MOST_DRAWS = 100_000
SAMPLE_SECONDS = 300
ESTIMATE_MS = 2_000
EXACT_MS = 20_000
SHOWN = 6
# In so small an organisation a page asks for the exact number by itself as soon as nobody types.
EXACT_UP_TO = 50_000


@dataclass(frozen=True)
class Estimate:
    """About how many contacts a rule finds now; `low` to `high` is the 95 % interval. Exact: all three are equal."""

    size: int
    low: int
    high: int
    population: int
    is_exact: bool


@dataclass(frozen=True)
class Look:
    """An estimate with some of the people; `estimate` is None when counting took too long."""

    estimate: Estimate | None
    sample: list[Contact]


@dataclass(frozen=True)
class _Drawn:
    population: int
    ids: list[int]


def look(rule: Rule) -> Look:
    """About how many a rule finds, from a random sample that stays the same for a while, so that edits compare."""
    ends = time.perf_counter() + ENOUGH_SECONDS
    try:
        with limited(ESTIMATE_MS):
            drawn = _sample()
            verdicts, is_whole = _judged(rule, drawn, ends)
    except QueryCanceled:
        return Look(None, [])
    found = [verdict.contact_id for verdict in verdicts if verdict.is_match]
    return Look(_estimate(len(found), len(verdicts), drawn.population, is_whole), _people(found))


def count(rule: Rule) -> Look:
    """Exactly how many; raises `Transient` when that takes longer than a page can wait."""
    try:
        with limited(EXACT_MS):
            exact = selectors.preview(rule, sample=SHOWN)
            population = _population()
    except QueryCanceled as error:
        raise Transient(
            f"Counting everybody took longer than {EXACT_MS // 1000} seconds. Save the segment: it is then counted "
            "in the background."
        ) from error
    return Look(Estimate(exact.size, exact.size, exact.size, population, True), exact.sample)


def _judged(rule: Rule, drawn: _Drawn, ends: float) -> tuple[list[selectors.Verdict], bool]:
    """What the rule says of as many of the sample as fit into the time, and whether these are everybody.

    Drawing the sample takes from that time, so the first look of a session knows a little less.
    """
    started = time.perf_counter()
    verdicts = selectors.verdicts(rule, drawn.ids[:FIRST])
    now = time.perf_counter()
    more = FIRST * max(0.0, ends - now) / (now - started)
    judged = min(len(drawn.ids), FIRST + int(more))
    return verdicts + selectors.verdicts(rule, drawn.ids[FIRST:judged]), judged >= drawn.population


def _estimate(hits: int, sampled: int, population: int, is_whole: bool) -> Estimate:
    if is_whole:
        return Estimate(hits, hits, hits, sampled, True)
    low, high = wilson(hits, sampled, population)
    size = round(population * hits / sampled) if sampled else 0
    return Estimate(size, floor(population * low), ceil(population * high), population, is_exact=False)


def _people(ids: list[int]) -> list[Contact]:
    return list(Contact.objects.filter(pk__in=sorted(ids, reverse=True)[:SHOWN]).order_by("-pk"))


# --- the sample -------------------------------------------------------------------------------------------


def sample_ids() -> list[int]:
    """Some thousand living contacts by chance, in no order; all of them where there are no more."""
    return _sample().ids


def _sample() -> _Drawn:
    """Kept for a while, without Redis drawn each time; who has few contacts sees the newest of them at once."""
    key = f"segments:{tenancy.required()}:sample"
    with suppress(RedisError):
        if (kept := cache.get(key)) is not None:
            return _Drawn(*kept)
    population = _population()
    drawn = _Drawn(population, _few_of_all() if population <= READ_WHOLE else _drawn_numbers(population))
    if population > SAMPLE:
        with suppress(RedisError):
            cache.set(key, (drawn.population, drawn.ids), SAMPLE_SECONDS)
    return drawn


def _population() -> int:
    # Plan: index-only on contact_living; 60 ms at 1 million.
    return Contact.objects.filter(merged_into=None).count()


def _few_of_all() -> list[int]:
    # Plan: index-only on contact_living, then the first by hash: the same people every time.
    return _ids("ORDER BY hashint8extended(id, 0) LIMIT %(wanted)s", {"wanted": SAMPLE})


def _drawn_numbers(population: int) -> list[int]:
    """Draw numbers between the first and the last id and keep those that are contacts: no gap makes anybody likelier.

    Plan: two ends of contact_living, then one index-only probe per number.
    """
    first, last = (_ids(f"ORDER BY id {way} LIMIT 1", {})[0] for way in ("ASC", "DESC"))
    span = last - first + 1
    draws = min(span, MOST_DRAWS, ceil(1.1 * SAMPLE * span / population))
    chance = random.Random(tenancy.required())  # noqa: S311 — a lottery, no secret
    numbers = chance.sample(range(first, last + 1), draws)
    found = set(_ids("AND id = ANY(%(numbers)s::bigint[])", {"numbers": numbers}))
    return [number for number in numbers if number in found][:SAMPLE]


def _ids(rest: str, parameters: dict[str, Any]) -> list[int]:
    sql = (
        "SELECT id FROM audience_contact contact "
        f"WHERE contact.organization_id = %(organization)s AND contact.merged_into_id IS NULL {rest}"
    )
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(sql, parameters | {"organization": tenancy.required()})
        return [row[0] for row in cursor.fetchall()]


# --- shared -----------------------------------------------------------------------------------------------


@contextmanager
def limited(milliseconds: int) -> Iterator[None]:
    """A transaction whose statements end after so long; raises `QueryCanceled`, and the limit goes with it."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT current_setting('statement_timeout'), set_config('statement_timeout', %s, true)",
                [str(milliseconds)],
            )
            before = cursor.fetchone()[0]
            yield
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [before])
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise error.__cause__ from error
        raise
