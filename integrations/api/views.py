"""`/api/v1/destinations/` and `/api/v1/audience-syncs/`: segments kept at ad platforms and webhooks."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.views import ApiViewSet
from common.errors import Invalid
from integrations import selectors, services
from integrations.api import shapes
from integrations.models import AudienceSync, Destination, SyncedContact, SyncStatus
from integrations.providers import PROVIDERS
from segments.models import Segment


class DestinationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Accounts at platforms that take audiences. Secrets are sealed and never told."""

    resource = "integrations"
    serializer_class = shapes.DestinationSerializer
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[Destination]:
        return Destination.objects.all()

    @extend_schema(request=shapes.DestinationInput, responses={201: shapes.DestinationSerializer})
    def create(self, request: Request) -> Response:
        """Connect an account; what each kind needs is told by `kinds`."""
        made = services.add_destination(**_read(shapes.DestinationInput, request))
        return Response(shapes.DestinationSerializer(made).data, status=201)

    @extend_schema(request=shapes.DestinationChange)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change the name or some settings."""
        changed = services.change_destination(self.get_object(), **_read(shapes.DestinationChange, request))
        return Response(shapes.DestinationSerializer(changed).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Forget it; 409 while a segment is kept there."""
        services.delete_destination(self.get_object())
        return Response(status=204)

    @extend_schema(responses=shapes.KindSerializer(many=True), filters=False)
    @action(detail=False, methods=["get"], pagination_class=None)
    def kinds(self, request: Request) -> Response:
        """The platforms, and what connecting each of them needs."""
        return Response(
            [
                {
                    "kind": name,
                    "label": provider.label,
                    "identifiers": list(provider.normalisers),
                    "settings": [asdict(setting) for setting in provider.settings],
                }
                for name, provider in PROVIDERS.items()
            ]
        )


class SyncFilter(django_filters.FilterSet):
    destination = django_filters.NumberFilter(field_name="destination_id", min_value=1, max_value=shapes.BIGGEST)
    segment = django_filters.NumberFilter(field_name="segment_id", min_value=1, max_value=shapes.BIGGEST)
    status = django_filters.ChoiceFilter(choices=SyncStatus.choices)

    class Meta:
        model = AudienceSync
        fields = ["destination", "segment", "status"]


class SyncedContactFilter(django_filters.FilterSet):
    class Meta:
        model = SyncedContact
        fields = ["status", "change", "contact_id"]


class AudienceSyncViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """One segment kept equal to one audience: its members who agreed to be written to."""

    resource = "integrations"
    serializer_class = shapes.SyncSerializer
    filterset_class = SyncFilter
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[Any]:
        # The filters of `contacts` are those of its rows.
        return SyncedContact.objects.all() if self.action == "contacts" else AudienceSync.objects.all()

    @extend_schema(responses=shapes.SyncWithCounts)
    def retrieve(self, request: Request, pk: str) -> Response:
        """With how many people are there, and how many wait."""
        return self._answer(self.get_object())

    @extend_schema(request=shapes.SyncInput, responses={201: shapes.SyncWithCounts})
    def create(self, request: Request) -> Response:
        """Keep a segment at a destination; the first push follows in the background."""
        said = _read(shapes.SyncInput, request)
        destination = _one(Destination, said.pop("destination"), "destination")
        segment = _one(Segment, said.pop("segment"), "segment")
        return self._answer(services.start_sync(destination, segment, **said), status=201)

    @extend_schema(responses={202: shapes.SyncWithCounts})
    def destroy(self, request: Request, pk: str) -> Response:
        """Take everybody away from the audience; the sync is gone when that is done."""
        sync = self.get_object()
        services.end_sync(sync)
        return self._answer(sync, status=202)

    @extend_schema(request=None, responses=shapes.SyncWithCounts)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        """Tell the platform nothing for now; changes are still noted."""
        sync = self.get_object()
        services.pause_sync(sync)
        return self._answer(sync)

    @extend_schema(request=shapes.ResumeInput, responses=shapes.SyncWithCounts)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """Go on at once."""
        sync = self.get_object()
        services.resume_sync(sync, **_read(shapes.ResumeInput, request))
        return self._answer(sync)

    @extend_schema(request=None, responses=shapes.SyncWithCounts)
    @action(detail=True, methods=["post"])
    def resend(self, request: Request, pk: str) -> Response:
        """Compare everybody, and tell the platform of all of them again."""
        sync = self.get_object()
        services.resend_all(sync)
        return self._answer(sync)

    @extend_schema(responses=shapes.SyncedContactSerializer(many=True))
    @action(detail=True, methods=["get"], filterset_class=SyncedContactFilter)
    def contacts(self, request: Request, pk: str) -> Response:
        """The log by record: what the platform was told of whom, and what it answered."""
        sync = _one(AudienceSync, int(pk), "")
        rows = self.filter_queryset(self.get_queryset().filter(sync=sync))
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(shapes.SyncedContactSerializer(page, many=True).data)

    @extend_schema(responses=shapes.PushSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], filterset_class=None)
    def pushes(self, request: Request, pk: str) -> Response:
        """The log by request."""
        page = self.paginate_queryset(self.get_object().pushes.all())
        return self.get_paginated_response(shapes.PushSerializer(page, many=True).data)

    def _answer(self, sync: AudienceSync, status: int = 200) -> Response:
        sync.shown_counts = asdict(selectors.counts(sync))  # type: ignore[attr-defined]
        return Response(shapes.SyncWithCounts(sync).data, status=status)


def _one(model: Any, pk: int, place: str) -> Any:
    """Raises `Invalid` at `place`, or 404 where it is the address that names the row."""
    found = model.objects.filter(pk=pk).first()
    if found is not None:
        return found
    if not place:
        raise Http404
    raise Invalid(f"There is no {place} {pk}.", details={place: f"There is no {place} {pk}."})


def _read(shape_class: type[Any], request: Request) -> dict[str, Any]:
    shape = shape_class(data=request.data)
    shape.is_valid(raise_exception=True)
    return dict(shape.validated_data)
