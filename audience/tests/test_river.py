from typing import Any

import pytest

from audience.models import Contact, Event, Identity, IngestBatch
from audience.tests import helpers

pytestmark = pytest.mark.django_db


def test_an_identified_person_and_their_event_arrive(write_key: str, drain: Any) -> None:
    response = helpers.segment(
        write_key,
        helpers.identify("u1", {"email": "Ada@Example.com", "name": "Ada", "plan": "pro", "logins": 3}),
        helpers.track("Order Completed", properties={"total": "12.34", "order_id": "o1"}),
    )
    assert (response.status_code, response.json()) == (200, {"success": True})
    drain()

    contact = Contact.objects.get()
    event = Event.objects.get()
    assert (contact.user_id, contact.email, contact.name) == ("u1", "ada@example.com", "Ada")
    assert contact.attributes == {"plan": "pro", "logins": 3}
    assert (event.contact_id, event.definition.name) == (contact.pk, "Order Completed")
    assert (event.value_minor, event.currency) == (1234, "GBP")
    assert event.properties == {"total": "12.34", "order_id": "o1"}
    assert {(one.kind, one.value) for one in Identity.objects.all()} == {
        ("user_id", "u1"),
        ("email", "ada@example.com"),
    }
    assert IngestBatch.objects.get().status == "done"
