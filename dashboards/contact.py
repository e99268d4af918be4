"""One contact: who they are, what they allowed, where they stand, and one timeline of everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.utils import timezone

from attribution.models import Conversion
from attribution.selectors.sums import organization_currency
from audience.message_events import MessageEvent, names_of
from audience.models import Consent, Contact, ContactPrediction, Event, Merge, PredictionDefinition, PredictionUnit
from automations.models import AutomationRun
from common import money
from dashboards.links import row
from delivery.models import Message
from segments.models import Membership

MOST = 50
# Written by our own rooms for what the timeline shows as a message already.
SHOWN_AS_MESSAGES = frozenset(names_of(MessageEvent.SENT))


@dataclass(frozen=True)
class Entry:
    """One line of the timeline. `facts` are name and value, as they came."""

    at: datetime
    icon: str
    title: str
    text: str = ""
    link: str = ""
    facts: list[tuple[str, object]] = field(default_factory=list)


@dataclass(frozen=True)
class Timeline:
    """Newest first. `older` is the moment to ask for the page before, or None at the beginning."""

    entries: list[Entry]
    older: datetime | None


def timeline(contact: Contact, before: datetime | None) -> Timeline:
    """The newest entries before a moment. Plan: each source by its contact index, at most MOST + 1 rows of each."""
    found = [entry for source in SOURCES for entry in source(contact, before)]
    found.sort(key=lambda entry: entry.at, reverse=True)
    # Days are the organisation's, which the middleware made the current zone.
    page = [replace(entry, at=timezone.localtime(entry.at)) for entry in found[:MOST]]
    return Timeline(page, page[-1].at if len(found) > MOST else None)


def _newest(queryset: Any, moment: str, before: datetime | None) -> Any:
    if before is not None:
        queryset = queryset.filter(**{f"{moment}__lt": before})
    return queryset.order_by(f"-{moment}")[: MOST + 1]


def _events(contact: Contact, before: datetime | None) -> Iterator[Entry]:
    rows = Event.objects.filter(contact=contact).exclude(definition__name__in=SHOWN_AS_MESSAGES)
    for event in _newest(rows.select_related("definition"), "happened_at", before):
        worth = money.show(event.value_minor, event.currency or "") if event.value_minor is not None else ""
        facts = [(name, value) for name, value in event.properties.items() if name != "message_id"]
        icon = "shopping_bag" if worth else "bolt"
        yield Entry(event.happened_at, icon, event.definition.name, worth, facts=facts)


def _messages(contact: Contact, before: datetime | None) -> Iterator[Entry]:
    rows = Message.objects.filter(contact=contact).select_related("content")
    for message in _newest(rows, "created_at", before):
        marks = [message.get_status_display()]
        marks += [
            f"{word} {moment:%-d %b %H:%M}"
            for word, moment in (("opened", message.opened_at), ("clicked", message.clicked_at))
            if moment
        ]
        # The words were made for this one contact when it went; here stands the template's own line.
        subject = message.content.subject
        title = subject if subject and "{" not in subject else message.content.name
        text = f"{', '.join(marks)}. {message.reason}".strip(" .")
        yield Entry(message.created_at, "mail", title, text, row("delivery.message", message.pk))


def _memberships(contact: Contact, before: datetime | None) -> Iterator[Entry]:
    rows = Membership.objects.filter(contact=contact).select_related("segment")
    for stay in _newest(rows, "entered_at", before):
        link = row("segments.segment", stay.segment_id)
        yield Entry(stay.entered_at, "donut_small", f"Entered “{stay.segment}”", link=link)
    for stay in _newest(rows.exclude(left_at=None), "left_at", before):
        link = row("segments.segment", stay.segment_id)
        yield Entry(stay.left_at, "donut_small", f"Left “{stay.segment}”", link=link)


def _runs(contact: Contact, before: datetime | None) -> Iterator[Entry]:
    rows = AutomationRun.objects.filter(contact=contact).select_related("automation")
    for run in _newest(rows, "entered_at", before):
        link = row("automations.automationrun", run.pk)
        yield Entry(run.entered_at, "account_tree", f"Entered “{run.automation}”", run.get_status_display(), link)


def _consents(contact: Contact, before: datetime | None) -> Iterator[Entry]:
    for consent in _newest(Consent.objects.filter(contact=contact).select_related("topic"), "happened_at", before):
        about = consent.topic or "all topics"
        title = f"{consent.get_channel_display()} {consent.get_state_display().lower()} for {about}"
        yield Entry(consent.happened_at, "verified_user", title, consent.how)


def _merges(contact: Contact, before: datetime | None) -> Iterator[Entry]:
    for merge in _newest(Merge.objects.filter(survivor=contact), "happened_at", before):
        yield Entry(merge.happened_at, "merge", "Found to be one person with another contact", merge.reason)


def _conversions(contact: Contact, before: datetime | None) -> Iterator[Entry]:
    rows = Conversion.objects.filter(contact=contact).select_related("goal")
    for made in _newest(rows.prefetch_related("credits__touchpoint"), "happened_at", before):
        shares = [
            f"{credit.touchpoint.get_channel_display()} {money.show(credit.amount_minor, made.currency)}"
            for credit in made.credits.all()
            if credit.model == "linear"
        ]
        text = f"Credited (linear): {', '.join(shares)}" if shares else "Credited to nobody: no touchpoint before it"
        title = f"{made.goal}: {money.show(made.net_minor, made.currency)}"
        yield Entry(made.happened_at, "flag", title, text, row("attribution.conversion", made.pk))


SOURCES: list[Callable[[Contact, datetime | None], Iterator[Entry]]] = [
    _events,
    _messages,
    _memberships,
    _runs,
    _consents,
    _merges,
    _conversions,
]


def consents(contact: Contact) -> list[Consent]:
    """The entry that counts now, per channel and topic."""
    rows = Consent.objects.filter(contact=contact).select_related("topic").order_by("happened_at", "pk")
    latest = {(consent.channel, consent.topic_id): consent for consent in rows}
    return list(latest.values())


@dataclass(frozen=True)
class Expected:
    """A prediction as people read it: its label, value and state."""

    label: str
    value: str
    row: ContactPrediction


def predictions(contact: Contact) -> list[Expected]:
    """What models expect of the contact, the fresh ones first."""
    known = {row.name: row for row in PredictionDefinition.objects.all()}
    rows = list(ContactPrediction.objects.filter(contact=contact).order_by("name"))
    rows.sort(key=lambda row: row.is_stale)
    return [
        Expected(known[row.name].label, _expected(row, known[row.name]), row) for row in rows if row.name in known
    ]


def _expected(row: ContactPrediction, known: PredictionDefinition) -> str:
    if known.unit == PredictionUnit.SCORE:
        return f"{100 * row.value:.0f} %"
    if known.unit == PredictionUnit.AMOUNT:
        return money.show(round(row.value), organization_currency())
    return f"{row.value.normalize():,f}"


def facts(contact: Contact) -> list[tuple[str, object]]:
    """What is known, standard fields first; empty ones are left out."""
    place = ", ".join(part for part in (contact.city, contact.region, contact.country) if part)
    worth = money.show(contact.value_minor, contact.currency) if contact.currency else ""
    found: list[tuple[str, object]] = [
        ("E-mail", contact.email),
        ("Phone", contact.phone),
        ("Customer number", contact.user_id),
        ("Status", contact.status.capitalize()),
        ("Priority", contact.get_priority_display()),
        ("Worth", worth),
        ("Lives in", place),
        ("Time zone", contact.timezone),
        ("Language", contact.locale),
        ("Source", contact.source),
        ("Assigned to", contact.assignee or ""),
        *sorted(contact.attributes.items()),
    ]
    return [(name, value) for name, value in found if value not in ("", None, [], {})]
