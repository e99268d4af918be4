"""Random rules live through random days: events late and ahead, changed fields, consent, predictions, clock moves and
merges.

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
from audience import services as audience
from audience.models import Contact
from audience.notices import ContactsChanged, ContactsMerged
from common import clock, outbox, tenancy
from segments import services
from segments.models import FlipCheck, Membership, Segment, SegmentStatus
from segments.tests import oracle, people, random_behaviours, random_fields, test_oracle
from segments.tests.oracle import Happening, Person
from segments.tests.people import NOON

CASES = int(os.environ.get("SEGMENT_DAYS", "5"))
STEPS = 5
Drain = Callable[[], int]
FIELDS = {
    "city": "", "status": "new", "tags": [], "value_minor": 0, "last_seen_at": NOON, "first_seen_at": NOON,
    "timezone": "",
}  # fmt: skip
CHANGES: dict[str, list[Any]] = {
    "city": ["", *random_fields.WORDS],
    "status": ["new", "pro"],
    "tags": [[], ["pro"], ["free", "a_b"]],
    "value_minor": [0, 5, 50],
    "first_seen_at": [NOON, NOON - timedelta(days=365), NOON + timedelta(hours=30)],
    "timezone": random_fields.ZONES,
    "attributes.plan": random_fields.WORDS,
    "attributes.renews": [*random_fields.DATES, *random_fields.BIRTHDAYS, "2026-02-31", None],
    "attributes.likes": [["pro"], ["free", "Zoë", 5], [], "pro"],
}


class World:
    """Some people, some segments, and what has happened to them so far."""

    def __init__(self, rules: list[dict[str, Any]], seed: int) -> None:
        self.draw = random.Random(seed)
        self.people: dict[int, Person] = {}
        for name in random_behaviours.EVENTS:
            people.definition(name, total="number", sku="text", gift="boolean", due="date")
        for name, kind in test_oracle.KINDS.items():
            if name.startswith("attributes."):
                people.attribute(name.removeprefix("attributes."), kind)
        test_oracle.define_predictions()
        for _ in range(8):
            row = people.contact(**FIELDS)
            self.people[row.pk] = Person(dict(FIELDS), {}, [], row.pk)
        self.happen(NOON, 25)
        self.rules: dict[int, dict[str, Any]] = {}
        made = [self.make(rule) for rule in rules]
        inner = [{"segment": pk, "operator": self.draw.choice(["in", "not_in"])} for pk in made[:3]]
        outer = self.make({"match": "at_least", "count": self.draw.randint(1, 3), "rules": inner})
        self.make({"match": "any", "rules": [{"segment": outer, "operator": "not_in"}, rules[-1]]})

    def make(self, rule: dict[str, Any]) -> int:
        pk = services.create_segment(name=f"S{len(self.rules)}", rule=rule).pk
        self.rules[pk] = rule
        return pk

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

    def change(self) -> None:
        """Somebody moves house, learns, or says what they think of messages."""
        pk, name = self.draw.choice(sorted(self.people)), self.draw.choice([*CHANGES, "consent", "prediction"])
        who = self.people[pk]
        if name == "prediction":
            test_oracle.predict(who, self.draw, clock.now())
            return
        if name == "consent":
            channel, state = self.draw.choice(["email", "sms"]), self.draw.choice(["granted", "withdrawn"])
            say = audience.grant_consent if state == "granted" else audience.withdraw_consent
            say([pk], channel, None, "form")
            who.consents.append((channel, None, state, clock.now()))
            return
        value = self.draw.choice(CHANGES[name])
        (who.attributes if "." in name else who.fields)[name.removeprefix("attributes.")] = value
        people.change(Contact.objects.get(pk=pk), name, value)

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
        """In the order they were made, so that inner segments are known before those that refer to them."""
        for segment_id, rule in self.rules.items():
            told = {pk for pk, who in self.people.items() if oracle.is_true(rule, who, now, test_oracle.KINDS)}
            assert inside(segment_id) == told, (rule, now)
            for pk, who in self.people.items():
                who.segments = who.segments | {segment_id} if pk in told else who.segments - {segment_id}
        checks = dict(FlipCheck.objects.values_list("pk", "flips_at"))
        assert all(flips_at > now for flips_at in checks.values())


def inside(segment_id: int) -> set[int]:
    return set(Membership.objects.filter(segment_id=segment_id, left_at=None).values_list("contact_id", flat=True))


CONSENT = st.fixed_dictionaries(
    {"consent": st.sampled_from(["email", "sms"]), "operator": st.sampled_from(["granted", "not_granted"])}
)
LEAF = random_behaviours.rules(test_oracle.FILTER) | test_oracle.ATTRIBUTE | CONSENT | random_fields.predictions()
RULES = st.lists(
    LEAF
    | st.fixed_dictionaries(
        {"match": st.sampled_from(["all", "any", "none"]), "rules": st.lists(LEAF, min_size=2, max_size=3)}
    ),
    min_size=6,
    max_size=6,
)


def test_membership_follows_random_days(organization: Organization, drain: Drain) -> None:
    Organization.objects.filter(pk=organization.pk).update(timezone=oracle.HOME.key)

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
            world.change()
            world.change()
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
