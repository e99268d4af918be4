"""The public endpoints that stock analytics SDKs talk to: Segment's HTTP API and PostHog's capture API.

Plain Django views: this is the hottest path of the house. Answer fast, judge events later
(docs/api-quick-start.md): a wrong key or an unreadable body is refused, everything else is accepted.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

import msgspec
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from audience import services
from audience.domain import wire
from audience.models import Protocol
from common import clock
from common.errors import AppError, Invalid, TooLarge, Unauthorized

View = Callable[..., HttpResponse]
PREFLIGHT_SECONDS = "86400"
ALLOWED_HEADERS = "authorization, content-type, x-write-key, anonymousid, x-retry-count, content-encoding, accept"
KEY_PARAMETERS = ("writeKey", "write_key", "api_key", "token", "_key")
RETRY_SECONDS = "5"

_encode = msgspec.json.Encoder().encode
KINDS = {"t": "track", "i": "identify", "p": "page", "s": "screen", "g": "group", "a": "alias", "b": "batch"}


def answer(body: object, status: int = 200) -> HttpResponse:
    return HttpResponse(_encode(body), content_type="application/json", status=status)


def open_to_browsers(view: View) -> View:
    """CORS for any site, preflights remembered for a day, and errors as plain JSON."""

    @csrf_exempt
    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "OPTIONS":
            response = HttpResponse(status=204)
        else:
            response = _guarded(view, request, *args, **kwargs)
        allow_origin(request, response)
        return response

    return wrapped


def _guarded(view: View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    try:
        return view(request, *args, **kwargs)
    except AppError as error:
        refusal = {"code": error.code, "message": error.message, "details": error.details}
        return answer(refusal, error.http_status)
    except (InterfaceError, OperationalError):
        response = answer({"code": "unavailable", "message": "Try again in a moment.", "details": {}}, 503)
        response["Retry-After"] = RETRY_SECONDS
        return response


def allow_origin(request: HttpRequest, response: HttpResponse) -> None:
    """Let pages of any site read the answer."""
    # A beacon carries credentials, for which browsers refuse `*`; we read no cookie here.
    origin = request.headers.get("Origin")
    response["Access-Control-Allow-Origin"] = origin or "*"
    if origin:
        response["Access-Control-Allow-Credentials"] = "true"
        response["Vary"] = "Origin"
    if request.method == "OPTIONS":
        response["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
        response["Access-Control-Allow-Headers"] = _allowed_headers(request)
        response["Access-Control-Max-Age"] = PREFLIGHT_SECONDS


def _allowed_headers(request: HttpRequest) -> str:
    asked = request.headers.get("Access-Control-Request-Headers", "")
    return asked if 0 < len(asked) < 500 and asked.isprintable() else ALLOWED_HEADERS


@open_to_browsers
def segment(request: HttpRequest, call: str) -> HttpResponse:
    """`POST /v1/{batch,identify,track,page,screen,group,alias}` and their first letters."""
    kind = KINDS.get(call, call)
    _take(request, Protocol.SEGMENT, "" if kind == "batch" else kind)
    return answer({"success": True})


@open_to_browsers
def posthog(request: HttpRequest, call: str) -> HttpResponse:
    """`POST /batch/`, `/capture/`, `/e/`, `/i/v0/e/`, `/track/`, `/engage/`; some clients send by GET."""
    _take(request, Protocol.POSTHOG, "engage" if call == "engage" else "")
    return answer({"status": 1})


def _take(request: HttpRequest, protocol: Protocol, kind: str) -> None:
    envelope, key = wire.open_body(_body(request), kind)
    organization_id = services.organization_of(_stated_key(request) or key)
    if envelope.events:
        services.accept(organization_id, protocol, wire.pack(envelope), len(envelope.events), clock.now())


def _body(request: HttpRequest) -> bytes:
    if request.method == "GET":
        return f"data={request.META.get('QUERY_STRING', '').partition('data=')[2]}".encode()
    if request.method != "POST":
        raise Invalid("Send events by POST.", code="method_not_allowed")
    if int(request.META.get("CONTENT_LENGTH") or 0) > wire.MOST_WIRE_BYTES:
        raise TooLarge(f"A batch may hold {wire.MOST_BATCH_BYTES // 1024} KB; this one is larger.")
    try:
        body = request.body
    except UnreadablePostError as error:
        raise Invalid("The connection ended before the whole body came.") from error
    if not body:
        raise Invalid("The body is empty.", code="malformed_body")
    return body


def _stated_key(request: HttpRequest) -> str:
    """The key outside the body: Basic user name, header, query."""
    scheme, _, credentials = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(credentials.strip(), validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError) as error:
            raise Unauthorized("The Authorization header is not valid Basic authentication.") from error
    header: str = request.META.get("HTTP_X_WRITE_KEY", "")
    if header or not request.META.get("QUERY_STRING"):
        return header
    return next((key for name in KEY_PARAMETERS if (key := request.GET.get(name))), "")


@open_to_browsers
def segment_settings(request: HttpRequest, key: str) -> HttpResponse:
    """`GET /v1/projects/KEY/settings`: what Segment's browser library reads before it sends."""
    services.organization_of(key)
    address = urlsplit(settings.PUBLIC_URL)
    destination = {
        "apiKey": key,
        "apiHost": f"{request.get_host()}/v1",
        "protocol": "https" if request.is_secure() or address.scheme == "https" else "http",
        "unbundledIntegrations": [],
        "addBundledMetadata": False,
        "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
    }
    everything = {"__default": {"enabled": True, "integrations": {}}}
    return answer(
        {
            "integrations": {"Segment.io": destination},
            "plan": {"track": everything, "identify": everything, "group": everything},
            "edgeFunction": {},
            "analyticsNextEnabled": True,
            "middlewareSettings": {},
            "enabledMiddleware": {},
            "metrics": {"sampleRate": 0},
            "legacyVideoPluginsEnabled": False,
            "remotePlugins": [],
        }
    )


