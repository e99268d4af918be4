"""What a colleague does with one run: buttons of its page. Each says on the page what it did, or why not."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.shell import page
from automations.models import AutomationRun
from automations.services import hands
from common.errors import AppError

# name → (what it does, what is said then)
ACTS: dict[str, tuple[Callable[[int], object], str]] = {
    "try-again": (hands.try_again, "It is tried again from where it stands."),
    "skip": (hands.skip, "The step is passed over."),
    "go-on": (hands.go_on, "The wait is over; it goes on now."),
    "take-out": (hands.take_out, "This person was taken out of the workflow."),
}


def act(name: str) -> Callable[..., HttpResponse]:
    """The view that does one of the acts."""
    do, told = ACTS[name]

    @require_POST
    @page("automations", write=True)
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        if not AutomationRun.objects.filter(pk=pk).exists():
            raise Http404
        try:
            do(pk)
        except AppError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, told)
        return HttpResponseRedirect(reverse("admin:automations_automationrun_change", args=[pk]))

    return view
