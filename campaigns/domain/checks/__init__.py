"""What a careful colleague would say about a mail before it goes out, each sentence with the block it concerns."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from campaigns.domain.checks.base import LEVELS, Check, Mail
from campaigns.domain.checks.contrast import contrast
from campaigns.domain.checks.envelope import envelope
from campaigns.domain.checks.links import links
from campaigns.domain.checks.pictures import pictures
from campaigns.domain.checks.size import size
from campaigns.domain.checks.values import values
from campaigns.domain.checks.wording import wording

# To add one: a function from a Mail to Checks, a line here, its cases in tests/test_checks.py.
CHECKS: tuple[Callable[[Mail], Iterator[Check]], ...] = (
    envelope, links, pictures, contrast, values, wording, size,
)  # fmt: skip


def run(mail: Mail) -> list[Check]:
    """Every finding once, errors first, then in the order of the blocks."""
    order = {part.block: index for index, part in enumerate(mail.compiled.parts)}
    found = dict.fromkeys(check for look in CHECKS for check in look(mail))
    return sorted(found, key=lambda check: (LEVELS.index(check.level), order.get(check.block, -1)))
