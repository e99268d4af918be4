"""Write, switch on and off, start and delete workflows."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils.text import slugify

from accounts import audit
from audience.models import Contact
from automations.models import INSIDE, Automation, AutomationRun, EntryRule
from automations.services import entries, holding, publishing, turns
from automations.services.entries import Entered, Entry
from automations.services.publishing import Draft
from common import clock, tenancy
from common.errors import Conflict, Invalid, NotFound
from delivery import services as delivery
from delivery.models import SourceType
from segments import services as segments

PLAIN_FIELDS = frozenset(
    {"name", "slug", "description", "is_active", "run_immediately", "weight", "shelf_hours", "holdout_percent"}
)
FLOW_FIELDS = frozenset(
    {
        "trigger_type",
        "trigger_configuration",
        "entry_rule",
        "entry_days",
        "entry_key",
        "goal_rule",
        "exit_rule",
        "actions",
    }
)
MOST_STARTED = 10_000
MOST_NAMED = 20


def create_automation(values: Mapping[str, Any]) -> Automation:
    """A new workflow with its first version. Raises `Invalid` with places, `Conflict` when the slug is taken."""
    _known(values)
    with transaction.atomic():
        automation = Automation(**{name: values[name] for name in PLAIN_FIELDS & values.keys()})
        automation.slug = automation.slug or slugify(automation.name)[:100]
        check_plain(automation)
        segments.lock_references()
        checked = publishing.check(_draft(values, {}))
        automation.trigger_type, automation.trigger_key = str(values.get("trigger_type")), checked.trigger_key
        with slug_is_free(automation.slug):
            automation.save()
        publishing.write_version(automation, checked)
        automation.save()
        hold_out(automation)
        audit.created(automation)
    return automation


def update_automation(automation: Automation, changes: Mapping[str, Any]) -> Automation:
    """Change a workflow. Another trigger, entry rule or steps make a new version, which new people enter;
    those inside stay on theirs. Raises as `create_automation` does."""
    _known(changes)
    with transaction.atomic():
        held = lock(automation.pk)
        was_active, was_weight = held.is_active, held.weight
        with audit.changing(held):
            for name in PLAIN_FIELDS & changes.keys():
                setattr(held, name, changes[name])
            check_plain(held)
            if FLOW_FIELDS & changes.keys():
                segments.lock_references()
                publishing.write_version(held, publishing.check(_draft(changes, _present(held))))
            held.updated_at = clock.now()
            if held.is_active and held.current_version is None:
                raise Conflict(f"“{held}” does nothing yet; publish its draft first.", code="never_published")
            with slug_is_free(held.slug):
                held.save()
        if held.weight != was_weight:
            AutomationRun.objects.filter(automation=held, status__in=INSIDE).update(weight=held.weight)
        hold_out(held)
        if held.is_active != was_active:
            turns.keep(held)
            holding.let_go(held) if held.is_active else holding.hold(held)
    return held


def activate(automation: Automation) -> Automation:
    """Switch it on: people enter, and those who were held go on where they stood."""
    return update_automation(automation, {"is_active": True})


def deactivate(automation: Automation) -> Automation:
    """Switch it off: nobody enters, those inside are held, and so are its messages that have not gone out."""
    return update_automation(automation, {"is_active": False})


def delete_automation(automation: Automation) -> None:
    """Delete a workflow with its runs; its messages that have not gone out are cancelled."""
    with transaction.atomic():
        held = lock(automation.pk)
        audit.deleted(held)
        delivery.cancel(SourceType.AUTOMATION, held.pk)
        with tenancy.engine(), connection.cursor() as cursor:
            for statement in DELETE_RUNS_SQL:
                cursor.execute(statement, [tenancy.required(), held.pk])
        held.delete()


# In sets, before Django's own cascade would read every row. The first waits for engines that are at work on them,
# so that the second finds every record.
DELETE_RUNS_SQL = (
    "SELECT count(*) FROM (SELECT 1 FROM automations_automationrun"
    " WHERE organization_id = %s AND automation_id = %s ORDER BY id FOR UPDATE) AS held",
    "DELETE FROM automations_steprun AS step_run USING automations_automationrun AS run"
    " WHERE run.organization_id = %s AND run.automation_id = %s AND step_run.run_id = run.id",
    "DELETE FROM automations_automationrun WHERE organization_id = %s AND automation_id = %s",
)


def start(
    automation: Automation, contact_ids: Sequence[int], *, cause: str = "", facts: Mapping[str, Any] | None = None
) -> list[Entered]:
    """Start these contacts in an active workflow, whatever its trigger; its entry rule holds.

    Returns the runs that came of it: contacts who are inside already, or were once where once is the rule, are
    not among them. Raises `Invalid` for contacts that do not exist and `Conflict` when it is switched off.
    """
    if not automation.is_active:
        raise Conflict(f"“{automation}” is switched off, so nobody can enter; switch it on first.", code="inactive")
    if len(contact_ids) > MOST_STARTED:
        raise Invalid(f"At most {MOST_STARTED:,} contacts can be started at once; send them in several requests.")
    wanted = set(contact_ids)
    missing = sorted(wanted - set(Contact.objects.filter(pk__in=wanted).values_list("pk", flat=True)))
    if missing:
        named = ", ".join(map(str, missing[:MOST_NAMED]))
        raise Invalid("Some contacts do not exist.", details={"contact_ids": f"there is no contact {named}"})
    cause = cause or f"manual:{uuid.uuid4()}"
    immediate = {automation.pk} if automation.run_immediately else set()
    with transaction.atomic():
        return entries.enter(
            [Entry(automation.pk, contact_id, cause, dict(facts or {})) for contact_id in sorted(wanted)],
            immediate=immediate,
        )


def lock(automation_id: int) -> Automation:
    """The automation as it stands now, held until the transaction ends; raises `NotFound`."""
    held = (
        Automation.objects.select_for_update(no_key=True, of=("self",))
        .select_related("current_version")
        .filter(pk=automation_id)
        .first()
    )
    if held is None:
        raise NotFound("There is no such automation any more.")
    return held


def _known(values: Mapping[str, Any]) -> None:
    unknown = sorted(values.keys() - PLAIN_FIELDS - FLOW_FIELDS)
    if unknown:
        raise Invalid("Some fields are unknown.", details=dict.fromkeys(unknown, "an automation has no such field"))


def check_plain(automation: Automation) -> None:
    """Check name, slug and limits; raises `Invalid` with places."""
    wrong = {}
    if not automation.name.strip() or len(automation.name) > 200:
        wrong["name"] = "must be 1 to 200 characters"
    if slugify(automation.slug) != automation.slug or not 1 <= len(automation.slug) <= 100:
        wrong["slug"] = "must be 1 to 100 of the characters a-z, 0-9, - and _"
    for name in ("weight", "shelf_hours", "holdout_percent"):
        try:
            automation._meta.get_field(name).clean(getattr(automation, name), automation)  # type: ignore[union-attr]
        except ValidationError as error:
            wrong[name] = " ".join(error.messages)
    if wrong:
        place, sentence = next(iter(wrong.items()))
        raise Invalid(f"{place}: {sentence}", details=wrong)


def hold_out(automation: Automation) -> None:
    """Delivery draws who is held out, when their message's turn comes."""
    name = f"Automation “{automation}”"
    delivery.set_holdout(SourceType.AUTOMATION, automation.pk, name, Decimal(automation.holdout_percent))


