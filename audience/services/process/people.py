"""Who the messages of a block belong to: look up, make, merge, and write down what was said about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from django.db import connection

from audience.domain.identities import Name, Person, Resolver, last, names_of
from audience.domain.incoming import Incoming, Rejected
from audience.notices import AttributeChange
from audience.services.process import merging, states
from audience.services.process.catalogue import AttributeCatalogue
from audience.services.process.decoding import Refusal
from common import clock, tenancy

# One probe of the unique index per name.
LOOK_UP_SQL = """
SELECT identity.kind, identity.value, contact.id, contact.user_id, contact.email
  FROM unnest(%(kinds)s::text[], %(values)s::text[]) AS given(kind, value)
  JOIN audience_identity AS identity
    ON identity.organization_id = %(organization)s AND identity.kind = given.kind AND identity.value = given.value
  JOIN audience_contact AS contact ON contact.id = identity.contact_id
"""
# Our own events name contacts by id; a merged one leads to its survivor.
CONTACTS_SQL = """
SELECT given.id, survivor.id, survivor.user_id, survivor.email
  FROM unnest(%(ids)s::bigint[]) AS given(id)
  JOIN audience_contact AS contact ON contact.id = given.id AND contact.organization_id = %(organization)s
  JOIN audience_contact AS survivor ON survivor.id = coalesce(contact.merged_into_id, contact.id)
"""
ATTACH_SQL = """
INSERT INTO audience_identity (organization_id, contact_id, kind, value, created_at)
SELECT %(organization)s, given.contact_id, given.kind, given.value, %(now)s
  FROM unnest(%(contacts)s::bigint[], %(kinds)s::text[], %(values)s::text[]) AS given(contact_id, kind, value)
ON CONFLICT (organization_id, kind, value) DO NOTHING
"""
# A minute's grain keeps a busy contact from being rewritten with every page view.
SEEN_SQL = """
UPDATE audience_contact AS contact
   SET last_seen_at = greatest(contact.last_seen_at, given.last),
       first_seen_at = least(contact.first_seen_at, given.first)
  FROM unnest(%(ids)s::bigint[], %(firsts)s::timestamptz[], %(lasts)s::timestamptz[]) AS given(id, first, last)
 WHERE contact.id = given.id AND contact.organization_id = %(organization)s
   AND (given.last > contact.last_seen_at + interval '1 minute' OR given.first < contact.first_seen_at)
