"""Who builds on a segment and would lose it. Rooms above are named in marketing_site/wiring.py; ours looks itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from common.errors import Conflict
from segments.models import Segment

MOST_NAMED = 10


@dataclass(frozen=True)
class Use:
    """Something that refers to a segment: what it is in a reader's word, its name, and its page."""

    what: str
    name: str
    page: str

    def __str__(self) -> str:
        return f"{self.what} “{self.name}”"

    @property
    def link(self) -> SafeString:
        return format_html('{} <a href="{}">{}</a>', self.what.capitalize(), self.page, self.name)


Finder = Callable[[Segment], Iterable[Use]]
_finders: list[Finder] = []


def wire(finders: Sequence[Finder]) -> None:
    """Take the rooms' finders; replaces earlier ones."""
    _finders[:] = finders


def of(segment: Segment) -> list[Use]:
    """Everything that refers to this segment: other segments first, then the rooms in the order of the wiring."""
    return [use for finder in (_segments, *_finders) for use in finder(segment)]


def check_unused(segment: Segment) -> None:
    """Raises `Conflict` with the names of those that refer to it; `details` leads to their pages."""
    found = of(segment)
    if not found:
        return
    more = f" and {len(found) - MOST_NAMED:,} more" if len(found) > MOST_NAMED else ""
    told = ", ".join(str(use) for use in found[:MOST_NAMED]) + more
    raise Conflict(
        f"“{segment.name}” is used by {told}; take it out there first.",
        code="in_use",
        details={use.page: str(use) for use in found},
    )


def _segments(segment: Segment) -> list[Use]:
    rows = Segment.objects.filter(dependencies__needed=segment).distinct().order_by("name", "pk")
    return [
        Use("segment", name, reverse("admin:segments_segment_change", args=[pk]))
        for pk, name in rows.values_list("pk", "name")
    ]
