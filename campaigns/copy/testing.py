"""A line of the assistant against the wording of a person: two mails that differ in their subject alone."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts import actor
from campaigns.copy.features import plain
from campaigns.copy.writing import readable
from campaigns.models import CopyKind, CopyRequest, CopyTest, EmailTemplate
from campaigns.services import templates
from common.errors import Conflict
from experiments import services as experiments
from experiments.services import ArmDraft
from segments.patterns import meaning
from segments.rules import catalogue

CLICKED, LEFT, BOUGHT = "clicked", "left", "bought"
WINDOW_DAYS = 3  # nearly all clicks come within
# What decides, what explains, and what must not get worse. Machines' clicks make no event, so these are people's.
METRICS: list[dict[str, Any]] = [
    {"key": CLICKED, "name": "Clicked", "kind": "conversion", "event": "email_clicked", "role": "primary",
     "window_days": WINDOW_DAYS},
    {"key": "opened", "name": "Opened", "kind": "conversion", "event": "email_opened", "role": "secondary",
     "window_days": WINDOW_DAYS},
    {"key": LEFT, "name": "Unsubscribed", "kind": "conversion", "event": "email_unsubscribed", "role": "guardrail",
     "direction": "down", "window_days": 7},
]  # fmt: skip
SELF = "The wording it meets was proposed by the assistant, too: neither would be a person's."


def make(request: CopyRequest, variant: int) -> CopyTest:
    """An experiment between the template as it stands and a copy with the proposed subject; both are published.

    Made once per line: asked again, it is the same one. Raises `Conflict` where there is nothing to test, `Invalid`
    where the mail cannot be published.
    """
    with transaction.atomic():
        held = CopyRequest.objects.select_for_update().get(pk=request.pk)
        if (known := held.tests.filter(variant=variant).first()) is not None:
            return known
        template = _testable(held, variant)
        text: str = held.variants[variant]["text"]
        own = template.subject
        templates.publish_template(template)
        made = templates.duplicate_template(template)
        made = templates.update_template(made, {"subject": text, "name": f"{template.name}: {readable(text)}"[:200]})
        templates.publish_template(made)
        return _kept(held, variant, template, made, own)


def _testable(held: CopyRequest, variant: int) -> EmailTemplate:
    if held.kind != CopyKind.SUBJECT or held.template is None:
        raise Conflict("Only subjects of a template that is kept can be tested.", code="not_testable")
    if not 0 <= variant < len(held.variants):
        raise Conflict(f"The request has {len(held.variants)} lines, counted from 0.", code="unknown_variant")
    if not held.template.subject.strip() or plain(held.template.subject) == plain(held.variants[variant]["text"]):
        raise Conflict("Write a subject of your own first: a line is tested against it.", code="not_testable")
    return held.template


def _kept(held: CopyRequest, variant: int, template: EmailTemplate, made: EmailTemplate, own: str) -> CopyTest:
    text: str = held.variants[variant]["text"]
    experiment = experiments.create_experiment(
        {
            "name": f"Subject of {template.name}"[:200],
            "hypothesis": f"More people click with “{readable(text)}” than “{readable(own)}”. Nothing else differs.",
            "metrics": METRICS + _purchases(),
        },
        [
            ArmDraft("own", readable(own)[:200], is_control=True, payload={"template_id": template.pk}),
            ArmDraft("assistant", readable(text)[:200], payload={"template_id": made.pk}),
        ],
    )
    arms = {arm.key: arm for arm in experiment.arms.all()}
    return CopyTest.objects.create(
        request=held,
        variant=variant,
        experiment=experiment,
        own_arm=arms["own"],
        assistant_arm=arms["assistant"],
        own_text=own,
        assistant_text=text,
        exclusion=SELF if _is_ours(own) else "",
        made_by=actor.current().name[:200],
    )


def _purchases() -> list[dict[str, Any]]:
    """Whether people bought, where we know what buying is called."""
    event = meaning.purchase_event(catalogue.load())
    bought = {"key": BOUGHT, "name": "Bought", "kind": "conversion", "event": event, "role": "secondary",
              "window_days": 7}  # fmt: skip
    return [bought] if event else []


def _is_ours(own: str) -> bool:
    """Whether the assistant ever proposed this wording, letter case and blanks apart.

    Plan: the log of one organisation, once per test that somebody makes; the newest 5 000 questions.
    """
    wanted = plain(own).casefold()
    logged = CopyRequest.objects.order_by("-pk").values_list("variants", flat=True)[:5_000]
    return any(plain(each["text"]).casefold() == wanted for variants in logged for each in variants)
