"""For every model: another organisation sees, changes and deletes nothing; nobody sees nothing."""

from __future__ import annotations

import pytest
from django.db import connection

from accounts.models import Organization
from common import tenancy
from tests.isolation.rows import one_of_each, scoped_models


def test_no_model_shows_a_row_to_another_organisation(organization: Organization, stranger: Organization) -> None:
    one_of_each()
    missing = [model._meta.label for model in scoped_models() if not model._default_manager.exists()]
    assert missing == [], "every model has a row in its own organisation"

    with tenancy.organization(stranger.pk):
        # The stranger's own rows (an audit entry of its foundation) are no leak.
        seen = [
            model._meta.label
            for model in scoped_models()
            if model._default_manager.exclude(organization_id=stranger.pk).exists()
        ]
        assert seen == []


def test_no_table_shows_a_row_to_nobody(organization: Organization) -> None:
    one_of_each()
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.organization_id', '', false)")

    assert [model._meta.label for model in scoped_models() if model._default_manager.exists()] == []


@pytest.mark.django_db
def test_raw_sql_of_another_organisation_changes_nothing(organization: Organization, stranger: Organization) -> None:
    one_of_each()
    changed = {}
    with tenancy.organization(stranger.pk), connection.cursor() as cursor:
        for model in scoped_models():
            table = model._meta.db_table
            cursor.execute(
                f"UPDATE {table} SET organization_id = organization_id WHERE organization_id = %s", [organization.pk]
            )
            changed[table] = cursor.rowcount

    assert {table: count for table, count in changed.items() if count} == {}
