"""Ready workflows: what there is, and putting one in with one click."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from accounts.backends import allowed
from accounts.domain.roles import Role
from accounts.models import Member
from accounts.shell import page, render
from automations import recipes
from automations.models import Automation
from automations.recipes import Need, Recipe
from automations.services import recipes as service
from common.errors import Invalid

MOST_COLLEAGUES = 200
SUGGESTED = ("members", "member")  # whoever looks knows these people; the page proposes some


@dataclass(frozen=True)
class Card:
    """A recipe as the page shows it, in the words of its default answers."""

    recipe: Recipe
    installed: Automation | None

    @property
    def needs_answers(self) -> bool:
        return any(need.default is None and need.type not in SUGGESTED for need in self.recipe.needs)


@dataclass(frozen=True)
class Field:
    """A question and what stands in it: chosen members, or text."""

    need: Need
    text: str
    chosen: frozenset[int]
    problem: str


@page("automations")
def gallery(request: HttpRequest) -> HttpResponse:
    """Every recipe on a card."""
    context = {
        "title": "Recipes",
        "cards": [
            Card(recipes.filled(recipe, recipe.defaults), service.present(recipe)) for recipe in recipes.offered()
        ],
        "may_write": allowed(request.user, "automations", write=True),
    }
    return render(request, "automations/recipes.html", context)


@page("automations")
def install(request: HttpRequest, key: str) -> HttpResponse:
    """What a recipe does and asks; a POST installs it and leads to the workflow."""
    recipe = recipes.find(key)
    if recipe is None:
        raise Http404
    if request.method != "POST":
        return _form(request, recipe, _suggested(request, recipe), {})
    if not allowed(request.user, "automations", write=True):
        raise PermissionDenied
    answers = _answers(recipe, request.POST) if "answered" in request.POST else _suggested(request, recipe)
    answers |= {name: value for name, value in _answers(recipe, request.POST).items() if name in request.POST}
    try:
        done = service.install(key, answers)
    except Invalid as error:
        return _form(request, recipe, answers, error.details, error.message)
    if done.is_new:
        messages.success(request, f"Made {', '.join(done.made)}. Look it through, then switch it on.")
    else:
        messages.info(request, f"“{done.automation}” is installed already; nothing was changed.")
    return HttpResponseRedirect(reverse("admin:automations_automation_change", args=[done.automation.pk]))


def _suggested(request: HttpRequest, recipe: Recipe) -> dict[str, Any]:
    """Defaults; work goes to the agents, or, without agents, to whoever looks."""
    seats = Member.objects.filter(is_active=True)
    own = seats.filter(user_id=request.user.pk).values_list("pk", flat=True).first()
    agents = list(seats.filter(role=Role.AGENT).order_by("pk").values_list("pk", flat=True)[:MOST_COLLEAGUES])
    by_type: dict[str, Any] = {"members": agents or [own] * (own is not None), "member": own}
    return {need.name: by_type.get(need.type, need.default) for need in recipe.needs}


def _answers(recipe: Recipe, sent: QueryDict) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for need in recipe.needs:
        if need.type == "members":
            answers[need.name] = [_whole(text) for text in sent.getlist(need.name)]
        elif need.type in ("member", "integer"):
            answers[need.name] = _whole(sent.get(need.name, ""))
        else:
            answers[need.name] = sent.get(need.name, "")
    return answers


def _whole(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else text


def _form(
    request: HttpRequest, recipe: Recipe, answers: dict[str, Any], problems: dict[str, Any], message: str = ""
) -> HttpResponse:
    shown = recipes.filled(recipe, recipe.defaults)
    asked = {f"answers.{need.name}" for need in recipe.needs}
    context = {
        "title": recipe.name,
        "card": Card(shown, service.present(recipe)),
        "fields": [_field(need, answers.get(need.name), problems) for need in recipe.needs],
        "others": [f"{place}: {text}" for place, text in problems.items() if place not in asked],
        "message": message,
        "colleagues": Member.objects.filter(is_active=True).select_related("user").order_by("pk")[:MOST_COLLEAGUES],
        "may_write": allowed(request.user, "automations", write=True),
    }
    return render(request, "automations/recipe.html", context, status=400 if problems else 200)


def _field(need: Need, answer: Any, problems: dict[str, Any]) -> Field:
    listed = answer if isinstance(answer, list) else [answer]
    chosen = frozenset(each for each in listed if isinstance(each, int))
    text = "" if answer is None or isinstance(answer, list) else str(answer)
    return Field(need, text, chosen, str(problems.get(f"answers.{need.name}", "")))
