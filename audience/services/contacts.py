"""Contacts changed by people, programs and workflows; events change them in services/process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db import connection, transaction

from accounts import audit
from accounts.models import Member
from audience.domain import attributes as rules
from audience.domain.attributes import Refused
from audience.models import AttributeDefinition, Contact, Event, Identity, IdentityKind
from audience.notices import AttributeChange, ContactsChanged
from audience.services import alike, survivors
from audience.services.process import states
from audience.services.process.catalogue import AttributeCatalogue
from audience.services.process.states import CUSTOM, State
from audience.services.process.work import identity_lock
from common import clock, outbox, tenancy
from common.errors import Conflict, Invalid

BLOCK = 5000
VALUE = "value_minor"
NAMED_BY = {IdentityKind.USER_ID: "user_id", IdentityKind.EMAIL: "email", IdentityKind.PHONE: "phone"}
STRONG = (IdentityKind.USER_ID, IdentityKind.EMAIL)


def create_contact(*, user_id: str = "", attributes: Mapping[str, Any] | None = None, **fields: Any) -> Contact:
    """Make a contact from standard fields (`email`, `status` …) and custom `attributes`.

    Raises `Invalid` with the place of a wrong value, `Conflict` when its user id or e-mail is somebody's.
    """
    with transaction.atomic(), tenancy.engine():
        identity_lock()
        contact_id = _next_id()
        state = states.blank(contact_id, None)
        _say(state, _flat(fields, attributes))
        if user_id:
            state.name_user(user_id.strip())
        _claim_names(state)
        states.store({contact_id: state}, {contact_id})
        contact = Contact.objects.get(pk=contact_id)
        audit.created(contact)
        outbox.publish(ContactsChanged(created=[contact_id]))
        return contact


def update_contact(
    contact: Contact, *, attributes: Mapping[str, Any] | None = None, user_id: str | None = None, **fields: Any
) -> Contact:
    """Change some fields and attributes of a contact; an attribute set to None is taken away. Raises as create."""
    with transaction.atomic(), tenancy.engine():
        identity_lock()
        state = states.load([contact.pk])[contact.pk]
        _say(state, _flat(fields, attributes))
        if user_id is not None and user_id.strip():
            state.name_user(user_id.strip())
        _claim_names(state)
        with audit.changing(contact):
            changes = states.store({contact.pk: state}, set())
            contact.refresh_from_db()
        _announce(changes)
        return contact


def delete_contact(contact: Contact) -> None:
    """Remove a contact with its events, names and consents. What was sent stays in the ledger of messages."""
    with transaction.atomic():
        audit.deleted(contact)
        Event.objects.filter(contact_id=contact.pk).delete()
        outbox.publish(ContactsChanged(deleted=[contact.pk]))
        contact.delete()


def update_contacts(contact_ids: Sequence[int], changes: Mapping[str, Any]) -> int:
    """Set standard fields, `assignee` or `attributes.<name>` of many contacts; returns how many really changed.

    Raises `Invalid` when a value does not fit; then nothing is written.
    """
    with transaction.atomic(), tenancy.engine():
        checked = _checked_changes(changes)
        if checked.keys() <= alike.FIELDS:
            return _change_alike(
                contact_ids, lambda ids: [one for name in checked for one in alike.put(ids, name, checked[name])]
            )
        return _change_all(contact_ids, lambda state: _put(state, checked))


def add_to_contacts(contact_ids: Sequence[int], attribute: str, amount: float) -> int:
    """Add to a number of many contacts, `value_minor` or `attributes.<name>`; returns how many really changed.

    What is not set counts as 0, and a value does not fall below it. Raises `Invalid` when it holds no numbers.
    """
    with transaction.atomic(), tenancy.engine():
        _checked_changes({attribute: max(0, amount) if attribute == VALUE else amount})

        def change(state: State) -> None:
            before = state.get(attribute)
            total = (before if isinstance(before, int | float) and not isinstance(before, bool) else 0) + amount
            _put(state, {attribute: max(0, round(total)) if attribute == VALUE else total})

        return _change_all(contact_ids, change)


def refusal_of(attribute: str, value: Any) -> str:
    """Why contacts cannot hold a value under a field or `attributes.<name>`; nothing when they can."""
    try:
        if not attribute.startswith(CUSTOM):
            rules.checked(attribute, value)
            return ""
        name = attribute[len(CUSTOM) :]
        rules.check_name(name)
        known = AttributeDefinition.objects.filter(name=name).values_list("type", flat=True).first()
        if known is not None and value is not None:
            rules.check_type(name, known, value)
    except (Refused, Invalid) as error:
        return str(error)
    return ""


def add_tags(contact_ids: Sequence[int], tag: str) -> int:
    """Give contacts a tag; returns how many did not have it."""
    [checked] = _checked_changes({"tags": [tag]})["tags"]
    return _change_alike(contact_ids, lambda ids: alike.add_tag(ids, checked))


def remove_tags(contact_ids: Sequence[int], tag: str) -> int:
    """Take a tag from contacts; returns how many had it."""
    return _change_alike(contact_ids, lambda ids: alike.remove_tag(ids, tag))


def _change_all(contact_ids: Sequence[int], change: Callable[[State], None]) -> int:
    def in_memory(ids: Sequence[int]) -> list[AttributeChange]:
        held = states.load(ids)
        for state in held.values():
            change(state)
        return states.store(held, set())

    return _change_alike(contact_ids, in_memory)


def _change_alike(contact_ids: Sequence[int], change: Callable[[Sequence[int]], list[AttributeChange]]) -> int:
    """Change contacts in blocks, each held, and announce what came of it; returns how many really changed."""
    changed = 0
    ids = sorted(set(contact_ids))
    with transaction.atomic(), tenancy.engine():
        for start in range(0, len(ids), BLOCK):
            changes = change(survivors.hold(ids[start : start + BLOCK]))
            _announce(changes)
            changed += len({one.contact_id for one in changes})
    return changed


def _announce(changes: Sequence[AttributeChange]) -> None:
    for start in range(0, len(changes), BLOCK):
        outbox.publish(ContactsChanged(changes=list(changes[start : start + BLOCK])))


def _flat(fields: Mapping[str, Any], attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    return {**fields, **{CUSTOM + name: value for name, value in (attributes or {}).items()}}


def _say(state: State, changes: Mapping[str, Any]) -> None:
    """Write fields and attributes as said now: newer than anything that may still arrive from the past."""
    _put(state, _checked_changes(changes))


def _checked_changes(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The values as they are stored; new attributes enter the catalogue. Once, however many contacts get them."""
    catalogue = AttributeCatalogue() if any(name.startswith(CUSTOM) for name in changes) else None
    checked = {}
    for attribute, value in changes.items():
        try:
            checked[attribute] = _checked(attribute, value, catalogue)
        except Refused as error:
            raise Invalid(str(error), details={attribute: str(error)}) from error
    if catalogue is not None:
        catalogue.store()
    return checked


