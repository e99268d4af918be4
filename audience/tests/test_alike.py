"""A change of many contacts in one statement says and writes what it does contact by contact."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import Organization
from audience.models import Contact
from audience.notices import AttributeChange
from audience.services import alike, contacts, survivors
from audience.services.process import states
from common import clock, tenancy

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEPT = ("status", "priority", "value_minor", "tags", "trait_times")
TAGS = st.sampled_from(["a", "B", "vip", "ä", "a b", "x\\y", "{1,2}", '"'])
PEOPLE = st.lists(
    st.fixed_dictionaries(
        {
            "status": st.sampled_from(["new", "lead", "qualified"]),
            "priority": st.sampled_from(["medium", "high"]),
            "value_minor": st.sampled_from([0, 7]),
            "tags": st.lists(TAGS, unique=True, max_size=3).map(sorted),
        }
    ),
    min_size=1,
    max_size=4,
)
CHANGES = st.one_of(
    st.tuples(st.just("status"), st.sampled_from(["new", "lead", ""])),
    st.tuples(st.just("priority"), st.sampled_from(["medium", "high"])),
    st.tuples(st.just("value_minor"), st.sampled_from([0, 7, 8])),
    st.tuples(st.sampled_from(["tag", "untag"]), TAGS),
)


@settings(max_examples=30, deadline=None)
@given(PEOPLE, CHANGES)
def test_both_ways_say_and_write_the_same(
    organization: Organization, people: list[dict[str, Any]], change: tuple[str, Any]
) -> None:
    made = [one.pk for one in Contact.objects.bulk_create(Contact(name="P", **person) for person in people)]

    def play(way: Any) -> tuple[list[AttributeChange], list[tuple[Any, ...]]]:
        with clock.freeze(NOON), transaction.atomic():
            with tenancy.engine():
                told = way(survivors.hold(made), *change)
                rows = Contact.objects.filter(pk__in=made).order_by("pk")
                changed = {one.contact_id for one in told}
                # Saying a default to who has it changes nothing; only one by one notes when it was said.
                written = [(*row[1:-1], row[0] in changed and row[-1]) for row in rows.values_list("pk", *KEPT)]
            transaction.set_rollback(True)
        return told, written

    assert play(_at_once) == play(_one_by_one)


def _at_once(ids: list[int], name: str, value: Any) -> list[AttributeChange]:
    match name:
        case "tag":
            return alike.add_tag(ids, value)
        case "untag":
            return alike.remove_tag(ids, value)
        case _:
            return alike.put(ids, name, value)


def _one_by_one(ids: list[int], name: str, value: Any) -> list[AttributeChange]:
    held = states.load(ids)
    for state in held.values():
        tags = set(state.get("tags") or [])
        match name:
            case "tag":
                contacts._put(state, {"tags": sorted(tags | {value})})
            case "untag":
                contacts._put(state, {"tags": [one for one in state.get("tags") or [] if one != value]})
            case _:
                contacts._put(state, {name: value})
    return states.store(held, set())
