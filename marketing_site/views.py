"""Liveness and readiness for supervisors and load balancers."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
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