@open_to_browsers
def posthog_config(request: HttpRequest, key: str) -> HttpResponse:
    """`GET /array/KEY/config`: PostHog's browser library reads it before it sends."""
    services.organization_of(key)
    return answer(_remote_config(key))


@open_to_browsers
def posthog_config_script(request: HttpRequest, key: str) -> HttpResponse:
    """`GET /array/KEY/config.js`: the same as a script."""
    services.organization_of(key)
    entry = _encode({"config": _remote_config(key), "siteApps": []}).decode()
    name = _encode(key).decode()
    script = (
        "(function(){window._POSTHOG_REMOTE_CONFIG=window._POSTHOG_REMOTE_CONFIG||{};"
        f"window._POSTHOG_REMOTE_CONFIG[{name}]={entry};}})();"
    )
    return HttpResponse(script, content_type="application/javascript")


def _remote_config(key: str) -> dict[str, Any]:
    return {
        "token": key,
        "supportedCompression": ["gzip", "gzip-js", "base64"],
        "hasFeatureFlags": False,
        "captureDeadClicks": False,
        "capturePerformance": False,
        "autocapture_opt_out": True,
        "autocaptureExceptions": False,
        "analytics": {"endpoint": "/i/v0/e/"},
        "elementsChainAsString": True,
        "sessionRecording": False,
        "heatmaps": False,
        "surveys": False,
        "defaultIdentifiedOnly": True,
        "siteApps": [],
        "isAuthenticated": False,
        "toolbarParams": {},
    }


@open_to_browsers
def posthog_flags(request: HttpRequest) -> HttpResponse:
    """`POST /flags/` and `/decide/`: there are no feature flags here, and the library is told so."""
    key = _stated_key(request)
    if not key:
        _, key = wire.open_body(_body(request), "")
    services.organization_of(key)
    return answer(
        {
            "flags": {},
            "featureFlags": {},
            "featureFlagPayloads": {},
            "errorsWhileComputingFlags": False,
            "requestId": str(uuid.uuid4()),
            "config": {"enable_collect_everything": True},
            **_remote_config(key),
        }
    )
