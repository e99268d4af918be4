"""The messages of a simulation: what would have been written, to whom, and what would have kept it from going."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection

from audience.models import MessageChannel
from automations.domain import tree
from automations.simulation.admitting import Wave
from automations.simulation.flow import Flow, settings_of
from automations.simulation.policy import CAPPED, EXPIRED, WENT, Fate, Planned, QuietHours, Recipient, quiet_hours
from automations.simulation.tally import Days
from automations.simulation.walker import EXIT_RULE, GOAL
from campaigns.models import EmailTemplate
from common import clock, tenancy
from common.later import later
from common.moments import EPOCH, moment, span_micros
from delivery.domain import quiet
from delivery.domain.caps import Cap
from delivery.models import MessageKind
from delivery.models import QuietHours as QuietHoursRow
from delivery.services import policy
from delivery.services.policy import limits
from delivery.services.policy.judge import DRAW

if TYPE_CHECKING:
    import numpy as np
else:
    np = later("numpy")

BLOCK = 10_000
MARGIN = timedelta(days=9)  # how far beyond the end quiet hours are known

# Messages that nobody wrote, one per contact and template, for delivery's own statement about who may be written to.
IMAGINED = """
SELECT wanted.id, wanted.contact_id, 0::bigint AS content_id, %(now)s::timestamptz AS run_at, wanted.channel,
       wanted.kind, 'automation'::text AS source_type, 0::bigint AS source_id, NULL::bigint AS topic_id,
       ''::text AS address, 20 AS weight, 2 AS priority, NULL::timestamptz AS expires_at
  FROM unnest(%(ids)s::bigint[], %(contacts)s::bigint[], %(channels)s::text[], %(kinds)s::text[])
       AS wanted(id, contact_id, channel, kind)
"""
STANDING_SQL = "SELECT id, refusal, timezone, coalesce(frequency, '') FROM ({standing}) AS standing"
HELD_OUT_SQL = f"""
SELECT standing.contact_id FROM unnest(%(contacts)s::bigint[]) AS standing(contact_id)
 WHERE EXISTS (
       SELECT 1 FROM unnest(%(draw_types)s::text[], %(draw_sources)s::bigint[], %(draw_salts)s::text[],
                            %(draw_shares)s::int[]) AS draw(source_type, source_id, salt, share)
        WHERE (draw.source_type = '' OR draw.source_type = 'automation' AND draw.source_id = %(automation)s)
          AND {DRAW} < draw.share)
"""
# What really went in that time. The workflow's own messages are left out: the simulated ones stand in their place.
# Plan: per contact a range of messages_against_caps.
REAL_SQL = """
SELECT before.contact_id, before.kind, before.channel, before.topic_id, before.claimed_at
  FROM delivery_message AS before
 WHERE before.organization_id = %(organization)s AND before.contact_id = ANY(%(contacts)s)
   AND before.claimed_at > %(since)s AND before.claimed_at <= %(until)s
   AND before.kind <> 'transactional' AND before.source_type <> 'test'
   AND before.status IN ('sending', 'sent', 'uncertain')
   AND NOT (before.source_type = 'automation' AND before.source_id = %(automation)s)
"""


@dataclass(frozen=True)
class Template:
    """What a sending step sends."""

    id: int
    name: str
    channel: str
    kind: str

    @property
    def channel_label(self) -> str:
        """The channel in a reader's words."""
        return str(MessageChannel(self.channel).label)


@dataclass(frozen=True)
class Judged:
    """What would become of one message: empty `reason`, it goes at `at`; else why it does not."""

    reason: str
    at: datetime
    was_quiet: bool = False


@dataclass
class MessageTally:
    """Messages by step, channel, day and fate."""

    days: Days
    planned: int = 0
    by_step: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    reasons: Counter[str] = field(default_factory=Counter)
    was_quiet: int = 0
    waited_for_room: int = 0
    went_per_day: dict[str, Any] = field(default_factory=dict)
    planned_by_channel: Counter[str] = field(default_factory=Counter)
    went_by_channel: Counter[str] = field(default_factory=Counter)


def templates(flow: Flow) -> dict[str, Template]:
    """Step id → template, of the steps that send one."""
    wanted = {
        step.id: settings.template_id
        for step in tree.walk(flow.steps)
        if step.type.startswith("send_") and getattr(settings := settings_of(step), "template_id", None)
    }
    rows = EmailTemplate.objects.filter(pk__in=wanted.values()).in_bulk()
    return {
        step_id: Template(row.pk, row.name, row.channel, row.kind)
        for step_id, template_id in wanted.items()
        if (row := rows.get(template_id)) is not None
    }


