"""One shape for every refusal of the API: `{"code", "message", "details"}`."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import DataError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import set_rollback

from common.errors import AppError, TooMany, Transient


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler for AppError, Django's own and DRF's errors; others are real faults (500)."""
    answer = _answer(error, context)
    if answer is not None:
        set_rollback()
    return answer


def _answer(error: Exception, context: dict[str, Any]) -> Response | None:
    if isinstance(error, AppError):
        headers = {}
        if isinstance(error, (TooMany, Transient)) and error.retry_after_seconds is not None:
            headers["Retry-After"] = str(error.retry_after_seconds)
        return _response(error.http_status, error.code, error.message, error.details, headers)
    if isinstance(error, Http404 | exceptions.NotFound):
        return _response(404, "not_found", "There is no such thing here.", {})
    if isinstance(error, PermissionDenied):
        return _response(403, "forbidden", "Your role does not cover this.", {})
    if isinstance(error, DataError):
        # PostgreSQL refuses NUL bytes and numbers out of range; nothing was written.
        return _response(400, "invalid", "A value cannot be stored: it is out of range or holds a NUL byte.", {})
    if isinstance(error, exceptions.ValidationError):
        return _response(400, "invalid", "Some fields are wrong; details says which and why.", _places(error.detail))
    if isinstance(error, exceptions.Throttled):
        wait = int(error.wait or 1) + 1
        return _response(
            429,
            "too_many_requests",
            f"Too many requests; come back in {wait} s.",
            {},
            {"Retry-After": str(wait)},
        )
    if isinstance(error, exceptions.APIException):
        return _api_exception(error)
    return None


def _api_exception(error: exceptions.APIException) -> Response:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    detail = error.detail
    code = getattr(detail, "code", None) or str(error.default_code)
    message = str(detail.get("detail", detail)) if isinstance(detail, dict) else str(detail)
    return _response(error.status_code, str(code), message, {}, headers)


def _places(detail: Any, place: str = "") -> dict[str, Any]:
    """Flatten DRF's nested error lists to `{"rules[2].value": "sentence"}`."""
    if isinstance(detail, dict):
        merged: dict[str, Any] = {}
        for key, value in detail.items():
            merged |= _places(value, _join(place, key))
        return merged
    if isinstance(detail, list) and detail and all(not isinstance(item, (dict, list)) for item in detail):
        return {place or "request": " ".join(str(item) for item in detail)}
    if isinstance(detail, list):
        merged = {}
        for index, item in enumerate(detail):
            if item:
                merged |= _places(item, f"{place}[{index}]")
        return merged
    return {place or "request": str(detail)}


def _join(place: str, key: object) -> str:
    if isinstance(key, int):
        return f"{place}[{key}]"
    if key == api_settings.NON_FIELD_ERRORS_KEY:
        return place
    return f"{place}.{key}" if place else str(key)


def _response(
    status: int, code: str, message: str, details: dict[str, Any], headers: dict[str, str] | None = None
) -> Response:
    return Response({"code": code, "message": message, "details": details}, status=status, headers=headers)
