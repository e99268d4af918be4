"""Filters of lists: only those the query string names are made ready."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.request import Request

from common.api.pagination import CursorPages

PAGE_WORDS = {CursorPages.page_size_query_param, CursorPages.cursor_query_param}


class SaidFilterBackend(DjangoFilterBackend):
    """django-filter without the form fields nobody filled in: they took a sixth of the time of a page."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        """The rows the query string asks for. Raises DRF's `ValidationError` for a value that does not fit."""
        if request.query_params.keys() <= PAGE_WORDS:
            return queryset
        found: QuerySet[Any] = super().filter_queryset(request, queryset, view)
        return found

    def get_filterset(self, request: Request, queryset: QuerySet[Any], view: Any) -> Any:
        filterset = super().get_filterset(request, queryset, view)
        if filterset is not None:
            filterset.filters = {
                name: one for name, one in filterset.filters.items() if _is_said(name, request.query_params)
            }
        return filterset


def _is_said(name: str, words: Any) -> bool:
    """Whether a filter, or a bound of it such as `created_at_after`, is among the words."""
    return any(word == name or word.startswith(f"{name}_") for word in words)
