"""`/api/v1/predictions/`: what models expect of contacts. Any model may write here; segments read it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.response import Response

from audience import services
from audience.api import prediction_shapes as shapes
from audience.models import Band, ContactPrediction, PredictionDefinition
from common import clock
from common.api.views import ApiViewSet
from common.errors import Invalid

MOST_ROWS = 10_000
SHARED = ("prediction", "model_version", "made_at", "valid_until")


class PredictionFilter(django_filters.FilterSet):
    prediction = django_filters.CharFilter(field_name="name", help_text="The name of the prediction.")
    band = django_filters.ChoiceFilter(choices=Band.choices)
    contact_id = django_filters.NumberFilter(field_name="contact_id", min_value=1, max_value=2**63 - 1)
    model_version = django_filters.CharFilter()
    at_least = django_filters.NumberFilter(field_name="value", lookup_expr="gte", max_value=10**17)
    at_most = django_filters.NumberFilter(field_name="value", lookup_expr="lte", max_value=10**17)
    stale = django_filters.BooleanFilter(method="lapsed", help_text="Whether it lapsed: no rule counts it any more.")

    class Meta:
        model = ContactPrediction
        fields = ["prediction", "band", "contact_id", "model_version", "at_least", "at_most", "stale"]

    def lapsed(self, queryset: QuerySet[ContactPrediction], name: str, value: bool) -> QuerySet[ContactPrediction]:
        now = clock.now()
        return queryset.filter(valid_until__lte=now) if value else queryset.filter(valid_until__gt=now)


class PredictionViewSet(mixins.ListModelMixin, ApiViewSet):
    """The prediction that counts for each contact and name: the one made last."""

    resource = "audience"
    serializer_class = shapes.PredictionSerializer
    filterset_class = PredictionFilter

    def get_queryset(self) -> QuerySet[ContactPrediction]:
        return ContactPrediction.objects.all()

    @extend_schema(request=shapes.PredictionsInput, responses=shapes.PredictionsAnswer, filters=False)
    def create(self, request: Request) -> Response:
        """Write up to 10,000 predictions; what is wrong with a row is told in its place and stops no other.

        A row that says when it was made can be sent again and writes nothing new; an older prediction never replaces
        a younger one.
        """
        said = request.data if isinstance(request.data, dict) else {}
        rows = said.get("predictions")
        if not isinstance(rows, list) or not 0 < len(rows) <= MOST_ROWS:
            sentence = f"Send 1 to {MOST_ROWS:,} rows."
            raise Invalid(f"predictions: {sentence}", details={"predictions": sentence})
        if unknown := sorted(set(said) - {"predictions", *SHARED}):
            raise Invalid(f"{unknown[0]}: There is no such field.", details=dict.fromkeys(unknown, "Unknown."))
        answers = services.record_predictions(rows, {name: said[name] for name in SHARED if name in said})
        return Response(shapes.answered(answers, Counter(answer.status for answer in answers)))


class PredictionDefinitionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """What predictions are called, where their bands begin and how long they hold. Found by name or id."""

    resource = "audience"
    serializer_class = shapes.DefinitionSerializer
    lookup_field = "name"
    lookup_value_regex = "[a-z][a-z0-9_]{0,59}|[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[PredictionDefinition]:
        return PredictionDefinition.objects.all()

    def get_object(self) -> PredictionDefinition:
        said = self.kwargs["name"]
        # A name begins with a letter.
        found = self.get_queryset().filter(**({"pk": int(said)} if said.isdigit() else {"name": said})).first()
        if found is None:
            raise Http404
        return found

    @extend_schema(request=shapes.DefinitionInput, responses={201: shapes.DefinitionSerializer})
    def create(self, request: Request) -> Response:
        """Make a prediction known; 409 when the name is in use."""
        made = services.define_prediction(**_read(shapes.DefinitionInput, request))
        return Response(shapes.DefinitionSerializer(made).data, status=201)

    @extend_schema(request=shapes.DefinitionChange)
    def partial_update(self, request: Request, name: str) -> Response:
        """Change label, limits, validity or description; stored bands follow new limits."""
        changed = services.change_definition(self.get_object(), **_read(shapes.DefinitionChange, request))
        return Response(shapes.DefinitionSerializer(changed).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, name: str) -> Response:
        """Forget it, with everything that was predicted under this name."""
        services.delete_definition(self.get_object())
        return Response(status=204)


def _read(shape_class: type[Any], request: Request) -> dict[str, Any]:
    shape = shape_class(data=request.data)
    shape.is_valid(raise_exception=True)
    return dict(shape.validated_data)
