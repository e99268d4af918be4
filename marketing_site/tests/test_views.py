"""Addresses that are nowhere."""

from __future__ import annotations

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_an_address_that_is_nowhere_is_told_as_json_to_apps_and_as_a_page_to_people(client: Client) -> None:
    app, person = client.get("/api/v1/nowhere/"), client.get("/nowhere/")

    assert (app.status_code, app.json()["code"], app.json()["details"]) == (404, "not_found", {})
    assert (person.status_code, "<html" in person.content.decode()) == (404, True)
    assert client.get("/api/v1/schema")["Location"] == "/api/v1/schema/"
