"""Who listens to whom, and who works which rows: the one page to read for the flow of the river."""

from __future__ import annotations

from functools import partial

from django.conf import settings

from accounts.notices import TimeZoneChanged
from attribution import services as attribution
from attribution import subscribers as attribution_subscribers
from audience import services as audience
from audience.notices import (
    ConsentRequested,
    ContactsChanged,
    EventsRecorded,
    PredictionsChanged,
    RewardsPromised,
)
from automations import requests as automation_requests
from automations import subscribers as automations
from automations.notices import StartAsked
from automations.selectors import due as automations_due
from automations.selectors import segment_uses as automation_segments
from automations.services import engine as automation_engine
from automations.services import scheduled as automation_schedule
from automations.services import turns as automation_turns
from automations.simulation import work as automation_simulations
from campaigns import services as campaigns
from campaigns import subscribers as campaigns_subscribers
from campaigns.auto import cycles as campaign_cycles
from campaigns.selectors import segment_uses as campaign_segments
from common import doorbell, outbox
from common.doorbell import Work
from common.outbox import Subscription
from delivery import selectors as delivery_selectors
from delivery import services as delivery
from delivery import subscribers as delivery_subscribers
from delivery.notices import MessageEngaged, MessagesSettled
from delivery.services import reports as delivery_reports
from delivery.services import reputation as delivery_reputation
from delivery.services import visits
from experiments import services as experiments
from experiments import subscribers as experiments_subscribers
from experiments.notices import ExperimentDecided
from integrations import selectors as integrations_selectors
from integrations import services as integrations
from integrations import subscribers as integrations_subscribers
from segments import subscribers as segments
from segments import uses as segment_uses
from segments.notices import MembershipChanged
from segments.patterns import analyses as segment_analyses
from segments.services import build as segment_builds
from segments.services import flips as segment_flips
from viral import subscribers as viral

LATER = "later_notices"  # books that may be a second behind, so that nobody waits for them
PATIENCE = 0.5

# notice → listeners, in the order the river flows
SUBSCRIPTIONS: list[Subscription] = [
    Subscription((ContactsChanged, EventsRecorded), "segments.audience", segments.on_audience_moved, takes_many=True),
    Subscription(
        MembershipChanged,
        "segments.memberships",
        segments.on_membership_changed,
        takes_many=True,
        hears=segments.hears_memberships,
    ),
    Subscription(TimeZoneChanged, "segments.zone", segments.on_zone_changed),
    Subscription(PredictionsChanged, "segments.predictions", segments.on_predictions_changed, takes_many=True),
    Subscription(
        EventsRecorded,
        "experiments.events",
        experiments_subscribers.on_events,
        LATER,
        hears=experiments_subscribers.hears_events,
    ),
    Subscription(
        ContactsChanged,
        "experiments.contacts",
        experiments_subscribers.on_contacts,
        LATER,
        hears=experiments_subscribers.hears_contacts,
    ),
    Subscription(ConsentRequested, "delivery.consents", delivery_subscribers.consent_requested),
    Subscription(ContactsChanged, "delivery.contacts", delivery_subscribers.contacts_changed, LATER),
    Subscription(ContactsChanged, "campaigns.contacts", campaigns_subscribers.contacts_changed, LATER),
    Subscription(ExperimentDecided, "campaigns.experiments", campaigns_subscribers.experiment_decided),
    Subscription(MessagesSettled, "campaigns.messages", campaigns_subscribers.messages_settled, LATER),
    Subscription(
        (MessagesSettled, MessageEngaged),
        "delivery.came_back",
        delivery_subscribers.on_what_comes_back,
        LATER,
        takes_many=True,
        hears=delivery_subscribers.hears_what_comes_back,
    ),
    Subscription(
        EventsRecorded, "automations.events", automations.on_events_recorded, hears=automations.hears_events
    ),
    Subscription(
        ContactsChanged, "automations.contacts", automations.on_contacts_changed, hears=automations.hears_contacts
    ),
    Subscription(
        MembershipChanged,
        "automations.memberships",
        automations.on_membership_changed,
        takes_many=True,
        hears=automations.hears_memberships,
    ),
    Subscription(
        PredictionsChanged,
        "automations.predictions",
        automations.on_predictions_changed,
        hears=automations.hears_predictions,
    ),
    Subscription(StartAsked, "automations.asked", automation_requests.on_start_asked),
    Subscription(EventsRecorded, "attribution.events", attribution_subscribers.on_events, LATER),
    Subscription(ContactsChanged, "attribution.contacts", attribution_subscribers.on_contacts, LATER),
    Subscription(
        MembershipChanged, "integrations.memberships", integrations_subscribers.on_membership_changed, LATER
    ),
    Subscription(ContactsChanged, "integrations.contacts", integrations_subscribers.on_contacts_changed, LATER),
    Subscription(EventsRecorded, "viral.events", viral.on_events, LATER),
    Subscription(RewardsPromised, "viral.promises", viral.on_promises, LATER),
    Subscription(ContactsChanged, "viral.contacts", viral.on_contacts, LATER),
]


def _batches_due() -> list[int]:
    return doorbell.organizations_with("audience_ingestbatch", "status = 'pending' AND run_at <= now()")


WORK: list[Work] = [
    Work("ingest", "river", audience.process, _batches_due, is_repeatable=True),
    Work("notices", "river", outbox.deliver, partial(outbox.organizations_due, "notices"), is_repeatable=True),
    Work(
        LATER, "default", outbox.deliver_later, partial(outbox.organizations_due, LATER), PATIENCE, is_repeatable=True
    ),
    Work("flips", "river", segment_flips.run, segment_flips.organizations_due, is_repeatable=True),
    Work("automation_runs", "river", automation_engine.run, automations_due.runs, is_repeatable=True),
    Work(automation_turns.WORK, "river", automation_turns.run, automations_due.turns),
    Work("scheduled_tasks", "river", automation_schedule.run, automations_due.scheduled_tasks),
    Work("campaign_runs", "river", campaigns.work, campaigns.organizations_due),
    Work("messages", "delivery", delivery.send_due, delivery_selectors.organizations_due),
    Work("reputation", "default", delivery_reputation.run, delivery_reputation.organizations_due, PATIENCE),
    Work(delivery_reports.WORK, "default", delivery_reports.work, delivery_reports.organizations_due),
    Work("visits", "river", visits.work, visits.organizations_due, settings.VISIT_PATIENCE_SECONDS),
    Work("outcomes", "default", experiments.work, experiments.organizations_due, PATIENCE, is_repeatable=True),
    Work("credits", "default", attribution.work, attribution.organizations_due, PATIENCE, is_repeatable=True),
    Work("audience_pushes", "default", integrations.work, integrations.organizations_due, PATIENCE),
    Work("segment_builds", "default", segment_builds.run, segment_builds.organizations_due),
    Work(campaign_cycles.WORK, "default", campaign_cycles.work, campaign_cycles.organizations_due),
    Work(
        automation_simulations.WORK, "default", automation_simulations.run, automation_simulations.organizations_due
    ),
    Work("analyses", "default", segment_analyses.run, segment_analyses.organizations_due),
]


# who would lose a segment that is deleted
SEGMENT_USES: list[segment_uses.Finder] = [
    campaign_segments.uses,
    automation_segments.uses,
    integrations_selectors.uses,
]


def connect() -> None:
    """Hand the tables to the ground. Called once at start-up."""
    outbox.wire(SUBSCRIPTIONS)
    doorbell.wire(WORK)
    segment_uses.wire(SEGMENT_USES)
