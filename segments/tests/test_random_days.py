"""Random rules live through random days: late, present and future events, clock moves, merges and deletions.

After every step the stored membership is what the naive oracle says, and every check lies ahead; in the end a full
build changes nothing.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Organization
from audience.models import Contact
from audience.notices import ContactsChanged, ContactsMerged
from common import clock, outbox, tenancy
from segments import services
from segments.models import FlipCheck, Membership, Segment, SegmentStatus
from segments.tests import oracle, people, random_behaviours, test_oracle
from segments.tests.oracle import Happening, Person
from segments.tests.people import NOON

CASES = int(os.environ.get("SEGMENT_DAYS", "5"))
STEPS = 5
Drain = Callable[[], int]
FIELDS = {"city": "", "status": "new", "tags": [], "value_minor": 0, "last_seen_at": NOON}


class World:
    """Some people, some segments, and what has happened to them so far."""

    def __init__(self, rules: list[dict[str, Any]], seed: int) -> None:
        self.draw = random.Random(seed)
        self.people: dict[int, Person] = {}
        for name in random_behaviours.EVENTS:
            people.definition(name, total="number", sku="text", gift="boolean")
        for _ in range(8):
            row = people.contact(**FIELDS)
            self.people[row.pk] = Person(dict(FIELDS), {}, [])
        self.happen(NOON, 25)
        self.rules = {
            services.create_segment(name=f"S{number}", rule=rule).pk: rule for number, rule in enumerate(rules)
        }

    def happen(self, now: datetime, count: int) -> None:
        """A batch of events: most of them late, some of them dated ahead."""
        rows = []
        for _ in range(count):
            pk = self.draw.choice(sorted(self.people))
            hours = self.draw.choice([-24 * 30, -24 * 8, -24 * 7, -25, -24, -1, 0, 0, 1, 24])
            name, properties = self.draw.choice(random_behaviours.EVENTS), test_oracle._properties(self.draw)
            event = Happening(name, now + timedelta(hours=hours), properties)
            self.people[pk].events.append(event)
            rows.append((pk, event.name, event.at, event.properties))
        people.tell_events(*people.events(rows))

    def merge(self) -> None:
        """Two become one: the merged has no events of its own any more."""
        if len(self.people) < 3:
            return
        survivor, merged = self.draw.sample(sorted(self.people), 2)
        self.people[survivor].events += self.people.pop(merged).events
        with tenancy.engine(), connection.cursor() as cursor:
            cursor.execute("UPDATE audience_event SET contact_id = %s WHERE contact_id = %s", [survivor, merged])
        Contact.objects.filter(pk=merged).update(merged_into=survivor)
        outbox.publish(ContactsChanged(merged=[ContactsMerged(merged_id=merged, survivor_id=survivor)]))

    def check(self, now: datetime) -> None:
        for segment_id, rule in self.rules.items():
            told = {pk for pk, who in self.people.items() if oracle.is_true(rule, who, now, test_oracle.KINDS)}
            assert inside(segment_id) == told, (rule, now)
        checks = dict(FlipCheck.objects.values_list("pk", "flips_at"))
        assert all(flips_at > now for flips_at in checks.values())


def inside(segment_id: int) -> set[int]:
    return set(Membership.objects.filter(segment_id=segment_id, left_at=None).values_list("contact_id", flat=True))


RULES = st.lists(
    random_behaviours.rules(test_oracle.FILTER)
    | st.fixed_dictionaries(
        {
            "match": st.sampled_from(["all", "any", "none"]),
            "rules": st.lists(random_behaviours.rules(test_oracle.FILTER), min_size=2, max_size=3),
        }
    ),
    min_size=6,
    max_size=6,
)


def test_membership_follows_random_days(organization: Organization, drain: Drain) -> None:
    @settings(
        max_examples=CASES, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(rules=RULES, seed=st.integers(0, 2**32))
    def live(rules: list[dict[str, Any]], seed: int) -> None:
        with transaction.atomic():
            _live(World(rules, seed), drain)
            transaction.set_rollback(True)

    live()


def _live(world: World, drain: Drain) -> None:
    now = NOON
    with clock.freeze(now):
        drain()
        world.check(now)
    for _ in range(STEPS):
        now += world.draw.choice([timedelta(), timedelta(hours=1), timedelta(hours=25), timedelta(days=7)])
        with clock.freeze(now):
            drain()
            world.check(now)
            world.happen(now, world.draw.randint(1, 4))
            if world.draw.random() < 0.2:
                world.merge()
            drain()
            world.check(now)
    with clock.freeze(now):
        before = set(Membership.objects.values_list("pk", "left_at"))
        assert set(Segment.objects.values_list("status", flat=True)) == {SegmentStatus.READY}
        for segment_id in world.rules:
            services.rebuild(segment_id)
        assert set(Membership.objects.values_list("pk", "left_at")) == before