"""
_encode = msgspec.json.Encoder().encode


@dataclass
class Placed:
    """Where the messages went and what changed for contacts."""

    owners: list[tuple[Incoming, Person]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    created: list[int] = field(default_factory=list)
    changes: list[AttributeChange] = field(default_factory=list)
    merged: list[tuple[int, int]] = field(default_factory=list)


Unplaced = list[tuple[Incoming, Rejected]]


def place(messages: Sequence[Incoming], currency: str) -> tuple[Placed, Unplaced]:
    """Give every message its contact and apply its traits; returns also the messages that fit nobody."""
    placed, unplaced = Placed(), Unplaced()
    if not messages:
        return placed, unplaced
    resolver = _known_people(messages)
    stored_user_ids = {person.id: person.user_id for person in resolver.contacts.values()}
    for message in messages:
        try:
            placed.owners.append((message, resolver.resolve(message)))
        except Rejected as verdict:
            unplaced.append((message, verdict))
    placed.owners = [(message, last(person)) for message, person in placed.owners]
    fresh = [person for person in resolver.created if person.into is None]
    _number(fresh)
    placed.created = [person.id for person in fresh]
    _apply(placed, resolver, fresh, stored_user_ids, currency)
    _attach(resolver.attached)
    return placed, unplaced


def _known_people(messages: Sequence[Incoming]) -> Resolver:
    resolver = Resolver()
    names: set[Name] = {name for message in messages for name in names_of(message)}
    ids = {message.contact_id for message in messages if message.contact_id}
    organization_id = tenancy.required()
    with connection.cursor() as cursor:
        if names:
            kinds, values = zip(*names, strict=True)
            cursor.execute(
                LOOK_UP_SQL, {"kinds": list(kinds), "values": list(values), "organization": organization_id}
            )
            for kind, value, contact_id, user_id, email in cursor.fetchall():
                resolver.know(kind, value, contact_id, user_id, email)
        if ids:
            cursor.execute(CONTACTS_SQL, {"ids": list(ids), "organization": organization_id})
            for given, contact_id, user_id, email in cursor.fetchall():
                resolver.contacts[given] = resolver.know_contact(contact_id, user_id, email)
    return resolver


def _number(fresh: Sequence[Person]) -> None:
    if not fresh:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('audience_contact_id_seq') FROM generate_series(1, %s)", [len(fresh)])
        for person, (contact_id,) in zip(fresh, cursor.fetchall(), strict=True):
            person.id = contact_id


def _apply(
    placed: Placed, resolver: Resolver, fresh: Sequence[Person], stored_user_ids: dict[int, str], currency: str
) -> None:
    spans = _spans(placed.owners)
    named = {
        person.id: person
        for person in resolver.contacts.values()
        if person.into is None and person.user_id != stored_user_ids.get(person.id)
    }
    speaking = [
        (message, person)
        for message, person in placed.owners
        if message.traits or message.traits_once or message.unset
    ]
    fresh_ids = {person.id for person in fresh}
    wanted = {person.id for _, person in speaking} | named.keys()
    wanted |= {one.id for join in resolver.joined for one in (join.loser, last(join.winner))}
    held = states.load(wanted - fresh_ids)
    for person in fresh:
        held[person.id] = states.blank(person.id, spans.get(person.id))
    for person in [*fresh, *named.values()]:
        if person.user_id:
            held[person.id].name_user(person.user_id)
    placed.merged = merging.merge(resolver.joined, held)
    attributes = AttributeCatalogue()
    # Oldest first; what arrived late is then judged by when it was said.
    for message, person in sorted(speaking, key=lambda pair: pair[0].happened_at):
        refused = held[person.id].hear(message, attributes, currency)
        placed.refusals.extend(_refuse_trait(message, *pair) for pair in refused)
    attributes.store()
    placed.changes = states.store(held, fresh_ids)
    _see(spans, fresh_ids)


def _spans(owners: Sequence[tuple[Incoming, Person]]) -> dict[int, tuple[datetime, datetime]]:
    """First and last moment of each contact in the block. What we did to them is not their being seen."""
    spans: dict[int, tuple[datetime, datetime]] = {}
    for message, person in owners:
        if message.contact_id:
            continue
        at = message.happened_at
        span = spans.get(person.id)
        if span is None:
            spans[person.id] = (at, at)
        elif at < span[0]:
            spans[person.id] = (at, span[1])
        elif at > span[1]:
            spans[person.id] = (span[0], at)
    return spans


def _see(spans: dict[int, tuple[datetime, datetime]], fresh_ids: set[int]) -> None:
    ids = sorted(spans.keys() - fresh_ids)
    if ids:
        with connection.cursor() as cursor:
            cursor.execute(
                SEEN_SQL,
                {
                    "ids": ids,
                    "firsts": [spans[contact_id][0] for contact_id in ids],
                    "lasts": [spans[contact_id][1] for contact_id in ids],
                    "organization": tenancy.required(),
                },
            )


def _refuse_trait(message: Incoming, name: str, value: object, reason: str) -> Refusal:
    """A refused trait is kept as a message of its own, so that it can be replayed without its event."""
    body = {
        "type": "identify",
        "messageId": f"{message.message_key} trait {name}",
        "userId": message.user_id or None,
        "anonymousId": message.anonymous_id or message.device_id or None,
        "timestamp": message.happened_at.isoformat(),
        "traits": {name: value},
    }
    plain = msgspec.json.decode(_encode(body))
    return Refusal(message.batch_id, "segment", "trait_refused", reason, plain, message.received_at)


def _attach(attached: dict[Name, Person]) -> None:
    if not attached:
        return
    rows = [(last(person).id, kind, value) for (kind, value), person in attached.items()]
    contacts, kinds, values = zip(*rows, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            ATTACH_SQL,
            {
                "contacts": list(contacts),
                "kinds": list(kinds),
                "values": list(values),
                "organization": tenancy.required(),
                "now": clock.now(),
            },
        )