class Post:
    """Judges the messages of one simulation, block by block; of one block all messages of a contact."""

    def __init__(
        self, flow: Flow, since: datetime, until: datetime, tally: MessageTally, *, remembers: bool = False
    ) -> None:
        self.flow, self.since, self.until, self.tally = flow, since, until, tally
        self.templates = templates(flow)
        self.policy = policy.current()
        self.caps = policy.caps(self.policy)
        self.windows = list(QuietHoursRow.objects.all())
        self.home = limits.home()
        self._hours: dict[tuple[str, str], QuietHours] = {}
        # With `remembers`: (step, when it was written) → what became of it. For a single contact.
        self.remembers = remembers
        self.by_place: dict[tuple[str, int], Judged] = {}

    def judge(self, waves: Sequence[Wave]) -> None:
        """Count what would have become of every message of these turns."""
        rows = list(self._rows(waves))
        if not rows:
            return
        standing = self._standing(sorted({(contact, step) for contact, _, step in rows}))
        held_out = self._held_out(sorted({contact for contact, _, _ in rows}))
        by_contact: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for contact, at, step in rows:
            self.tally.planned += 1
            self.tally.planned_by_channel[self.templates[step].channel] += 1
            refusal = standing[contact, step][0]
            is_limited = self.templates[step].kind != MessageKind.TRANSACTIONAL
            if refusal or (is_limited and contact in held_out):
                self._refused(step, at, refusal or policy.HELD_OUT)
            elif not is_limited:
                self._went(step, at, Fate(WENT, at))
            else:
                by_contact[contact].append((at, step))
        self._limited(by_contact, standing)

    def _rows(self, waves: Sequence[Wave]) -> Iterator[tuple[int, int, str]]:
        for wave in waves:
            for passage in wave.walk.passages:
                if passage.step.id not in self.templates:
                    continue
                keep = wave.is_admitted[passage.who] & ~np.isin(passage.way, (GOAL, EXIT_RULE))
                contacts = wave.walk.travellers.contact[passage.who[keep]]
                for contact, at in zip(contacts.tolist(), passage.at[keep].tolist(), strict=True):
                    yield contact, at, passage.step.id

    def _standing(self, pairs: Sequence[tuple[int, str]]) -> dict[tuple[int, str], tuple[str, str, str]]:
        """(contact, step) → why nothing may go there at all, the contact's zone, its own rhythm."""
        found: dict[tuple[int, str], tuple[str, str, str]] = {}
        for start in range(0, len(pairs), BLOCK):
            block = pairs[start : start + BLOCK]
            values = policy.standing_parameters(list(range(len(block))), self.policy, clock.now()) | {
                "contacts": [contact for contact, _ in block],
                "channels": [str(self.templates[step].channel) for _, step in block],
                "kinds": [str(self.templates[step].kind) for _, step in block],
            }
            statement = STANDING_SQL.format(standing=policy.standing_sql(IMAGINED))
            for place, refusal, zone, frequency in _ask(statement, values):
                found[block[place]] = refusal, zone, frequency
        return found

    def _held_out(self, contacts: list[int]) -> set[int]:
        draws = limits.holdout_parameters(clock.now())
        if not draws["draw_ids"]:
            return set()
        values = draws | {"contacts": contacts, "automation": self.flow.automation_id}
        return {row[0] for row in _ask(HELD_OUT_SQL, values)}

    def _limited(
        self,
        by_contact: Mapping[int, list[tuple[int, str]]],
        standing: Mapping[tuple[int, str], tuple[str, str, str]],
    ) -> None:
        """Quiet hours and caps, contact by contact."""
        recipients = self._recipients(list(by_contact))
        for contact, turns in by_contact.items():
            _, zone, frequency = standing[contact, turns[0][1]]
            recipient = recipients.get(contact) or Recipient(())
            recipient.caps = [*self.caps, *_own_caps(frequency)]
            planned = [self._planned(place, at, step) for place, (at, step) in enumerate(turns)]
            hours = {each.channel: self._quiet(zone, each.channel) for each in planned}
            for place, fate in recipient.judge(planned, hours).items():
                self._settled(turns[place][1], turns[place][0], fate)

    def _recipients(self, contacts: list[int]) -> dict[int, Recipient]:
        """Those to whom something really went in that time."""
        reach = max((cap.reach for cap in self.caps), default=timedelta())
        reach = max(reach, timedelta(hours=max(policy_hours for policy_hours in limits.OWN_CAPS.values())))
        values = {
            "organization": tenancy.required(),
            "contacts": contacts,
            "since": self.since - reach,
            "until": self.until,
            "automation": self.flow.automation_id,
        }
        found: dict[int, Recipient] = {}
        for contact, kind, channel, topic_id, at in _ask(REAL_SQL, values):
            found.setdefault(contact, Recipient(())).went(kind, channel, topic_id, span_micros(at - EPOCH))
        return found

    def _planned(self, place: int, at: int, step: str) -> Planned:
        shelf = self.flow.shelf_hours
        template = self.templates[step]
        ends = at + span_micros(timedelta(hours=shelf)) if shelf else 0
        return Planned(at, str(template.kind), str(template.channel), None, place, ends)

    def _quiet(self, zone: str, channel: str) -> QuietHours:
        if (zone, channel) not in self._hours:
            where = quiet.zone(zone) or quiet.zone(self.home)
            assert where is not None
            spans = limits.windows(self.policy, channel, self.windows)
            self._hours[zone, channel] = quiet_hours(self.since, self.until + MARGIN, where, spans)
        return self._hours[zone, channel]

    def _settled(self, step: str, at: int, fate: Fate) -> None:
        self.tally.was_quiet += fate.was_quiet
        self.tally.waited_for_room += fate.waited_for_room
        if fate.how == WENT:
            self._went(step, at, fate)
        else:
            self._refused(step, at, policy.EXPIRED if fate.how == EXPIRED else f"{policy.OVER_CAP}.", CAPPED)

    def _refused(self, step: str, at: int, reason: str, way: str = "refused") -> None:
        if self.remembers:
            self.by_place[step, at] = Judged(reason, moment(at))
        self.tally.reasons[reason] += 1
        self.tally.by_step[step][way] += 1

    def _went(self, step: str, at: int, fate: Fate) -> None:
        if self.remembers:
            self.by_place[step, at] = Judged("", moment(fate.at), fate.was_quiet)
        channel = self.templates[step].channel
        self.tally.by_step[step][WENT] += 1
        self.tally.went_by_channel[channel] += 1
        self.tally.went_per_day.setdefault(channel, []).append(fate.at)


def _own_caps(frequency: str) -> list[Cap]:
    hours = {str(name): hours for name, hours in limits.OWN_CAPS.items()}.get(frequency)
    return [Cap(MessageKind.MARKETING, most=1, per_hours=hours)] if hours else []


def _ask(statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
