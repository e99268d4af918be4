"""Messages that speak of an offer in a workflow that gives none: nobody would ever get them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from django.db.models import Q, TextField
from django.db.models.functions import Cast

from automations.domain.tree import Problems, Step
from campaigns.domain.checks.values import printed_without_default
from campaigns.models import EmailTemplate
from delivery.models import Content

GIVES = "give_offer"


def check(steps: Collection[Step], problems: Problems) -> None:
    """Tell each step whose message prints `offer.…` without a default while no step gives one. One query, if any."""
    sending = [step for step in steps if step.is_active and isinstance(_template_of(step), int)]
    if not sending or any(step.is_active and step.type == GIVES for step in steps):
        return
    speaking = dict(_speaking({_template_of(step) for step in sending}))
    for step in sending:
        if name := speaking.get(_template_of(step)):
            sentence = f"this message says {name}, and no step of this workflow gives an offer"
            problems.add(f"{step.place}.configuration.template_id", sentence)


def _template_of(step: Step) -> Any:
    found = step.configuration.get("template_id") if isinstance(step.configuration, dict) else None
    return None if isinstance(found, bool) else found


def _speaking(template_ids: Iterable[int]) -> Iterator[tuple[int, str]]:
    """(template, the first value of an offer that it needs), as it is published."""
    says = Q(all_fields__contains="offer.")
    for place in ("subject", "preheader", "html", "text"):
        says |= Q(**{f"published__content__{place}__contains": "offer."})
    rows = EmailTemplate.objects.annotate(all_fields=Cast("published__content__fields", TextField()))
    for template in rows.filter(says, pk__in=list(template_ids)).select_related("published__content"):
        if template.published is not None and (name := _needed(template.published.content)):
            yield template.pk, name


def _needed(content: Content) -> str:
    texts = [content.subject, content.preheader, content.html, content.text, *_texts(content.fields)]
    for path in (path for text in texts for path in printed_without_default(text)):
        if path.startswith("offer.") and not {path, path.rpartition(".")[2]} & content.defaults.keys():
            return path
    return ""


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
