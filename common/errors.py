"""One family of errors for every room: what was wrong, where, and what would be right."""

from __future__ import annotations

from typing import Any


class AppError(Exception):
    """A refusal a person can read. `code` is for machines, `details` maps a place to its own sentence."""

    code = "error"
    http_status = 400

    def __init__(self, message: str, *, code: str | None = None, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.details = details or {}


class Invalid(AppError):
    """The request is understood and wrong; it must be changed before it is sent again."""

    code = "invalid"
    http_status = 400


class Unauthorized(AppError):
    """We do not know who is asking."""

    code = "unauthorized"
    http_status = 401


class Forbidden(AppError):
    """We know who is asking, and their role does not cover this."""

    code = "forbidden"
    http_status = 403


class NotFound(AppError):
    """There is no such thing in this organisation."""

    code = "not_found"
    http_status = 404


class Conflict(AppError):
    """Somebody else changed it first, or its state does not allow this."""

    code = "conflict"
    http_status = 409


class TooLarge(AppError):
    code = "too_large"
    http_status = 413


class TooMany(AppError):
    """Asked too often; `retry_after_seconds` says when to come back."""

    code = "too_many_requests"
    http_status = 429

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Permanent(AppError):
    """Work that will fail the same way every time: goes to the dead letters at once."""

    code = "permanent"
    http_status = 422


class Transient(AppError):
    """Work that may succeed later; `retry_after_seconds` overrides the usual back-off."""

    code = "transient"
    http_status = 503

    def __init__(self, message: str, *, retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
