"""Cursor pages: `{results, next, previous}`, newest first, stable while rows are added."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

from common.errors import Invalid


class CursorPages(CursorPagination):
    page_size = 25
    page_size_query_param = "limit"
    max_page_size = 500
    ordering: Any = "-id"
    cursor_query_description = "Where the page starts; take it from `next` or `previous`."

    def paginate_queryset(self, queryset: QuerySet[Any], request: Request, view: Any = None) -> list[Any] | None:
        """One page. Raises `Invalid` for a cursor that names no place in this order."""
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValueError, OverflowError, ValidationError) as error:
            if not request.query_params.get(self.cursor_query_param):
                raise
            sentence = "Take the cursor from `next` or `previous` of an answer."
            raise Invalid("The cursor is wrong.", details={self.cursor_query_param: sentence}) from error
