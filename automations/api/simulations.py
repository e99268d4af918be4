"""`/api/v1/automations/{id}/simulations/`: a workflow replayed against real events, and walked with one contact."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from audience.models import Contact
from automations.api import shapes
from automations.api import simulation_shapes as told
from automations.models import Automation, Simulation
from automations.simulation import flow as flows
from automations.simulation import person, result, work
from automations.simulation.person import Imagined, Journey, Stop
from common import clock
from common.errors import Conflict, Invalid, NotFound

NUMBER = OpenApiParameter("number", int, OpenApiParameter.PATH, description="The simulation's id.")
MOST_IMAGINED = 20


class SimulationActions:
    """Mixed into the viewset of automations."""

    @extend_schema(responses=told.SimulationLineSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], filterset_class=None)
    def simulations(self, request: Request, pk: str) -> Response:
        """Those that are kept, newest first, without their results."""
        view: Any = self
        rows = _rows(view._automation(pk)).defer("document", "result")
        page = view.paginate_queryset(rows)
        return view.get_paginated_response(told.SimulationLineSerializer(page, many=True).data)

    @extend_schema(request=told.SimulationInput, responses={202: told.SimulationSerializer}, filters=False)
    @simulations.mapping.post
    def simulate(self, request: Request, pk: str) -> Response:
        """Ask for one: the last `days` of real events against the draft (or what is published), in the background.
        Nothing is written but its row. Problems of a draft come back with their places."""
        view: Any = self
        data = shapes.read(told.SimulationInput, request)
        row = work.request(view._automation(pk), days=data["days"], what=data.get("what", ""), flow=data.get("flow"))
        return Response(told.SimulationSerializer(row).data, status=202)

    @extend_schema(responses=told.LatestSerializer, filters=False)
    @action(detail=True, methods=["get"], url_path="simulations/latest", pagination_class=None, filterset_class=None)
    def latest_simulation(self, request: Request, pk: str) -> Response:
        """The youngest that is done, with the counts for the canvas; 404 before there is one."""
        view: Any = self
        row = work.latest(view._automation(pk))
        if row is None:
            raise NotFound("There is no finished simulation of this workflow yet; ask for one.")
        address = f"{reverse('automation-simulations', args=[pk])}?number={row.pk}#step-"
        row.steps = result.step_counts(row.result, {step_id: address + step_id for step_id in row.result["steps"]})[
            "steps"
        ]
        row.cost = result.cost_shown(row.result) or ""
        return Response(told.LatestSerializer(row).data)

    @extend_schema(parameters=[NUMBER], responses=told.SimulationSerializer, filters=False)
    @action(
        detail=True,
        methods=["get"],
        url_path="simulations/(?P<number>[0-9]{1,18})",
        pagination_class=None,
        filterset_class=None,
    )
    def simulation(self, request: Request, pk: str, number: str) -> Response:
        """One simulation: how far it is, and what came of it."""
        view: Any = self
        return Response(told.SimulationSerializer(_find(view._automation(pk), number)).data)

    @extend_schema(parameters=[NUMBER], request=None, responses=told.SimulationSerializer, filters=False)
    @action(
        detail=True,
        methods=["post"],
        url_path="simulations/(?P<number>[0-9]{1,18})/cancel",
        pagination_class=None,
        filterset_class=None,
    )
    def cancel_simulation(self, request: Request, pk: str, number: str) -> Response:
        """Stop one that waits or runs."""
        view: Any = self
        row = _find(view._automation(pk), number)
        if not work.cancel(row):
            raise Conflict("This simulation is over already.", code="over")
        return Response(told.SimulationSerializer(_find(view._automation(pk), number)).data)

    @extend_schema(request=told.WalkInput, responses=told.JourneyShape, filters=False)
    @action(detail=True, methods=["post"], pagination_class=None, filterset_class=None)
    def walk(self, request: Request, pk: str) -> Response:
        """What would happen to one contact, step by step, and why. Nothing is written, also not the events that are
        let come."""
        view: Any = self
        automation, data = view._automation(pk), shapes.read(told.WalkInput, request)
        contact = Contact.objects.filter(pk=data["contact_id"]).first()
        if contact is None:
            raise Invalid("There is no such contact.", details={"contact_id": f"there is no {data['contact_id']}"})
        if len(data.get("events", [])) > MOST_IMAGINED:
            raise Invalid("Too many events.", details={"events": f"at most {MOST_IMAGINED}"})
        document, _ = work.document_of(automation, data.get("what", ""), data.get("flow"))
        journey = person.walk(
            flows.read(document, automation),
            contact,
            data.get("at") or clock.now(),
            answers=data.get("answers"),
            events=tuple(Imagined(**event) for event in data.get("events", [])),
        )
        return Response(told.JourneyShape(_journey(journey)).data)


def _rows(automation: Automation) -> Any:
    return Simulation.objects.filter(automation=automation).select_related("version").order_by("-pk")


def _find(automation: Automation, number: str) -> Simulation:
    row: Simulation | None = _rows(automation).filter(pk=int(number)).first()
    if row is None:
        raise Http404
    return row


def _journey(journey: Journey) -> dict[str, Any]:
    return {
        "contact_id": journey.contact.pk,
        "at": journey.at,
        "keeps_out": journey.keeps_out,
        "outcome": journey.outcome,
        "ended_at": journey.ended_at,
        "goal_at": journey.goal_at,
        "stops": [_stop(stop) for stop in journey.stops],
    }


def _stop(stop: Stop) -> dict[str, Any]:
    return {
        "step_id": stop.step.id,
        "action_type": stop.step.type,
        "sentence": stop.sentence,
        "at": stop.at,
        "left_at": stop.left_at,
        "way": stop.way,
        "branch": stop.branch,
        "is_forced": stop.is_forced,
        "reasons": [{"way": way, "why": node} for way, node in stop.reasons],
        "message": _message(stop),
    }


def _message(stop: Stop) -> dict[str, Any] | None:
    if stop.template is None:
        return None
    reason = stop.message.reason if stop.message else ""
    return {
        "template_id": stop.template.id,
        "template": stop.template.name,
        "channel": stop.template.channel,
        "goes_at": stop.message.at if stop.message and not reason else None,
        "reason": reason,
    }
