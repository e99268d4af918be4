"""Providers and templates of other channels, wide and on a phone: sound, and nothing leaves the house."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from campaigns import services as campaigns
from campaigns.models import EmailTemplate
from common import tenancy
from delivery import services as delivery
from delivery.models import Provider
from tests.browser.town import Town

PATHS = [
    "/admin/delivery/provider/",
    "/admin/delivery/provider/add/",
    "/admin/delivery/provider/add/?kind=twilio",
    "/admin/campaigns/messagetemplate/add/",
    "/admin/campaigns/messagetemplate/add/?channel=in_app",
]


@pytest.fixture(scope="module", autouse=True)
def rows(town: Town, server: str, django_db_blocker: Any) -> Iterator[dict[str, str]]:
    with django_db_blocker.unblock(), tenancy.organization(town.organization_id):
        account = delivery.save_provider(
            Provider(channel="push", kind="web_push", name="Push"),
            {"private_key": "", "subject": "mailto:a@example.com"},
        )
        fields = {
            "placement": "banner",
            "title": "Hello",
            "body": "News",
            "button": "Look",
            "url": "https://x.example/",
        }
        banner = campaigns.create_template(
            {"name": "Banner", "channel": "in_app", "kind": "transactional", "fields": fields}
        )
        sms = campaigns.create_template({"name": "SMS", "channel": "sms", "fields": {"text": "Hi 👋"}})
    yield {
        "account": f"/admin/delivery/provider/{account.pk}/change/",
        "banner": f"/admin/campaigns/messagetemplate/{banner.pk}/preview/",
        "sms": f"/admin/campaigns/messagetemplate/{sms.pk}/preview/",
        "form": f"/admin/campaigns/messagetemplate/{sms.pk}/change/",
    }
    with django_db_blocker.unblock(), tenancy.organization(town.organization_id):
        EmailTemplate.objects.exclude(channel="email").delete()
        Provider.objects.all().delete()


def test_pages_are_sound(visit: Any, rows: dict[str, str]) -> None:
    assert visit("/").walk([*PATHS, *rows.values()]) == {}
