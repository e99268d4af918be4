"""How senders stand right now: what pages, the health line, the banner and the API say about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.urls import reverse

from common import clock
from delivery import lanes
from delivery.domain import brakes, checkup, warmup
from delivery.models import LaneDay, Message, MessageStatus, PauseScope, SendingDomain, SendingPause, SlowLane
from delivery.services import domains, reputation, seating, warmups

COUNTED = 10_000
CHECK_TITLES = {name: title for name, title, _ in checkup.CHECKS}


@dataclass(frozen=True)
class Stop:
    """A pause that holds, and what to do about it."""

    pause: SendingPause
    advice: str
    recovers_at: datetime | None

    @property
    def title(self) -> str:
        return self.pause.target if self.pause.scope == PauseScope.DOMAIN else f"Campaign {self.pause.target}"

    @property
    def evidence(self) -> str:
        """The messages that came back, as a list."""
        became = "bounced" if self.pause.measure == "bounces" else "complained"
        day = self.pause.paused_at.date()
        words = f"left={day - timedelta(days=1)}_{day}&became={became}"
        if self.pause.scope == PauseScope.DOMAIN:
            return f"{message_list()}?{words}&from={self.pause.target}"
        return f"{message_list()}?{words}&source_type__exact=campaign&source_id={self.pause.target}"


def message_list() -> str:
    return reverse("admin:delivery_message_changelist")


def stops() -> list[Stop]:
    """Every pause that holds, the newest first."""
    return [_stop(pause) for pause in SendingPause.objects.filter(resumed_at=None).order_by("-paused_at", "-pk")]


def _stop(pause: SendingPause) -> Stop:
    recovers_at = None
    if pause.scope == PauseScope.DOMAIN:
        recovers_at = brakes.recovery_hint(pause.paused_at, reputation.earlier_pauses(pause))
    measure = brakes.BY_NAME.get(pause.measure)
    return Stop(pause, measure.advice if measure else "", recovers_at)


@dataclass(frozen=True)
class DomainStanding:
    """A sending domain as its card shows it. `per_day` is None when nothing limits it."""

    domain: SendingDomain
    per_day: int | None
    used: int
    waiting: int
    stop: Stop | None
    slow: list[SlowLane]
    needs: tuple[str, ...] = ()  # what the next step lacks at this moment

    @property
    def tier_text(self) -> str:
        if self.domain.tier is None:
            return "No limit a day"
        last = warmup.last_tier(self.domain.goal_per_day)
        return f"Step {self.domain.tier + 1} of {last + 1}"

    @property
    def next_text(self) -> str:
        """What the next promotion brings."""
        if self.domain.tier is None:
            return ""
        if self.domain.tier >= warmup.last_tier(self.domain.goal_per_day):
            return "the end of the warm-up"
        return f"{warmup.budget(self.domain.tier + 1, self.domain.goal_per_day):,} a day"

    @property
    def broken_text(self) -> str:
        return ", ".join(CHECK_TITLES.get(name, name) for name in self.domain.broken)

    @property
    def used_share(self) -> int:
        return min(100, round(100 * self.used / self.per_day)) if self.per_day else 0


def domain_standings() -> list[DomainStanding]:
    """Every sending domain of the organisation, by name."""
    rows = domains.all_domains()
    day = lanes.today(clock.now()).date
    used = dict(LaneDay.objects.filter(day=day, provider=seating.ALL).values_list("domain_id", "used"))
    slow = list(SlowLane.objects.filter(domain__in=rows))
    paused = {each.pause.target: each for each in stops() if each.pause.scope == PauseScope.DOMAIN}
    return [
        DomainStanding(
            row,
            None if row.tier is None else warmup.budget(row.tier, row.goal_per_day),
            used.get(row.pk, 0),
            _waiting(row) if row.tier is not None else 0,
            paused.get(row.name),
            [lane for lane in slow if lane.domain_id == row.pk],
            needs(row),
        )
        for row in rows
    ]


def _waiting(domain: SendingDomain) -> int:
    """How many wait for their turn, counted up to COUNTED."""
    queued = Message.objects.filter(status=MessageStatus.QUEUED)
    by_domain = Q(reason__startswith=f"{seating.WAITS}{domain.name} ")
    by_provider = Q(reason__startswith=seating.WAITS, reason__contains=f"{seating.SLOW}{domain.name},")
    return queued.filter(by_domain | by_provider)[:COUNTED].count()


def needs(domain: SendingDomain) -> tuple[str, ...]:
    """What the next step of a warm-up lacks at this moment."""
    record = progress(domain)
    if record is None or domain.tier is None:
        return ()
    return warmup.decide(domain.tier, domain.goal_per_day, record).needs


def progress(domain: SendingDomain) -> warmup.Record | None:
    """What a warming domain did on its step so far."""
    return warmups.record_of(domain, clock.now()) if domain.tier is not None else None


@dataclass(frozen=True)
class Warning:
    """One line for the banner on every page."""

    text: str
    link: str
    level: str


def warnings() -> list[Warning]:
    """What every colleague should see: marketing that stands still, and records that broke."""
    page = reverse("delivery:deliverability")
    found = [
        Warning(pause.reason, page, "critical")
        for pause in SendingPause.objects.filter(resumed_at=None).order_by("-paused_at")[:3]
    ]
    for domain in SendingDomain.objects.exclude(broken=[]).order_by("name")[:3]:
        titles = ", ".join(CHECK_TITLES.get(name, name) for name in domain.broken)
        text = f"{domain.name} no longer passes: {titles}."
        found.append(Warning(text, reverse("delivery:domain", args=[domain.pk]), "warning"))
    return found
