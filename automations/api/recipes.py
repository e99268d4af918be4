"""`/api/v1/automations/recipes/`: ready workflows, and putting one in."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from automations import recipes
from automations.api import shapes
from automations.services import recipes as service
from common.api.shapes import StrictSerializer
from common.api.views import ApiView

NEED_TYPES = ["members", "member", "event", "url", "integer"]


class RecipeNeedSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """What only you know. A default is taken where you say nothing."""

    name = serializers.CharField()
    type = serializers.ChoiceField(choices=NEED_TYPES)
    label = serializers.CharField()  # type: ignore[assignment]
    help = serializers.CharField(allow_blank=True)
    required = serializers.BooleanField()  # type: ignore[assignment]
    default = serializers.JSONField(allow_null=True)  # type: ignore[assignment]


class RecipeSerializer(serializers.Serializer):  # type: ignore[type-arg]
    recipe = serializers.CharField(help_text="Its name for ever.")
    name = serializers.CharField()
    sentence = serializers.CharField()
    outline = serializers.ListField(child=serializers.CharField())
    needs = RecipeNeedSerializer(many=True)
    emails = serializers.ListField(child=serializers.CharField())
    segments = serializers.ListField(child=serializers.CharField())
    predictions = serializers.ListField(child=serializers.CharField())
    automation_id = serializers.IntegerField(allow_null=True, help_text="Where it is installed already.")


class RecipesAnswer(serializers.Serializer):  # type: ignore[type-arg]
    results = RecipeSerializer(many=True)


class InstallInput(StrictSerializer):
    recipe = serializers.CharField(max_length=100)
    answers = serializers.DictField(required=False, help_text='By name: {"team": [3, 4], "cart_url": "https://…"}.')


class InstallAnswer(serializers.Serializer):  # type: ignore[type-arg]
    automation_id = serializers.IntegerField()
    is_new = serializers.BooleanField(help_text="False: it was there, and nothing was written.")
    made = serializers.ListField(child=serializers.CharField())
    found = serializers.ListField(child=serializers.CharField(), help_text="There already, used as it is.")


def told(recipe: recipes.Recipe) -> dict[str, Any]:
    """A recipe as the API tells it, with its defaults in its words."""
    shown = recipes.filled(recipe, recipe.defaults)
    installed = service.present(recipe)
    return {
        "recipe": recipe.key,
        "name": recipe.name,
        "sentence": recipe.sentence,
        "outline": shown.outline,
        "needs": [
            {
                "name": need.name, "type": need.type, "label": need.label, "help": need.help,
                "required": need.default is None, "default": need.default,
            }
            for need in recipe.needs
        ],
        "emails": [mail.name for mail in shown.mails],
        "segments": [group.name for group in shown.segments],
        "predictions": [definition["name"] for definition in shown.predictions],
        "automation_id": installed.pk if installed else None,
    }  # fmt: skip


class RecipesView(ApiView):
    """Ready workflows."""

    resource = "automations"

    @extend_schema(responses=RecipesAnswer)
    def get(self, request: Request) -> Response:
        """What there is, what each needs to know, and whether it is installed."""
        return Response({"results": [told(recipe) for recipe in recipes.offered()]})

    @extend_schema(
        request=InstallInput,
        responses={201: InstallAnswer, 200: OpenApiResponse(InstallAnswer, description="It was there already.")},
    )
    def post(self, request: Request) -> Response:
        """Install one: its e-mails, segments and the workflow, switched off. What is there is never overwritten."""
        values = shapes.read(InstallInput, request)
        done = service.install(values["recipe"], values.get("answers", {}))
        answer = {
            "automation_id": done.automation.pk, "is_new": done.is_new, "made": done.made, "found": done.found,
        }  # fmt: skip
        return Response(answer, status=201 if done.is_new else 200)
