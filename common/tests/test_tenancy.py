"""Row security holds on every path a query can take, and role and setting are always restored."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import Organization
from audience.models import Contact, Topic
from common import tenancy


def role_and_setting() -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, coalesce(current_setting('app.organization_id', true), '')")
        return cursor.fetchone()


def test_a_query_without_an_organisation_sees_nothing(organization: Organization) -> None:
    Contact.objects.create(name="Ada")

    with tenancy.organization(organization.pk):
        assert Contact.objects.count() == 1
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.organization_id', '', false)")
        assert Contact.objects.count() == 0


def test_another_organisation_sees_changes_and_deletes_nothing(
    organization: Organization, stranger: Organization
) -> None:
    ada = Contact.objects.create(name="Ada")

    with tenancy.organization(stranger.pk):
        assert not Contact.objects.exists()
        assert Contact.objects.filter(pk=ada.pk).update(name="Eve") == 0
        assert Contact.objects.filter(pk=ada.pk).delete()[0] == 0
        assert not Organization.objects.filter(pk=organization.pk).exists()
    ada.refresh_from_db()
    assert (ada.name, ada.organization_id) == ("Ada", organization.pk)


def test_a_row_cannot_be_written_into_another_organisation(
    organization: Organization, stranger: Organization
) -> None:
    with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
        Contact.objects.create(name="Ada", organization_id=stranger.pk)
    ada = Contact.objects.create(name="Ada")
    with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
        Contact.objects.filter(pk=ada.pk).update(organization_id=stranger.pk)


def test_a_row_without_an_organisation_is_refused(db: None) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        Contact.objects.create(name="Nobody's")


def test_sql_fills_the_column_by_itself(organization: Organization) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO audience_topic (name, slug, description) VALUES ('News', 'news', '')")

    assert Topic.objects.get().organization_id == organization.pk


def test_the_engine_looks_across_and_steps_back(organization: Organization, stranger: Organization) -> None:
    Contact.objects.create(name="Ada")
    with tenancy.organization(stranger.pk):
        with tenancy.engine(), tenancy.engine():
            assert Contact.objects.count() == 1
        assert Contact.objects.count() == 0


def test_the_engine_steps_back_after_an_error_inside_a_transaction(organization: Organization) -> None:
    before = role_and_setting()
    with pytest.raises(DatabaseError), transaction.atomic(), tenancy.engine(), connection.cursor() as cursor:
        cursor.execute("SELECT 1/0")

    assert role_and_setting() == before


def test_an_organisation_inside_a_failed_transaction_is_forgotten(
    organization: Organization, stranger: Organization
) -> None:
    before = role_and_setting()
    with pytest.raises(DatabaseError), transaction.atomic(), tenancy.organization(stranger.pk):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1/0")

    assert role_and_setting() == before
    assert tenancy.current() == organization.pk


def test_nobody_ends_what_was_activated_inside(organization: Organization) -> None:
    with tenancy.nobody():
        tenancy.activate(organization.pk)
        assert Contact.objects.count() == 0
    assert tenancy.current() == organization.pk


def test_work_without_an_organisation_is_refused(db: None) -> None:
    with pytest.raises(tenancy.NoOrganization, match="none was set"):
        tenancy.required()


def test_migrating_again_changes_nothing(organization: Organization) -> None:
    tenancy.protect_tables()
    tenancy.protect_tables()

    assert Contact.objects.count() == 0
