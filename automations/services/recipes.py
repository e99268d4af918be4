"""Put a recipe into the organisation: its predictions, segments, mails, and the workflow, switched off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import connection, transaction

from accounts.models import Member
from audience import services as audience
from audience.models import PredictionDefinition
from automations import recipes
from automations.models import Automation
from automations.recipes import Need, Recipe, mails
from automations.services import automations
from campaigns import services as campaigns
from campaigns.models import EmailTemplate
from common import tenancy
from common.errors import Invalid, NotFound
from segments import services as segments
from segments.models import Segment

MOST_MEMBERS = 200
LONGEST = 500
LONGEST_EVENT = 200


@dataclass
class Installed:
    """What came of it: `made` and `found` are what was written and what was there already, in words."""

    automation: Automation
    is_new: bool
    made: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)


def install(key: str, answers: Mapping[str, Any]) -> Installed:
    """Make everything that a recipe needs and is not there yet; the workflow is switched off.

    What is there already (by its slug) is used as it is and never overwritten; a workflow that is there makes the
    second call write nothing. Raises `NotFound`, and `Invalid` by the place of an answer (`answers.team`).
    """
    recipe = recipes.find(key)
    if recipe is None:
        known = ", ".join(recipes.ORDER)
        raise NotFound(f'There is no recipe "{key}"; known: {known}.')
    said = _checked(recipe, answers)
    with transaction.atomic():
        _one_at_a_time(key)
        recipe = recipes.filled(recipe, said)
        present = Automation.objects.filter(slug=recipe.slug).first()
        if present is not None:
            return Installed(present, False, [], [f"the workflow “{present}”"])
        return _make(recipe)


def present(recipe: Recipe) -> Automation | None:
    """The workflow that came of a recipe with its default answers, when it is installed."""
    return Automation.objects.filter(slug=recipes.filled(recipe, recipe.defaults).slug).first()


def _one_at_a_time(key: str) -> None:
    """Of two clicks the second waits, and finds what the first has made."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [tenancy.required(), f"recipe:{key}"])


def _make(recipe: Recipe) -> Installed:
    made: list[str] = []
    found: list[str] = []
    known: dict[str, Any] = {}
    for definition in recipe.predictions:
        is_new = not PredictionDefinition.objects.filter(name=definition["name"]).exists()
        if is_new:
            audience.define_prediction(**definition)
        (made if is_new else found).append(f"the prediction “{definition['label']}”")
    for group in recipe.segments:
        segment = Segment.objects.filter(slug=group.slug).first()
        (made if segment is None else found).append(f"the segment “{group.name}”")
        segment = segment or segments.create_segment(
            name=group.name, slug=group.slug, description=group.description, rule=group.rule
        )
        known[f"segment.{group.key}"] = segment.pk
    for mail in recipe.mails:
        slug = recipe.mail_slug(mail)
        template = EmailTemplate.objects.filter(slug=slug).first()
        (made if template is None else found).append(f"the e-mail “{mail.name}”")
        template = template or campaigns.create_template(mails.values(mail, slug))
        known[f"mail.{mail.key}"] = template.pk
    values = recipes.fill(recipe.automation, known) | {"slug": recipe.slug, "is_active": False}
    automation = automations.create_automation({"description": recipe.sentence} | values)
    return Installed(automation, True, [*made, f"the workflow “{automation}”"], found)


# --- answers -----------------------------------------------------------------------------------------


def _checked(recipe: Recipe, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Every need answered, by its default where nothing is said. Raises `Invalid` with every place."""
    names = {need.name for need in recipe.needs}
    wrong = {f"answers.{name}": "the recipe asks no such thing" for name in sorted(answers.keys() - names)}
    said: dict[str, Any] = {}
    for need in recipe.needs:
        answer = answers.get(need.name)
        answer = need.default if answer in (None, "", []) else answer
        try:
            said[need.name] = _answer(need, answer)
        except ValueError as problem:
            wrong[f"answers.{need.name}"] = str(problem)
    if wrong:
        place, sentence = next(iter(wrong.items()))
        raise Invalid(f"{place}: {sentence}", code="invalid_answers", details=wrong)
    return said


def _answer(need: Need, answer: Any) -> Any:
    if answer is None:
        raise ValueError(f"is needed: {need.label[:1].lower()}{need.label[1:]}")
    if need.type == "members":
        return _members(answer)
    if need.type == "member":
        return _members([answer])[0]
    if need.type == "integer":
        return _number(need, answer)
    if need.type == "url":
        return _address(answer)
    if not isinstance(answer, str) or not 1 <= len(answer.strip()) <= LONGEST_EVENT or "\0" in answer:
        raise ValueError(f"must be the name of an event, 1 to {LONGEST_EVENT} characters")
    return answer.strip()


def _members(answer: Any) -> list[int]:
    if not isinstance(answer, list) or not 1 <= len(answer) <= MOST_MEMBERS:
        raise ValueError(f"must be a list of 1 to {MOST_MEMBERS} members' ids")
    if any(isinstance(each, bool) or not isinstance(each, int) for each in answer):
        raise ValueError("must be members' ids, which are whole numbers")
    known = set(Member.objects.filter(pk__in=answer, is_active=True).values_list("pk", flat=True))
    for member_id in answer:
        if member_id not in known:
            raise ValueError(f"there is no active member {member_id}")
    return list(dict.fromkeys(answer))


def _number(need: Need, answer: Any) -> int:
    is_whole = isinstance(answer, int) and not isinstance(answer, bool)
    if not is_whole or not need.minimum <= answer <= need.maximum:
        raise ValueError(f"must be a whole number from {need.minimum:,} to {need.maximum:,}")
    return int(answer)


def _address(answer: Any) -> str:
    try:
        if not isinstance(answer, str) or len(answer) > LONGEST or "\0" in answer:
            raise ValidationError("")
        URLValidator(schemes=["https", "http"])(answer.strip())
    except ValidationError as error:
        raise ValueError("must be an address such as https://shop.example/cart") from error
    return answer.strip()
