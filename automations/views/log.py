"""The log of a workflow: what each step did, newest first; filters, pages, a file."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from accounts.shell import page
from automations.domain.tree import STEP_ID
from automations.models import Automation, StepOutcome
from automations.selectors import log as records
from automations.selectors.log import Wanted
from automations.selectors.reports import step_sentence
from automations.views import shell
from automations.workflows import prepare
from common import tenancy
from common.export import safe

TITLES = [
    "When",
    "Contact id",
    "Contact",
    "Run",
    "Version",
    "Step",
    "What it is",
    "Outcome",
    "Note",
    "Seconds inside",
]


@page("automations")
def log(request: HttpRequest, pk: int) -> HttpResponse:
    """`?outcome=&step=&version=&contact=&since=&until=&cursor=`; `csv=1` hands the newest 100,000 as a file."""
    automation = shell.find(pk)
    asked = _asked(request)
    wanted = Wanted(
        asked["outcome"],
        asked["step"],
        asked["version"],
        asked["contact"],
        shell.midnight(asked["since"]),
        shell.midnight(asked["until"], after=True),
    )
    if request.GET.get("csv"):
        return _file(automation, wanted)
    found = records.page(automation, wanted, request.GET.get("cursor", ""))
    context = {
        "entries": found.entries,
        "asked": asked,
        "older": shell.address("automation-log", automation, **asked, cursor=found.older) if found.older else "",
        "newer": shell.address("automation-log", automation, **asked, cursor=found.newer) if found.newer else "",
        "file": shell.address("automation-log", automation, **asked, csv=1),
        "unfiltered": shell.address("automation-log", automation),
        "is_filtered": any(value not in (None, "") for value in asked.values()),
        "outcomes": StepOutcome.choices,
        "steps": _steps(automation),
        "versions": list(automation.versions.order_by("-number").values_list("number", flat=True)),
    }
    return shell.render(request, automation, "automation-log", "automations/log.html", context)


def _asked(request: HttpRequest) -> dict[str, Any]:
    words = request.GET
    outcome, step = words.get("outcome", ""), words.get("step", "")
    return {
        "outcome": outcome if outcome in StepOutcome.values else "",
        "step": step if STEP_ID.match(step) else "",
        "version": shell.number(words.get("version", "")),
        "contact": shell.number(words.get("contact", "")),
        "since": shell.day(words.get("since", "")),
        "until": shell.day(words.get("until", "")),
    }


def _steps(automation: Automation) -> list[tuple[str, str]]:
    """The steps of the current version, to choose from."""
    version = automation.current_version
    return [(key, step_sentence(step)) for key, step in prepare(version).steps.items()] if version else []


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _file(automation: Automation, wanted: Wanted) -> StreamingHttpResponse:
    lines = _lines(tenancy.required(), automation, wanted)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{automation.slug}-log.csv"'
    return response


def _lines(organization_id: int, automation: Automation, wanted: Wanted) -> Iterator[str]:
    writer = csv.writer(_Echo())
    # The byte order mark lets Excel read UTF-8. The stream outlives the request, so it says for whom it works.
    yield "\ufeff"
    yield writer.writerow(TITLES)
    with tenancy.organization(organization_id):
        for entry in records.export(automation, wanted):
            row = entry.record
            cells = [
                row.happened_at.isoformat(), row.run.contact_id, str(row.run.contact), row.run_id, row.version.number,
                row.step_id, entry.sentence, row.outcome, entry.note, row.seconds,
            ]  # fmt: skip
            yield writer.writerow([safe(cell) for cell in cells])
