"""The codes of an offer that are drawn from a list: how many are left, and a box to paste more."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.backends import allowed
from accounts.shell import page, render
from campaigns.models import CodeKind, Offer
from campaigns.services import offer_codes
from common.errors import AppError


@require_http_methods(["GET", "POST"])
@page("campaigns")
def offer_codes_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One code a line; a refusal keeps what was typed."""
    offer = get_object_or_404(Offer.objects.select_related("campaign"), pk=pk)
    may_write = allowed(request.user, "campaigns", write=True)
    typed, refusal = "", ""
    if request.method == "POST" and may_write:
        typed = request.POST.get("codes", "")
        try:
            added = offer_codes.add(offer, typed.splitlines())
        except AppError as error:
            refusal = error.message
        else:
            messages.success(request, f"{added:,} codes were added.")
            return HttpResponseRedirect(reverse("offer-codes-page", args=[pk]))
    context = {
        "title": f"Codes: {offer.campaign}",
        "offer": offer,
        "counts": offer.code_rows.aggregate(whole=Count("pk"), free=Count("pk", filter=Q(target=None))),
        "may_write": may_write and offer.codes == CodeKind.LISTED,
        "typed": typed,
        "refusal": refusal,
    }
    return render(request, "campaigns/codes.html", context, status=400 if refusal else 200)
