"""Cursor pages: `{results, next, previous}`, newest first, stable while rows are added."""

from __future__ import annotations

from typing import Any

from rest_framework.pagination import CursorPagination


class CursorPages(CursorPagination):
    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 500
    ordering: Any = "-id"
    cursor_query_description = "Where the page starts; take it from `next` or `previous`."
