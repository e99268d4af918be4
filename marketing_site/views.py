"""Liveness and readiness for supervisors and load balancers; what is not here."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from redis import RedisError

from common import doorbell


def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """The process can work: database and Redis answer. 503 names the one that does not."""
    problems = {}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        problems["database"] = str(error).strip()
    try:
        doorbell.client().ping()
    except RedisError as error:
        problems["redis"] = str(error)
    return JsonResponse({"status": "unready" if problems else "ready"} | problems, status=503 if problems else 200)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A page for people; for apps, the shape of every other error."""
    if not request.path.startswith("/api/"):
        return defaults.page_not_found(request, exception)
    told = "There is no such address; /api/v1/docs/ lists all of them."
    return JsonResponse({"code": "not_found", "message": told, "details": {}}, status=404)
