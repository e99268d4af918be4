"""A flow while somebody writes it: kept beside the version that people enter, and felt by nobody inside."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import transaction
from django.utils.text import slugify

from accounts import actor, audit
from accounts.models import AuditEntry
from automations.domain import tree
from automations.domain.tree import Problems
from automations.models import Automation
from automations.selectors.flows import FLOW, flow_of_version, sentences
from automations.services import publishing
from automations.services.automations import check_plain, hold_out, lock, slug_is_free
from automations.services.publishing import Draft
from common import clock
from common.errors import Conflict, Invalid

MOST_BYTES = 500_000
SITTING = timedelta(minutes=15)
DRAFTED = "draft"
SITTINGS = ("create", DRAFTED)
# What a workflow is before anybody said what starts it.
EMPTY: dict[str, Any] = {"trigger_type": "manual", "trigger_configuration": {}, "entry_rule": "once", "actions": []}
# A draft is kept with what it leaves out, so that publishing it takes a goal away that was there before.
LEFT_OUT: dict[str, Any] = EMPTY | {"entry_days": None, "entry_key": "", "goal_rule": None, "exit_rule": None}


@dataclass(frozen=True)
class Standing:
    """What an editor opens: the flow, and the token that it sends back with its changes."""

    flow: dict[str, Any]
    revision: str
    has_draft: bool
    version: int | None
    changed_at: datetime | None = None
    changed_by: str = ""


def standing(automation: Automation) -> Standing:
    """The draft, or the current version where there is none."""
    version = automation.current_version
    number = version.number if version else None
    if automation.draft is None:
        return Standing(flow_of_version(version) if version else EMPTY, f"v{number or 0}", False, number)
    last = _last_entry(automation)
    return Standing(
        {name: value for name, value in automation.draft.items() if value not in (None, "")},
        f"v{number or 0}.{_fingerprint(automation.draft)}",
        True,
        number,
        automation.updated_at,
        last.actor if last and last.action in SITTINGS else "",
    )


def read_draft(automation: Automation) -> dict[str, Any] | None:
    """The flow that waits to be published, in the API's words; None when there is none."""
    return None if automation.draft is None else dict(automation.draft)


def begin(*, flow: Mapping[str, Any] | None = None, **settings: Any) -> Automation:
    """A new workflow that nobody enters yet: its settings and a draft, no version. Raises `Invalid`, `Conflict`."""
    flow = dict(EMPTY if flow is None else flow)
    check_shape(flow)
    automation = Automation(
        **settings, draft=LEFT_OUT | flow, trigger_type=EMPTY["trigger_type"], trigger_key="manual"
    )
    automation.slug = automation.slug or free_slug(automation.name)
    check_plain(automation)
    with transaction.atomic():
        with slug_is_free(automation.slug):
            automation.save()
        hold_out(automation)
        audit.created(automation)
    return automation


def save_draft(
    automation: Automation, flow: Mapping[str, Any], *, expected_revision: str | None = None
) -> Automation:
    """Keep what was typed, finished or not; the version that people enter stays as it is.

    Raises `Invalid` for what is no flow at all, `Conflict` with the other state when somebody was quicker.
    """
    check_shape(flow)
    with transaction.atomic():
        held = lock(automation.pk)
        _expect(held, expected_revision)
        is_new_sitting = not _goes_on(held)
        before = audit.snapshot(held)
        held.draft, held.updated_at = LEFT_OUT | dict(flow), clock.now()
        held.save(update_fields=["draft", "updated_at"])
        if is_new_sitting:
            audit.record(DRAFTED, held, before=before, after=audit.snapshot(held))
    return held


def discard_draft(automation: Automation, *, expected_revision: str | None = None) -> Automation:
    """Throw the draft away: the flow is again what people enter. Raises `Conflict` where nothing was published."""
    with transaction.atomic():
        held = lock(automation.pk)
        _expect(held, expected_revision)
        if held.current_version is None:
            raise Conflict(
                f"“{held}” was never published, so there is nothing to go back to; delete the workflow instead.",
                code="never_published",
            )
        with audit.changing(held, "discard"):
            held.draft = None
            held.save(update_fields=["draft"])
    return held


def sketch(flow: Mapping[str, Any]) -> dict[str, Any]:
    """What a flow says and what is still wrong with it: `{"sentences", "problems": {place: sentence}}`; it reads."""
    try:
        check_shape(flow)
    except Invalid as error:
        nothing = {"trigger": "", "entry": "", "goal": "", "exit": "", "steps": {}}
        return {"sentences": nothing, "problems": error.details}
    problems = publishing.problems_of(as_draft(flow))
    return {"sentences": sentences(flow, problems), "problems": problems}


def as_draft(flow: Mapping[str, Any]) -> Draft:
    """A flow as publishing checks it."""
    known = {name: flow[name] for name in FLOW if name in flow}
    return Draft(**(EMPTY | known))


def check_shape(flow: Any) -> None:
    """Whether it is a flow that can be drawn, however unfinished. Raises `Invalid` with places."""
    problems = Problems()
    if not isinstance(flow, Mapping):
        raise Invalid("The flow must be an object with trigger_type and actions.")
    for key in sorted(flow.keys() - set(FLOW)):
        problems.add(str(key), f"unknown field; a flow has {', '.join(sorted(FLOW))}")
    if not isinstance(flow.get("trigger_type"), str):
        problems.add("trigger_type", "is missing; it says what starts it")
    if not isinstance(flow.get("trigger_configuration", {}), dict):
        problems.add("trigger_configuration", "must be an object")
    tree.read_actions(flow.get("actions", []), problems)
    if len(msgspec.json.encode(flow)) > MOST_BYTES:
        problems.add("actions", f"the flow is larger than {MOST_BYTES // 1000:,} kB")
    if problems:
        place, sentence = next(iter(problems.items()))
        raise Invalid(f"{place}: {sentence}", code="invalid_flow", details=dict(problems))


def free_slug(name: str) -> str:
    """A slug of the name that no workflow has yet."""
    wanted = slugify(name)[:90] or "workflow"
    taken = set(Automation.objects.filter(slug__startswith=wanted).values_list("slug", flat=True))
    return next(slug for slug in (wanted, *(f"{wanted}-{n}" for n in range(2, len(taken) + 3))) if slug not in taken)


def _expect(held: Automation, expected: str | None) -> None:
    now = standing(held)
    if expected is None or expected == now.revision:
        return
    who = now.changed_by or "Somebody"
    raise Conflict(
        f"{who} changed this workflow since you opened it. Nothing was saved.",
        code="version_conflict",
        details={"revision": f"It is {now.revision} now; you sent {expected}."},
    )


def _fingerprint(flow: Any) -> str:
    """Tells two states apart; the same words are the same state, whoever wrote them."""
    return hashlib.sha256(msgspec.json.encode(flow, order="sorted")).hexdigest()[:16]


def _last_entry(automation: Automation) -> AuditEntry | None:
    entries = AuditEntry.objects.filter(object_type=automation._meta.label_lower, object_id=str(automation.pk))
    return entries.order_by("-pk").first()


def _goes_on(held: Automation) -> bool:
    """Whether the same person typed into the draft a moment ago: one entry of the audit log tells a sitting."""
    last = _last_entry(held)
    return (
        held.draft is not None
        and last is not None
        and last.action in SITTINGS
        and last.actor == actor.current().name
        and last.happened_at > clock.now() - SITTING
    )
