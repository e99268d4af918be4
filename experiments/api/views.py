"""`/api/v1/experiments`: experiments for marketers' tools, and arms for apps."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common import clock
from common.api.views import ApiView, ApiViewSet
from common.errors import Invalid, NotFound
from experiments import selectors, services
from experiments.api import read_outs
from experiments.api import serializers as shapes
from experiments.domain import metrics as metric_rules
from experiments.models import Allocation, Experiment, ExperimentStatus, Reserve
from experiments.selectors import people

WHO = [
    OpenApiParameter("user_id", str, description="The client's own id of the person."),
    OpenApiParameter("contact_id", int, description="Or our number of the contact."),
]
EXPOSE = OpenApiParameter("expose", bool, description="Also note that the person meets the arm now.")


class ExperimentFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=ExperimentStatus.choices)
    name = django_filters.CharFilter(lookup_expr="icontains")
    namespace = django_filters.CharFilter()

    class Meta:
        model = Experiment
        fields = ["status", "name", "namespace"]


class ExperimentViewSet(ApiViewSet):
    """Experiments, by key or number: the question, its arms, and what came of it."""

    resource = "experiments"
    serializer_class = shapes.ExperimentSerializer
    filterset_class = ExperimentFilter
    lookup_field = "key"
    lookup_value_regex = "[-a-zA-Z0-9_]{1,100}"

    def get_queryset(self) -> QuerySet[Experiment]:
        return Experiment.objects.prefetch_related("arms")

    def get_object(self) -> Experiment:
        """The key wins where another experiment has it as its number."""
        word = self.kwargs["key"]
        is_number = word.isdigit() and len(word) < 19
        wanted = Q(key=word) | Q(pk=int(word)) if is_number else Q(key=word)
        found = sorted(self.get_queryset().filter(wanted), key=lambda one: one.key != word)
        if not found:
            raise Http404
        return found[0]

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, key: str) -> Response:
        return self._answer(self.get_object())

    @extend_schema(request=shapes.ExperimentInput, responses={201: shapes.ExperimentSerializer})
    def create(self, request: Request) -> Response:
        """A draft; nobody is drawn until it is started."""
        values, arms = shapes.drafts(_read(shapes.ExperimentInput, request))
        return self._answer(services.create_experiment(values, arms or ()), status=201)

    @extend_schema(request=shapes.ExperimentInput)
    def partial_update(self, request: Request, key: str) -> Response:
        """With `version`, the change is refused (409) when somebody else changed the experiment meanwhile."""
        experiment = self.get_object()
        data = _read(shapes.ExperimentInput, request, partial=True)
        values, arms = shapes.drafts(data)
        return self._answer(
            services.update_experiment(experiment, values, arms=arms, expected_version=data.get("version"))
        )

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, key: str) -> Response:
        """Drafts only; an experiment that ran is archived instead."""
        services.delete_experiment(self.get_object())
        return Response(status=204)

    @extend_schema(request=shapes.ExperimentVersionSerializer, responses=shapes.ExperimentSerializer)
    @action(detail=True, methods=["post"])
    def start(self, request: Request, key: str) -> Response:
        experiment = self.get_object()
        data = _read(shapes.ExperimentVersionSerializer, request)
        return self._answer(services.start(experiment, expected_version=data.get("version")))

    @extend_schema(request=shapes.StopInput, responses=shapes.ExperimentSerializer)
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, key: str) -> Response:
        """Nobody else is drawn; with a winner everybody gets that arm from now on."""
        experiment = self.get_object()
        data = _read(shapes.StopInput, request)
        winner = experiment.arms.filter(key=data["winner"]).first() if data["winner"] else None
        if data["winner"] and winner is None:
            sentence = f"The experiment has no arm “{data['winner']}”."
            raise Invalid(sentence, details={"winner": sentence})
        return self._answer(services.stop(experiment, winner, expected_version=data.get("version")))

    @extend_schema(request=shapes.ExperimentVersionSerializer, responses=shapes.ExperimentSerializer)
    @action(detail=True, methods=["post"])
    def archive(self, request: Request, key: str) -> Response:
        experiment = self.get_object()
        data = _read(shapes.ExperimentVersionSerializer, request)
        return self._answer(services.archive(experiment, expected_version=data.get("version")))

    @extend_schema(responses=read_outs.ReadOutSerializer)
    @action(detail=True, methods=["get"], url_path="read-out")
    def read_out(self, request: Request, key: str) -> Response:
        """What is known now: a verdict in words, and the figures behind it."""
        return Response(read_outs.answer(selectors.read_out(self.get_object())))

    @extend_schema(parameters=[*WHO, EXPOSE], responses=shapes.DecisionSerializer)
    @action(detail=True, methods=["get"])
    def assignment(self, request: Request, key: str) -> Response:
        """The arm to show this person, always the same one. Writes nothing, but for a bandit, whose shares move, and
        with `expose=true`."""
        experiment = self.get_object()
        user_id = request.query_params.get("user_id", "")[:300]
        contact_id = people.find(_number(request, "contact_id"), user_id)
        is_exposed = request.query_params.get("expose", "").lower() in ("1", "true", "yes")
        if contact_id is not None and (is_exposed or experiment.allocation == Allocation.BANDIT):
            services.assign(experiment.pk, [contact_id], is_exposed=is_exposed)
        found = selectors.decide(experiment, contact_id, user_id)
        return Response(
            {"experiment": experiment.key, "arm": found.arm.key, "is_in": found.is_in, "payload": found.arm.payload}
        )

    @extend_schema(request=shapes.ExposureInput, responses={202: None})
    @action(detail=True, methods=["post"])
    def exposures(self, request: Request, key: str) -> Response:
        """The person met the arm. The earliest report counts; repeating it changes nothing."""
        experiment = self.get_object()
        data = _read(shapes.ExposureInput, request)
        contact_id = people.find(data.get("contact_id"), data.get("user_id", ""))
        if contact_id is None:
            raise NotFound("Nobody has this user ID yet; send an event of theirs first.", code="unknown_contact")
        moment = data.get("happened_at") or clock.now()
        services.expose([services.Meeting(contact_id, experiment.key, data["arm"], moment)])
        return Response(status=202)

    @extend_schema(request=shapes.PlanInput, responses=shapes.PlanSerializer)
    @action(detail=False, methods=["post"])
    def plan(self, request: Request) -> Response:
        """How many people and days it takes, from what the metric is among your own people now."""
        data = _read(shapes.PlanInput, request)
        (metric,) = metric_rules.parse([data.pop("metric")])
        return Response(shapes.PlanSerializer(asdict(selectors.plan(metric, data.pop("lift"), **data))).data)

    @extend_schema(responses=shapes.FeaturesSerializer, filters=False)
    @action(detail=False, methods=["get"], pagination_class=None)
    def features(self, request: Request) -> Response:
        """All experiments by user ID as the payload of GrowthBook's SDKs, which then draw as we do."""
        return Response({"status": 200, "features": selectors.features()})

    def _answer(self, experiment: Experiment, status: int = 200) -> Response:
        shown = self.get_queryset().get(pk=experiment.pk)
        return Response(self.get_serializer(shown).data, status=status)


class ReserveView(ApiView):
    """The share of everybody who takes part in no experiment."""

    resource = "experiments"

    @extend_schema(operation_id="experiment_reserve", responses=shapes.ReserveSerializer)
    def get(self, request: Request) -> Response:
        held = Reserve.objects.first()
        return Response({"share": held.share if held else 0.0})

    @extend_schema(
        operation_id="set_experiment_reserve", request=shapes.ReserveSerializer, responses=shapes.ReserveSerializer
    )
    def put(self, request: Request) -> Response:
        """The same people for all experiments; who has an arm already keeps it."""
        return Response({"share": services.set_reserve(_read(shapes.ReserveSerializer, request)["share"]).share})


def _read(serializer_class: Any, request: Request, *, partial: bool = False) -> dict[str, Any]:
    serializer = serializer_class(data=request.data, partial=partial)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _number(request: Request, name: str) -> int | None:
    text = request.query_params.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Invalid(f"{name} is a whole number.", details={name: "Must be a whole number."})
    return int(text)
