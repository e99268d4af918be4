"""Versions over HTTP: publishing with the people inside in view, and what became of whom."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from automations import selectors, services
from automations.api.shapes import ActionsField, ObjectField, read
from automations.models import Automation, EntryRule
from automations.selectors.places import Place
from automations.selectors.versions import VersionReport
from automations.services.automations import FLOW_FIELDS
from automations.services.publishing import spelled
from automations.triggers import TRIGGERS
from common.api.shapes import StrictSerializer
from common.errors import Invalid


class PublishInput(StrictSerializer):
    """Without a flow and without `version`: the draft."""

    mode = serializers.ChoiceField(choices=[str(mode) for mode in services.Mode], required=False, default="keep")
    mapping = serializers.DictField(
        child=serializers.CharField(allow_null=True, max_length=60),
        required=False,
        help_text="For migrate: step id → step id of the new version, or null to leave. Not named: the same id.",
    )
    version = serializers.IntegerField(required=False, min_value=1, help_text="Publish this one once more.")
    dry_run = serializers.BooleanField(required=False, default=False)
    trigger_type = serializers.ChoiceField(
        choices=[(name, kind.label) for name, kind in TRIGGERS.items()], required=False
    )
    trigger_configuration = ObjectField(required=False)
    entry_rule = serializers.ChoiceField(choices=EntryRule.choices, required=False)
    entry_days = serializers.IntegerField(required=False, allow_null=True)
    entry_key = serializers.CharField(required=False, allow_blank=True, max_length=300)
    goal_rule = ObjectField(required=False, allow_null=True)
    exit_rule = ObjectField(required=False, allow_null=True)
    actions = ActionsField(required=False)


class PlaceSerializer(serializers.Serializer):  # type: ignore[type-arg]
    step_id = serializers.CharField()
    sentence = serializers.CharField()
    people = serializers.IntegerField()
    failed = serializers.IntegerField(help_text="Of these, dead letters.")
    versions = serializers.ListField(child=serializers.IntegerField())
    target = serializers.CharField(allow_null=True, help_text="Where they would go on; null: say so in `mapping`.")


class PublishAnswer(serializers.Serializer):  # type: ignore[type-arg]
    version = serializers.IntegerField()
    is_new = serializers.BooleanField(help_text="False: like the current one, so no version was made.")
    differences = serializers.ListField(child=serializers.CharField())
    places = PlaceSerializer(many=True)
    moved = serializers.IntegerField()
    left = serializers.IntegerField()
    withdrawn = serializers.IntegerField(help_text="Messages of those who left, that waited and will not go out.")


class VersionSerializer(serializers.Serializer):  # type: ignore[type-arg]
    number = serializers.IntegerField()
    state = serializers.CharField(help_text="current, older, closing (drained, people inside) or closed.")
    author = serializers.CharField()
    created_at = serializers.DateTimeField()
    entered = serializers.IntegerField()
    moved = serializers.IntegerField(help_text="Came over from another version.")
    inside = serializers.IntegerField(help_text="Now.")
    failed = serializers.IntegerField(help_text="Of these, dead letters.")
    completed = serializers.IntegerField()
    exited = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    goal = serializers.IntegerField()
    conversion = serializers.FloatField(allow_null=True, help_text="Goal per person who came; null without a goal.")
    differences = serializers.ListField(child=serializers.CharField(), help_text="To the version before.")


class StepCountSerializer(serializers.Serializer):  # type: ignore[type-arg]
    now = serializers.IntegerField()
    passed = serializers.IntegerField()
    failed = serializers.IntegerField()
    conversion = serializers.FloatField(allow_null=True)
    branches = serializers.DictField(child=serializers.IntegerField())
    href = serializers.CharField()


class WholeVersionSerializer(VersionSerializer):
    flow = serializers.DictField(help_text="As it can be sent to publish.")
    steps = serializers.DictField(child=StepCountSerializer())


def publish(request: Request, automation: Automation) -> Response:
    data = read(PublishInput, request)
    mode, mapping, dry_run = data.pop("mode"), data.pop("mapping", None), data.pop("dry_run")
    number = data.pop("version", None)
    flow = {name: data[name] for name in FLOW_FIELDS & data.keys()} or None
    preview = services.preview(automation, flow=flow, number=number)
    answer: dict[str, Any] = {
        "version": preview.number,
        "is_new": preview.is_new,
        "differences": preview.differences,
        "places": [_place(place) for place in preview.places],
        "moved": 0,
        "left": 0,
        "withdrawn": 0,
    }
    if not dry_run:
        done = services.release(automation, mode=mode, mapping=mapping, flow=flow, number=number)
        answer |= {
            "version": done.version.number,
            "moved": done.moved,
            "left": done.left,
            "withdrawn": done.withdrawn,
        }
    return Response(PublishAnswer(answer).data)


def _place(place: Place) -> dict[str, Any]:
    names = ("step_id", "sentence", "people", "failed", "target")
    return {name: getattr(place, name) for name in names} | {"versions": place.version_numbers}


def listing(request: Request, automation: Automation) -> Response:
    reports = selectors.version_reports(automation, _day(request, "since"), _day(request, "until"))
    return Response([VersionSerializer(_report(report)).data for report in reports])


def one(automation: Automation, number: int) -> Response:
    reports = {report.version.number: report for report in selectors.version_reports(automation)}
    if number not in reports:
        raise Http404
    version = reports[number].version
    trigger = version.document["trigger"]
    flow = {"trigger_type": trigger["type"], "trigger_configuration": trigger["configuration"], **spelled(version)}
    counts = selectors.step_counts(version)
    whole = _report(reports[number]) | {"flow": flow, "steps": counts["steps"]}
    return Response(WholeVersionSerializer(whole).data)


def _report(report: VersionReport) -> dict[str, Any]:
    names = VersionSerializer().fields.keys() - {"number", "author", "created_at"}
    version = report.version
    own = {"number": version.number, "author": version.author, "created_at": version.created_at}
    return {name: getattr(report, name) for name in names} | own


def _day(request: Request, name: str) -> date | None:
    text = request.query_params.get(name)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"{name} is no day.", details={name: "must be a day such as 2026-11-22"}) from error
