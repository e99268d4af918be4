"""Quick looks while somebody edits a rule: about how many it finds, some of them, and values that are really there.

Nothing here writes, and every statement has its limit of time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil, floor

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from audience.models import Contact
from common.errors import Transient
from segments import samples, selectors
from segments.domain.intervals import wilson
from segments.rules.tree import Rule
from segments.samples import Sample

# A rule that is dear to judge is judged for fewer than stand in the sample: the first few say how many more fit in.
FIRST = 400
ENOUGH_SECONDS = 0.2
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


def look(rule: Rule) -> Look:
    """About how many a rule finds, from a random sample that stays the same for a while, so that edits compare."""
    ends = time.perf_counter() + ENOUGH_SECONDS
    try:
        with limited(ESTIMATE_MS):
            drawn = samples.everybody()
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
            population = samples.population()
    except QueryCanceled as error:
        raise Transient(
            f"Counting everybody took longer than {EXACT_MS // 1000} seconds. Save the segment: it is then counted "
            "in the background."
        ) from error
    return Look(Estimate(exact.size, exact.size, exact.size, population, True), exact.sample)


def _judged(rule: Rule, drawn: Sample, ends: float) -> tuple[list[selectors.Verdict], bool]:
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
