"""The page of one contact."""

from __future__ import annotations

from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.backends import allowed
from accounts.shell import page, render
from audience.models import Contact
from dashboards import contact as selectors
from dashboards.links import row
from segments.models import Membership, Segment

MOST_SEGMENTS = 100


@page("audience")
def contact_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything about one contact; a merged one leads to the contact that stayed."""
    contact = Contact.objects.filter(pk=pk).select_related("assignee__user").first()
    if contact is None:
        raise Http404
    if contact.merged_into_id is not None:
        return HttpResponseRedirect(reverse("dashboards:contact", args=[contact.merged_into_id]))
    before = _moment(request.GET.get("before", ""))
    stays = Membership.objects.filter(contact=contact, left_at=None).select_related("segment").order_by("-entered_at")
    timeline = selectors.timeline(contact, before)
    others = (
        Segment.objects.filter(is_active=True).exclude(pk__in=[stay.segment_id for stay in stays]).order_by("name")
    )
    context = {
        "title": str(contact),
        "contact": contact,
        "facts": selectors.facts(contact),
        "segments": stays[:MOST_SEGMENTS],
        "other_segments": list(others[:MOST_SEGMENTS]),
        "may_ask_why": allowed(request.user, "segments"),
        "predictions": selectors.predictions(contact),
        "consents": selectors.consents(contact),
        "identities": contact.identities.order_by("kind", "value")[:50],
        "timeline": timeline,
        "before": before,
        "change_link": row("audience.contact", contact.pk) if allowed(request.user, "audience", write=True) else "",
    }
    return render(request, "dashboards/contact.html", context)


def _moment(text: str) -> datetime | None:
    try:
        found = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        return None
    if found is None:
        return None
    return found if timezone.is_aware(found) else timezone.make_aware(found)
