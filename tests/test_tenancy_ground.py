import pytest
from django.db import connection

from accounts.models import ApiKey, Organization
from audience.models import Contact
from common import tenancy

pytestmark = pytest.mark.django_db


def test_a_query_without_an_organisation_sees_nothing(organization: Organization) -> None:
    Contact.objects.create(name="Ada")

    with tenancy.nobody():
        tenancy.activate(organization.pk)
        assert Contact.objects.count() == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.organization_id', '', false)")
    assert Contact.objects.count() == 0


def test_another_organisation_sees_nothing(organization: Organization, stranger: Organization) -> None:
    Contact.objects.create(name="Ada")

    with tenancy.organization(stranger.pk):
        assert not Contact.objects.exists()
    assert Contact.objects.get().organization_id == organization.pk


def test_api_needs_credentials(client) -> None:
    assert client.get("/api/v1/nothing/").status_code == 404
    assert ApiKey.objects.count() == 0
