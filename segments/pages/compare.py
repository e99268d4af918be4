"""The segment beside everybody, and beside up to four other segments."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

from common.charts import Chart
from common.export import csv_response
from segments.insight import composition, overlap
from segments.models import Segment
from segments.pages import figures, shell

MOST_OFFERED = 200
MOST_DRAWN = 4


class Chosen:
    """The segments chosen, as templates/charts/chart.html asks for them."""

    def __init__(self, segments: list[Segment]) -> None:
        self.query = "&".join(f"with={segment.pk}" for segment in segments[1:])


def compare(request: HttpRequest, segment: Segment) -> HttpResponse:
    """`with` names other segments, `cell` one part of the overlap: then the page lists its people."""
    chosen = overlap.chosen(segment, [text for text in request.GET.getlist("with") if text])
    period = Chosen(chosen)
    link = f"{shell.address(segment, 'compare')}?{period.query}"
    if (mask := shell.number(request.GET.get("cell", ""))) is not None:
        return _people(request, segment, chosen, mask, link)
    drawn = _charts(segment, chosen, link)
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
    }
    return shell.render(request, segment, "compare", context)


def _charts(segment: Segment, chosen: list[Segment], link: str) -> list[Chart]:
    drawn = []
    if len(chosen) > 1:
        drawn.append(figures.upset(segment, overlap.overlap(chosen), link))
    if segment.member_count:
        made_of = sorted(composition.composition(segment), key=figures.difference, reverse=True)
        drawn += [figures.made_of(segment, found, is_drawn=place < MOST_DRAWN) for place, found in enumerate(made_of)]
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
