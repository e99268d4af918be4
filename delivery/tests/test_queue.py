"""The way in: bulk, idempotent, scoped, and born held when its source is."""

from __future__ import annotations

import pytest

from accounts.models import Organization
from common import tenancy
from common.errors import Invalid, NotFound
from delivery import selectors, services
from delivery.models import Message, Priority
from delivery.tests.making import Sink, contact, content, queue, send

SELECTION = """SELECT id AS contact_id, 'selected:' || id AS idempotency_key FROM audience_contact
               WHERE organization_id = %(organization)s AND status = %(wanted)s"""


def test_a_selection_is_queued_in_one_statement_once(organization: Organization) -> None:
    wanted = [contact(f"p{number}@example.com", status="vip") for number in range(3)]
    contact("other@example.com")
    made = content()
    parameters = {"organization": organization.pk, "wanted": "vip"}
    source = {"content_id": made.pk, "source_type": "campaign", "source_id": 7, "utm_campaign": "june"}

    assert services.queue_selected(SELECTION, parameters, **source) == 3  # type: ignore[arg-type]
    assert services.queue_selected(SELECTION, parameters, **source) == 0  # type: ignore[arg-type]
    rows = Message.objects.order_by("contact_id")
    assert [row.contact_id for row in rows] == [each.pk for each in wanted]
    assert {(row.kind, row.status, row.utm_campaign, row.priority) for row in rows} == {
        ("marketing", "queued", "june", Priority.BULK)
    }


def test_a_contact_of_another_organisation_cannot_be_written_to(
    organization: Organization, stranger: Organization
) -> None:
    with tenancy.organization(stranger.pk):
        theirs = contact()
    made = content()
    count = services.queue(
        [services.Outgoing(theirs.pk, "k")], content_id=made.pk, source_type="campaign", source_id=1
    )

    assert count == 0
    assert not Message.objects.exists()


def test_content_of_another_organisation_is_not_there(organization: Organization, stranger: Organization) -> None:
    with tenancy.organization(stranger.pk):
        theirs = content()
    with pytest.raises(NotFound):
        services.queue([], content_id=theirs.pk, source_type="campaign", source_id=1)


def test_an_unknown_source_is_refused(organization: Organization) -> None:
    ada, made = contact(), content()
    with pytest.raises(Invalid, match="Unknown source"):
        services.queue([services.Outgoing(ada.pk, "k")], content_id=made.pk, source_type="pigeon", source_id=1)
    assert not Message.objects.exists()


def test_holding_releasing_and_cancelling_move_what_has_not_left(organization: Organization, sink: Sink) -> None:
    made = content()
    queue(contact("a@example.com"), contact("b@example.com"), made=made)
    (other,) = queue(contact("c@example.com"), made=made, source_id=2)

    assert services.hold("campaign", 1) == 2
    (late,) = queue(contact("d@example.com"), made=made)
    send(organization)
    late.refresh_from_db()
    assert late.status == "held"
    assert sink.recipients == ["c@example.com"]

    assert services.release("campaign", 1) == 3
    assert services.cancel("campaign", 1) == 3
    assert services.release("campaign", 1) == 0
    (after,) = queue(contact("e@example.com"), made=made)
    assert after.status == "cancelled"
    send(organization)
    assert sink.recipients == ["c@example.com"]
    other.refresh_from_db()
    assert other.status == "sent"


def test_awaited_messages_go_before_bulk(organization: Organization, sink: Sink) -> None:
    queue(contact("bulk@example.com"))
    queue(contact("prompt@example.com"), source_type="automation")
    queue(contact("awaited@example.com"), made=content(kind="transactional"))
    send(organization)

    assert sink.recipients == ["awaited@example.com", "prompt@example.com", "bulk@example.com"]


def test_the_sweep_finds_organisations_with_due_messages_only(organization: Organization, sink: Sink) -> None:
    assert selectors.organizations_due() == []
    queue(contact())
    assert selectors.organizations_due() == [organization.pk]
    send(organization)
    assert selectors.organizations_due() == []


def test_a_test_goes_to_the_colleague_and_needs_no_consent(organization: Organization, sink: Sink) -> None:
    ada, made = contact(agreed=False), content()
    services.queue(
        [services.Outgoing(ada.pk, "t", address="Colleague@acme.example")],
        content_id=made.pk,
        source_type="test",
        source_id=1,
    )
    send(organization)

    assert sink.recipients == ["colleague@acme.example"]
    assert "Hello Ada Lovelace" in sink.mails[0].get_body(("html",)).get_content()  # type: ignore[union-attr]


def test_only_tests_may_name_another_address(organization: Organization, sink: Sink) -> None:
    ada, made = contact(), content()
    services.queue(
        [services.Outgoing(ada.pk, "t", address="evil@example.com")],
        content_id=made.pk,
        source_type="campaign",
        source_id=1,
    )
    send(organization)

    assert sink.recipients == ["ada@example.com"]
