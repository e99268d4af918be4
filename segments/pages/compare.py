"""The segment beside everybody, and beside up to four other segments."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

from common.charts import Chart
from common.export import csv_response
from segments.insight import composition, overlap
from segments.insight.composition import Composition
from segments.insight.overlap import Overlap
from segments.models import Segment
from segments.pages import figures, shell

MOST_OFFERED = 200
MOST_DRAWN = 4


class Chosen:
    """The segments chosen and how they are counted, as templates/charts/chart.html asks for them."""

    def __init__(self, segments: list[Segment], *, is_exact: bool) -> None:
        words = [f"with={segment.pk}" for segment in segments[1:]]
        self.sampled = "&".join(words)
        self.exact = "&".join([*words, "exact=1"])
        self.query = self.exact if is_exact else self.sampled


def compare(request: HttpRequest, segment: Segment) -> HttpResponse:
    """`with` names other segments, `cell` one part of the overlap: then the page lists its people.

    Large segments are told from a sample unless `exact` asks for everybody.
    """
    chosen = overlap.chosen(segment, [text for text in request.GET.getlist("with") if text])
    is_exact = request.GET.get("exact") == "1"
    period = Chosen(chosen, is_exact=is_exact)
    link = f"{shell.address(segment, 'compare')}?{period.query}"
    if (mask := shell.number(request.GET.get("cell", ""))) is not None:
        return _people(request, segment, chosen, mask, link)
    made_of = composition.composition(segment, is_exact=is_exact) if segment.member_count else []
    crossed = overlap.overlap(chosen, is_exact=is_exact) if len(chosen) > 1 else None
    drawn = _charts(segment, crossed, made_of, link)
    if wanted := request.GET.get("csv"):
        chart = next((chart for chart in drawn if chart.name == wanted), None)
        if chart is None:
            raise Http404
        return csv_response(chart.table, f"{segment.slug}-{chart.name}")
    others = Segment.objects.exclude(pk=segment.pk).order_by("name")[:MOST_OFFERED]
    context = {
        "charts": drawn,
        "period": period,
        "others": [(other, other in chosen) for other in others],
        "most": overlap.MOST_SEGMENTS - 1,
        "is_estimated": crossed is not None and not crossed.is_exact,
        "sampled": next((found.sampled for found in made_of if not found.is_exact), 0),
        "error": f"{max((found.error for found in made_of), default=0.0) * 100:.1f}",
    }
    return shell.render(request, segment, "compare", context)


def _charts(segment: Segment, crossed: Overlap | None, made_of: list[Composition], link: str) -> list[Chart]:
    drawn = [figures.upset(segment, crossed, link)] if crossed else []
    strangest = sorted(made_of, key=figures.difference, reverse=True)
    drawn += [figures.made_of(segment, found, is_drawn=place < MOST_DRAWN) for place, found in enumerate(strangest)]
    return drawn


def _people(request: HttpRequest, segment: Segment, chosen: list[Segment], mask: int, link: str) -> HttpResponse:
    contacts, older = overlap.contacts(chosen, mask, shell.number(request.GET.get("before", "")))
    inside = overlap.within(mask, chosen)
    context: dict[str, Any] = {
        "contacts": contacts,
        "inside": inside,
        "outside": [other for other in chosen if other not in inside],
        "back": link,
        "older": f"{link}&cell={mask}&before={older}" if older else "",
    }
    return shell.render(request, segment, "compare", context, "segments/compare_people.html")
