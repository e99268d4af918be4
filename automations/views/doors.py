"""Doors to the outside: an address that other systems call, and small forms. No session, no cookie, no script."""

from __future__ import annotations

import hashlib
import logging
import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.middleware import client_address
from automations import configuration, doors
from automations.services import filling_in, letting_in
from automations.services.filling_in import Origin
from automations.triggers import TRIGGERS
from automations.triggers.form import CONSENT
from common import tenancy
from common.errors import AppError, Invalid
from delivery.views.plain import not_found, page

logger = logging.getLogger(__name__)

RETRY_SECONDS = "60"
HONEYPOT = "website"


@csrf_exempt
def webhook(request: HttpRequest, token: str) -> HttpResponse:
    """`POST` a JSON object; `Idempotency-Key` names the call. 202 when it is taken, before anything is done."""
    if request.method != "POST":
        return _refusal(Invalid("Send JSON by POST.", code="method_not_allowed"), 405)
    found = _settings(doors.WEBHOOK, token)
    if found is None:
        return _refusal(Invalid("There is no such address.", code="not_found"), 404)
    organization_id, settings = found
    if doors.is_flood(doors.WEBHOOK, hashlib.sha256(token.encode()).hexdigest()[:32]):
        return _refusal(Invalid("Too many calls within a minute.", code="throttled"), 429)
    try:
        sent_id = request.headers.get("Idempotency-Key", "")
        letting_in.take_webhook(organization_id, settings, request.body, sent_id)
    except AppError as error:
        return _refusal(error, error.http_status)
    return JsonResponse({"status": "accepted"}, status=202)


@csrf_exempt  # nothing here rests on a cookie
@require_http_methods(["GET", "HEAD", "POST"])
def form(request: HttpRequest, token: str) -> HttpResponse:
    """The form, and what was sent with it. Whoever fills in the field that nobody sees is thanked and not heard."""
    found = _settings(doors.FORM, token, only_active=True)
    if found is None:
        return not_found(request)
    organization_id, settings = found
    if request.method != "POST":
        return _form_page(request, settings, {}, {}, str(uuid.uuid4()))
    who = f"{client_address(request)}:{organization_id}:{settings.key}"
    if doors.is_flood(doors.FORM, hashlib.sha256(who.encode()).hexdigest()[:32]):
        response = page(request, "automations/form_flood.html", {"form": settings}, status=429)
        response["Retry-After"] = RETRY_SECONDS
        return response
    if not request.POST.get(HONEYPOT):
        sent_id = request.POST.get("sent", "")[:36] or str(uuid.uuid4())
        try:
            filling_in.take_form(organization_id, settings, request.POST.dict(), sent_id, _origin(request))
        except Invalid as error:
            return _form_page(request, settings, request.POST.dict(), error.details, sent_id, status=400)
    context = {"form": settings, "has_agreed": bool(request.POST.get(CONSENT))}
    return page(request, "automations/form_sent.html", context)


def _settings(kind: str, token: str, *, only_active: bool = False) -> tuple[int, Any] | None:
    """The organisation of a door and what its workflow says; of several workflows the first that is on."""
    found = doors.read(kind, token)
    if found is None:
        return None
    organization_id, key = found
    with tenancy.organization(organization_id):
        rows = [row for row in doors.listening(kind, key) if row.is_active or not only_active]
    if not rows:
        return None
    try:
        return organization_id, configuration.read(TRIGGERS[kind].configuration, rows[0].trigger_configuration)
    except Invalid as error:
        logger.error("The door of workflow %s cannot be read: %s", rows[0].pk, error)
        return None


def _origin(request: HttpRequest) -> Origin:
    return Origin(client_address(request), request.headers.get("User-Agent", ""), request.build_absolute_uri())


def _form_page(
    request: HttpRequest, settings: Any, given: dict[str, str], wrong: dict[str, str], sent: str, status: int = 200
) -> HttpResponse:
    questions = [
        {"question": one, "value": given.get(one.name, ""), "wrong": wrong.get(one.name, "")}
        for one in settings.questions
    ]
    context = {
        "form": settings,
        "questions": questions,
        "sent": sent,
        "wrong": wrong,
        "honeypot": HONEYPOT,
        "consent": {"is_ticked": given.get(CONSENT) == "yes", "wrong": wrong.get(CONSENT, "")},
    }
    return page(request, "automations/form.html", context, status=status)


def _refusal(error: AppError, status: int) -> HttpResponse:
    response = JsonResponse({"code": error.code, "message": error.message, "details": error.details}, status=status)
    if status == 429:
        response["Retry-After"] = RETRY_SECONDS
    return response