def _put(state: State, checked: Mapping[str, Any]) -> None:
    now = clock.now().isoformat()
    for attribute, value in checked.items():
        try:
            state.put(attribute, value)
        except Refused as error:
            raise Invalid(str(error), details={attribute: str(error)}) from error
        state.times.exceptions[attribute] = now


def _checked(attribute: str, value: Any, catalogue: AttributeCatalogue | None) -> Any:
    if attribute == "assignee":
        return _member_id(value)
    if not attribute.startswith(CUSTOM):
        return rules.checked(attribute, value)
    name = attribute[len(CUSTOM) :]
    rules.check_name(name)
    if value is not None and catalogue is not None:
        catalogue.check(name, value)
    return value


def _member_id(value: object) -> int | None:
    if value is None:
        return None
    # As the tables' owner we would see every organisation's members.
    own = Member.objects.filter(organization_id=tenancy.required())
    if isinstance(value, bool) or not isinstance(value, int) or not own.filter(pk=value).exists():
        raise Refused(f"There is no member {str(value)[:20]}.")
    return value


def _claim_names(state: State) -> None:
    """Make the contact findable by its user id, e-mail and phone; refuse a strong name that is somebody else's."""
    said = {
        kind: state.user_id if field == "user_id" else str(state.values.get(field) or "")
        for kind, field in NAMED_BY.items()
    }
    given = [(kind, value) for kind, value in said.items() if value]
    taken = _owners(given)
    for kind in STRONG:
        owner = taken.get((kind, said[kind]))
        if owner is not None and owner != state.id and NAMED_BY[kind] in state.befores:
            sentence = f"{said[kind]} belongs to contact {owner} already."
            raise Conflict(sentence, details={NAMED_BY[kind]: sentence})
    Identity.objects.bulk_create(
        [
            Identity(contact_id=state.id, kind=kind, value=value)
            for kind, value in given
            if (kind, value) not in taken
        ],
        ignore_conflicts=True,
    )


def _owners(names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for kind, value in names:
        owner = Identity.objects.filter(kind=kind, value=value, organization_id=tenancy.required()).first()
        if owner is not None:
            found[kind, value] = owner.contact_id
    return found


def _next_id() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('audience_contact_id_seq')")
        contact_id: int = cursor.fetchone()[0]
        return contact_id
