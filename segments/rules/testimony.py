"""What decided conditions that speak neither of a field nor of an event."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from typing import Any

from django.db.models import Q
from django.utils import timezone

from audience.models import Consent, ContactPrediction
from segments.models import Membership
from segments.rules.conditions.near import EARTH_KILOMETERS
from segments.rules.scene import Evidence, Scene, shown, value_of
from segments.rules.tree import BucketRule, ConsentRule, NearRule, PredictionRule, SegmentRule


def _of_segment(leaf: SegmentRule, scene: Scene) -> Evidence:
    stays = Membership.objects.filter(contact=scene.contact, segment=leaf.segment_id, entered_at__lte=scene.now)
    stay = stays.filter(Q(left_at=None) | Q(left_at__gt=scene.now)).first()
    if stay is None:
        return Evidence(f"Not in “{leaf.name}”", False)
    return Evidence(f"In “{leaf.name}” since {timezone.localtime(stay.entered_at):%-d %b %Y}", True)


def _of_consent(leaf: ConsentRule, scene: Scene) -> Evidence:
    """The latest word about all topics or about this one."""
    entries = Consent.objects.filter(contact=scene.contact, channel=leaf.channel, happened_at__lte=scene.now)
    topics = [None] if leaf.topic_id is None else [None, leaf.topic_id]
    told = [entry for entry in entries if entry.topic_id in topics]
    # audience.selectors.LATEST_CONSENT
    latest = sorted(told, key=lambda entry: (entry.happened_at, entry.topic_id is not None, entry.pk))[-1:]
    if not latest:
        return Evidence("Nothing is recorded")
    entry = latest[0]
    moment = timezone.localtime(entry.happened_at)
    return Evidence(f"{entry.get_state_display()} on {moment:%-d %b %Y}: {entry.how}", entry.state)


def _of_bucket(leaf: BucketRule, scene: Scene) -> Evidence:
    """The same hash as the SQL of the condition."""
    digest = hashlib.md5(f"{leaf.salt}:{scene.contact.pk}".encode(), usedforsecurity=False).hexdigest()
    number = int(digest[:8], 16) % 100
    return Evidence(f"The draw gave {number}", number)


def _of_place(leaf: NearRule, scene: Scene) -> Evidence:
    degrees = [value_of(scene.contact, name) for name in (leaf.latitude_field, leaf.longitude_field)]
    if not all(_is_degrees(value, most) for value, most in zip(degrees, (90, 180), strict=True)):
        return Evidence("Their place is not known")
    kilometers = _distance(*map(math.radians, (*degrees, float(leaf.latitude), float(leaf.longitude))))
    return Evidence(f"{kilometers:,.1f} km away", round(kilometers, 3))


def _of_prediction(leaf: PredictionRule, scene: Scene) -> Evidence:
    """What was expected last, also when that has lapsed."""
    row = ContactPrediction.objects.filter(contact=scene.contact, name=leaf.name).first()
    if row is None:
        return Evidence("Nothing is predicted")
    made, until = (timezone.localtime(moment) for moment in (row.made_at, row.valid_until))
    by = f" by {row.model_version}" if row.model_version else ""
    told = f"{shown(row.value)} ({row.get_band_display().lower()}), made{by} on {made:%-d %b %Y}"
    if row.valid_until <= scene.now:
        return Evidence(f"{told}; stale since {until:%-d %b %Y}", float(row.value))
    return Evidence(f"{told}; holds until {until:%-d %b %Y}", float(row.value))


def _is_degrees(value: Any, most: int) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -most <= value <= most


def _distance(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Haversine, radians to kilometers."""
    half = math.sin((other_latitude - latitude) / 2) ** 2
    half += math.cos(latitude) * math.cos(other_latitude) * math.sin((other_longitude - longitude) / 2) ** 2
    return 2 * EARTH_KILOMETERS * math.asin(math.sqrt(min(half, 1.0)))


TESTIMONY: dict[type, Callable[[Any, Scene], Evidence]] = {
    SegmentRule: _of_segment,
    ConsentRule: _of_consent,
    BucketRule: _of_bucket,
    NearRule: _of_place,
    PredictionRule: _of_prediction,
}
