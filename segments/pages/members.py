"""Who is in a segment: the list, the file to take away, and the file to bring."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import TextIOWrapper
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse

from common import tenancy
from common.errors import AppError
from common.export import safe
from segments import services
from segments.insight import members as insight
from segments.insight.members import Wanted
from segments.models import Segment, SegmentKind
from segments.pages import shell
from segments.rules.catalogue import label

LONGEST_SEARCH = 200


class UploadForm(forms.Form):
    """A CSV of ids, e-mail addresses or user ids, and what it means."""

    file = forms.FileField(label="CSV file", help_text="One column of our ids, e-mail addresses or your user ids.")
    mode = forms.ChoiceField(
        label="These people",
        choices=[
            ("add", "are added to the segment"),
            ("remove", "are taken out of the segment"),
            ("replace", "are the segment: everybody else is taken out"),
        ],
    )


def wanted(request: HttpRequest) -> Wanted:
    """What the address asks for."""
    text = request.GET.get("q", "").strip().replace("\x00", "")[:LONGEST_SEARCH]
    value = request.GET.get("value", "").replace("\x00", "")[:LONGEST_SEARCH]
    return Wanted(text, request.GET.get("field", "")[:LONGEST_SEARCH].replace("\x00", ""), value)


def members(request: HttpRequest, segment: Segment) -> HttpResponse:
    """The members, the youngest contact first."""
    looked_for = wanted(request)
    return _page(request, segment, looked_for, UploadForm())


def _page(request: HttpRequest, segment: Segment, looked_for: Wanted, form: UploadForm, **extra: Any) -> HttpResponse:
    rows = insight.members(segment, looked_for)
    found, older = insight.page(rows, shell.number(request.GET.get("before", "")))
    query = {"q": looked_for.text, "field": looked_for.field, "value": looked_for.value}
    context = {
        "memberships": found,
        "wanted": looked_for,
        "field_label": label(looked_for.field) if looked_for.field else "",
        "older": shell.address(segment, "members", **query, before=older) if older else "",
        "first": shell.address(segment, "members", **query) if request.GET.get("before") else "",
        "export": shell.address(segment, "export", **query),
        "form": form,
        "is_static": segment.kind == SegmentKind.STATIC,
        **extra,
    }
    return shell.render(request, segment, "members", context)


def upload(request: HttpRequest, segment: Segment) -> HttpResponse:
    """Read a file into a static segment; what came of it, and who is unknown, stands on the page."""
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, segment, Wanted(), form)
    # A spreadsheet begins its UTF-8 with a byte order mark.
    lines = TextIOWrapper(form.cleaned_data["file"].file, encoding="utf-8-sig", newline="")
    try:
        done = services.upload_contacts(segment, lines, form.cleaned_data["mode"])
    except AppError as error:
        form.add_error("file", error.message)
        return _page(request, segment, Wanted(), form)
    segment.refresh_from_db()
    if not done.unknown_count:
        messages.success(request, told(done))
        return HttpResponseRedirect(shell.address(segment, "members"))
    return _page(request, segment, Wanted(), UploadForm(), uploaded=done, told=told(done))


def told(done: Any) -> str:
    """What an upload did, in a sentence."""
    people = "person" if done.people == 1 else "people"
    return f"{done.people:,} {people} found in {done.lines:,} lines; {done.entered:,} entered, {done.left:,} left."


def export(request: HttpRequest, segment: Segment) -> StreamingHttpResponse:
    """The members of the list as CSV, block by block; noted in the audit log before the first line leaves."""
    rows = insight.members(segment, wanted(request))
    services.note_export(segment, segment.member_count)
    header, attributes = insight.export_header()
    response = StreamingHttpResponse(
        _lines(tenancy.required(), rows, header, attributes), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="{segment.slug}.csv"'
    return response


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _lines(organization_id: int, rows: Any, header: list[str], attributes: list[str]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    # The byte order mark lets Excel read UTF-8. The stream outlives the request, so it says for whom it works.
    yield "\ufeff"
    yield writer.writerow([safe(title) for title in header])
    with tenancy.organization(organization_id):
        for line in insight.export(rows, attributes):
            yield writer.writerow([safe(value) for value in line])
