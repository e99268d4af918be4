"""The OpenAPI document is whole: no endpoint that the generator could not describe."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from django.core.management import call_command
from rest_framework.test import APIClient

from accounts.models import Organization


def test_the_schema_is_made_without_a_warning(tmp_path: Path) -> None:
    target = tmp_path / "schema.yaml"

    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(target))

    paths = yaml.safe_load(target.read_text())["paths"]
    assert {"/api/v1/segments/", "/api/v1/automations/", "/api/v1/campaigns/", "/api/v1/token/"} <= {
        path.rstrip("/") + "/" for path in paths
    }


@pytest.mark.django_db
def test_anybody_may_read_the_contract_and_browse_it(organization: Organization) -> None:
    client = APIClient()

    assert client.get("/api/v1/schema/").status_code == 200
    page = client.get("/api/v1/docs/")
    assert page.status_code == 200
    assert "cdn." not in page.content.decode().lower(), "nothing from a CDN"