def _present(automation: Automation) -> dict[str, Any]:
    """The flow of the current version, for what a change leaves out."""
    from_version = publishing.spelled(automation.current_version) if automation.current_version else {}
    return {
        "trigger_type": automation.trigger_type,
        "trigger_configuration": automation.trigger_configuration,
        **from_version,
    }


def flow_of(automation: Automation, changes: Mapping[str, Any]) -> Draft:
    """The flow that these changes of the current one make, to be checked. Raises `Invalid` for what is no flow."""
    unknown = sorted(changes.keys() - FLOW_FIELDS)
    if unknown:
        raise Invalid("Some fields are unknown.", details=dict.fromkeys(unknown, "a flow has no such field"))
    return _draft(changes, _present(automation))


def _draft(values: Mapping[str, Any], present: Mapping[str, Any]) -> Draft:
    both = {"trigger_configuration": {}, "entry_rule": EntryRule.ONCE, "actions": []} | dict(present) | dict(values)
    if not isinstance(both.get("trigger_type"), str):
        raise Invalid("trigger_type: is missing", details={"trigger_type": "is missing; it says what starts it"})
    flow: dict[str, Any] = {name: both[name] for name in FLOW_FIELDS & both.keys()}
    return Draft(**flow | {"entry_rule": str(both["entry_rule"])})


@contextmanager
def slug_is_free(slug: str) -> Iterator[None]:
    """Turns the database's refusal of a second slug into a `Conflict` beside the field."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "one_automation_per_slug" not in str(error):
            raise
        sentence = f'There is already an automation with the slug "{slug}".'
        raise Conflict(sentence, code="slug_taken", details={"slug": sentence}) from error
