"""Why one contact is in the segment, or is not."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render as render_part

from audience.models import Contact
from common.errors import NotFound
from segments import selectors
from segments.insight import explanation
from segments.models import Segment
from segments.pages import shell

MOST_FOUND = 20
EXAMPLES = 3


def why(request: HttpRequest, segment: Segment) -> HttpResponse:
    """Pick a contact (`q`), or explain one (`contact`). The contact page fetches the part alone by htmx."""
    text = request.GET.get("q", "").strip().replace("\x00", "")[:200]
    context: dict[str, Any] = {"q": text, "found": [], "examples": []}
    contact_id = shell.number(request.GET.get("contact", ""))
    if contact_id is None and text:
        context["found"] = _search(text)
        if len(context["found"]) == 1:
            contact_id = context["found"][0].pk
    if contact_id is not None:
        context["told"] = explanation.explain(segment, explanation.find_contact(contact_id))
    elif not text:
        context["examples"] = _examples(segment)
    if request.headers.get("HX-Request"):
        if contact_id is None:
            raise NotFound("Name the contact.")
        return render_part(request, "segments/why_told.html", context | {"segment": segment})
    return shell.render(request, segment, "why", context)


def _search(text: str) -> list[Contact]:
    """By our id, e-mail address or user id exactly, else by the beginning of the e-mail or a part of the name."""
    people = Contact.objects.filter(merged_into=None).order_by("-pk")
    exact = Q(email=text.lower()) | Q(identities__value=text)
    if (contact_id := shell.number(text)) is not None:
        exact |= Q(pk=contact_id)
    found = list(people.filter(exact).distinct()[:MOST_FOUND])
    return found or list(people.filter(Q(email__istartswith=text) | Q(name__icontains=text))[:MOST_FOUND])


def _examples(segment: Segment) -> list[tuple[Contact, bool]]:
    """A few who are in it and a few who are not, to begin with."""
    inside = [membership.contact for membership in selectors.memberships(segment)[:EXAMPLES]]
    young = Contact.objects.filter(merged_into=None).order_by("-pk")[: EXAMPLES * 10]
    members = set(
        selectors.memberships(segment)
        .filter(contact__in=[row.pk for row in young])
        .values_list("contact_id", flat=True)
    )
    outside = [row for row in young if row.pk not in members][:EXAMPLES]
    return [*((row, True) for row in inside), *((row, False) for row in outside)]
