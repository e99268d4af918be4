"""The page that answers "why (not) sent" for any contact and campaign, or for one message."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse

from accounts.backends import allowed
from accounts.shell import page, render
from audience import selectors as audience
from audience.models import Contact
from campaigns.models import Campaign
from campaigns.why import answer
from common.errors import NotFound
from delivery.models import Message

MOST_FOUND = 20
MOST_CAMPAIGNS = 200
MOST_MESSAGES = 20


@page("delivery")
def why_sent(request: HttpRequest) -> HttpResponse:
    """`?contact=&campaign=` or `?message=`; without them a search. Only reads."""
    words = request.GET.get("q", "")[:200]
    found = list(audience.search(audience.living(), words).order_by("-pk")[:MOST_FOUND]) if words.strip() else []
    contact_id = found[0].pk if len(found) == 1 else _number(request, "contact")
    campaign_id, message_id = _number(request, "campaign"), _number(request, "message")
    why = None
    try:
        if message_id is not None:
            why = answer.of_message(message_id)
        elif contact_id is not None and campaign_id is not None:
            why = answer.of_campaign(contact_id, campaign_id)
    except NotFound as error:
        raise Http404(error.message) from error
    contact = why.contact if why is not None else Contact.objects.filter(pk=contact_id).first()
    context = {
        "title": "Why (not) sent",
        "why": why,
        "contact": contact,
        "campaign_id": why.campaign.pk if why is not None and why.campaign is not None else campaign_id,
        "found": found,
        "words": words,
        "shown": words or (contact.email or str(contact.pk) if contact is not None else ""),
        "campaigns": Campaign.objects.order_by("-pk").only("pk", "name")[:MOST_CAMPAIGNS],
        "messages": Message.objects.filter(contact=contact).select_related("content").order_by("-pk")[:MOST_MESSAGES]
        if contact is not None
        else [],
        "may_read_audience": allowed(request.user, "audience"),
    }
    return render(request, "campaigns/why.html", context)


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
