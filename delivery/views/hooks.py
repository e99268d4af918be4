"""Where providers tell what became of messages: the address names the account, the provider proves itself, the
request is kept as it came, and a worker reads it."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from common import tenancy
from common.errors import Permanent, Transient
from delivery import links, providers
from delivery.domain.tokens import Reference
from delivery.models import Provider
from delivery.providers.hooks import Forged, Hooks
from delivery.services import reports
from delivery.services.routing import whole_settings

logger = logging.getLogger(__name__)

MOST_BYTES = 5 * 1024 * 1024


@csrf_exempt  # providers have no cookies; their signature or password is the proof
@require_http_methods(["GET", "HEAD", "POST"])
def receive(request: HttpRequest, token: str) -> HttpResponse:
    """200 once a proven request is kept, 403 for a forged one. GET and HEAD say that somebody is here."""
    reference = links.read(links.HOOK, token)
    if reference is None:
        return HttpResponseNotFound()
    with tenancy.organization(reference.organization_id):
        account = Provider.objects.filter(pk=reference.message_id).first()
        hooks = providers.of_kind(account.kind).hooks if account is not None else None
        if account is None or hooks is None:
            return HttpResponseNotFound()
        if request.method != "POST":
            return HttpResponse()
        if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
            return HttpResponse(f"At most {MOST_BYTES // 1024**2} MB.", status=413, content_type="text/plain")
        return _take(request, account, hooks, reference)


def _take(request: HttpRequest, account: Provider, hooks: Hooks, reference: Reference) -> HttpResponse:
    try:
        settings = whole_settings(account)
        hooks.verify(request, settings)
        hooks.greet(request, settings)
    except Forged as error:
        logger.warning(
            "A report to account %s of organisation %s was refused: %s",
            account.pk, reference.organization_id, error,
        )  # fmt: skip
        return _refusal(asks=error.asks)
    except (Transient, Permanent) as error:
        logger.warning("A report to account %s cannot be taken now: %s", account.pk, error)
        return HttpResponse(status=503, headers={"Retry-After": "60"})
    kept = {name: value for name in hooks.headers if (value := request.headers.get(name))}
    if query := request.META.get("QUERY_STRING", ""):
        kept["query"] = query[:1000]
    reports.accept(account.kind, account.pk, request.body, content_type=request.content_type or "", headers=kept)
    return HttpResponse()


def _refusal(*, asks: bool) -> HttpResponse:
    """403; 401 where a client sends its password only when it is asked (Amazon SNS and others)."""
    if asks:
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Basic realm="Reports"'})
    return HttpResponse(status=403)
