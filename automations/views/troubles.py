"""What went wrong in all workflows: alerts, and failed people grouped by cause, tried again or taken out at once."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from accounts import shell as house
from accounts.backends import allowed
from accounts.shell import page
from automations.admin.parts import own_member
from automations.models import Alert, AlertReader
from automations.selectors.troubles import Trouble, troubles
from automations.services import alerts
from automations.services.troubles import Cause, dismiss_all, replay_all
from automations.views import shell

SHOWN_ALERTS = 50


@page("automations")
def show(request: HttpRequest) -> HttpResponse:
    """`?workflow=` narrows it to one."""
    automation_id = shell.number(request.GET.get("workflow", ""))
    listed = Alert.objects.select_related("automation").order_by("-opened_at")
    if automation_id is not None:
        listed = listed.filter(automation_id=automation_id)
    member = own_member(request)
    context: dict[str, Any] = {
        "title": "What went wrong",
        "open_alerts": list(listed.filter(closed_at=None)[:SHOWN_ALERTS]),
        "past_alerts": list(listed.exclude(closed_at=None)[:SHOWN_ALERTS]),
        "rows": [_row(trouble) for trouble in troubles(automation_id)],
        "settings": alerts.watch_settings(),
        "member": member,
        "reader": AlertReader.objects.filter(member=member).first() if member else None,
        "is_narrowed": automation_id is not None,
        "may_write": allowed(request.user, "automations", write=True),
    }
    return house.render(request, "automations/troubles.html", context)


def _row(trouble: Trouble) -> dict[str, Any]:
    runs = reverse("admin:automations_automationrun_changelist")
    query = {
        "automation__id__exact": trouble.cause.automation_id,
        "step_id__exact": trouble.cause.step_id,
        "status__in": "failed",
    }
    return {"trouble": trouble, "address": f"{runs}?{urlencode(query)}"}


@require_POST
@page("automations", write=True)
def act(request: HttpRequest) -> HttpResponse:
    """Try all of one cause again, or take them out."""
    automation_id = shell.number(request.POST.get("automation", ""))
    do = {"replay": replay_all, "dismiss": dismiss_all}.get(request.POST.get("do", ""))
    step, cause = request.POST.get("step", ""), request.POST.get("cause", "")
    if automation_id is None or do is None or "\0" in step + cause:
        raise Http404
    count = do(Cause(automation_id, step, cause))
    people = "1 person" if count == 1 else f"{count:,} people"
    told = f"{people} tried again." if do is replay_all else f"{people} taken out of the workflow."
    messages.success(request, told) if count else messages.info(
        request, "Nobody is left there; somebody was quicker."
    )
    return HttpResponseRedirect(reverse("automation-troubles"))


@require_POST
@page("automations")
def tell_me(request: HttpRequest) -> HttpResponse:
    """Whether the reader wants to be told of alerts."""
    member = own_member(request)
    if member is None:
        raise Http404
    wanted = request.POST.get("wanted", "")
    alerts.read_alerts(member, wanted=wanted in ("here", "mail"), by_mail=wanted == "mail")
    messages.success(
        request, "You are told of alerts." if wanted in ("here", "mail") else "You are not told of alerts."
    )
    return HttpResponseRedirect(reverse("automation-troubles"))
