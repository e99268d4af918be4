"""`/api/v1/contacts/`: people, and what they did."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from audience import selectors, services
from audience.api import shapes
from audience.models import Contact, Priority
from common.api.pagination import CursorPages
from common.api.views import ApiViewSet
from common.errors import Invalid


class ContactFilter(django_filters.FilterSet):
    status = django_filters.CharFilter()
    priority = django_filters.ChoiceFilter(choices=Priority.choices)
    email = django_filters.CharFilter(lookup_expr="iexact")
    user_id = django_filters.CharFilter(help_text="Your own id of the person.")
    tag = django_filters.CharFilter(method="tagged", help_text="Has this tag.")
    search = django_filters.CharFilter(method="searched", help_text="Name, e-mail, phone or any id begins with this.")

    class Meta:
        model = Contact
        fields = ["status", "priority", "email", "user_id", "tag", "search"]

    def tagged(self, queryset: QuerySet[Contact], name: str, value: str) -> QuerySet[Contact]:
        return queryset.filter(tags__contains=[value])

    def searched(self, queryset: QuerySet[Contact], name: str, value: str) -> QuerySet[Contact]:
        return selectors.search(queryset, value)


class EventPages(CursorPages):
    # The index of one contact's events is by time; the id tells events of one moment apart.
    ordering = ("-happened_at", "-id")


class ContactViewSet(ApiViewSet):
    """People we know. A merged contact answers 404; its survivor has everything."""

    resource = "audience"
    serializer_class = shapes.ContactSerializer
    filterset_class = ContactFilter
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[Contact]:
        return selectors.living().prefetch_related(shapes.KNOWN_IDENTITIES)

    def list(self, request: Request) -> Response:
        """Newest first; `limit` and `cursor` page."""
        found = self.filter_queryset(selectors.living())
        page = self.paginate_queryset(found.values(*shapes.CONTACT_COLUMNS))
        return self.get_paginated_response(shapes.contacts(page or []))

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self.get_serializer(self._contact(pk)).data)

    @extend_schema(request=shapes.ContactInput, responses={201: shapes.ContactSerializer})
    def create(self, request: Request) -> Response:
        """Make a contact; 409 when its e-mail or user id is somebody's already."""
        values = _read(request)
        if not any(values.get(name) for name in ("email", "user_id", "phone", "name")):
            raise Invalid("A contact needs an e-mail address, a user id, a phone number or a name.")
        return self._answer(services.create_contact(**values), status=201)

    @extend_schema(request=shapes.ContactInput)
    def update(self, request: Request, pk: str) -> Response:
        """The same as PATCH: fields that are left out stay as they are."""
        return self._answer(services.update_contact(self._contact(pk), **_read(request)))

    @extend_schema(request=shapes.ContactInput)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change the named fields; each custom attribute by itself."""
        return self._answer(services.update_contact(self._contact(pk), **_read(request)))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Remove the contact with its events, ids and consents."""
        services.delete_contact(self._contact(pk))
        return Response(status=204)

    @extend_schema(responses=shapes.EventSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=EventPages, filterset_class=None)
    def events(self, request: Request, pk: str) -> Response:
        """What the contact did, newest first."""
        page = self.paginate_queryset(selectors.events_of(self._contact(pk).pk))
        return self.get_paginated_response(shapes.EventSerializer(page, many=True).data)

    def _contact(self, pk: str) -> Contact:
        found = self.get_queryset().filter(pk=int(pk)).first()
        if found is None:
            raise Http404
        return found

    def _answer(self, contact: Contact, status: int = 200) -> Response:
        return Response(self.get_serializer(self._contact(str(contact.pk))).data, status=status)


def _read(request: Request) -> dict[str, Any]:
    shape = shapes.ContactInput(data=request.data)
    shape.is_valid(raise_exception=True)
    return dict(shape.validated_data)
