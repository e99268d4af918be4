"""The pages of rehearsals and walks."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from automations.models import Automation, AutomationRun, Simulation
from automations.simulation import work
from automations.tests.test_simulation import END, NOON
from automations.tests.test_simulation_api import _crowd, welcome
from common import clock, tenancy

pytestmark = pytest.mark.django_db
__all__ = ["welcome"]


def _page(automation: Automation, name: str = "automation-simulations") -> str:
    return reverse(name, args=[automation.pk])


def test_a_rehearsal_is_asked_for_watched_and_read(client, owner, welcome) -> None:
    client.force_login(owner.user)
    _crowd()
    empty = client.get(_page(welcome)).content.decode()
    assert "Nothing was rehearsed yet." in empty

    with clock.freeze(END):
        answer = client.post(_page(welcome), {"what": "published", "days": "7"})
        row = Simulation.objects.get()
        assert answer["Location"] == f"{_page(welcome)}?number={row.pk}"
        assert "It waits for a worker." in client.get(answer["Location"]).content.decode()
        work.run(tenancy.required())

    assert client.get(reverse("automation-simulation-progress", args=[row.pk]))["HX-Refresh"] == "true"
    page = client.get(answer["Location"]).content.decode()
    assert "had agreed" not in page and "The contact has not agreed to marketing e-mail." in page
    assert "3 would come here · met 1 · timed_out 2" in page
    assert "figure-entries" in page and "no price is set for Email" in page
    assert "2026-06-01,3" in client.get(f"{answer['Location']}&csv=entries").content.decode()
    assert AutomationRun.objects.count() == 0


def test_two_rehearsals_stand_beside_each_other(client, owner, welcome) -> None:
    client.force_login(owner.user)
    _crowd()
    with clock.freeze(END):
        first, second = (work.request(welcome, days=days) for days in (7, 14))
        work.run(tenancy.required())

    page = client.get(f"{_page(welcome)}?number={second.pk}&with={first.pk}").content.decode()
    assert "Beside it: version 1, 7 days" in page
    assert "3 with version 1;" in page


def test_what_cannot_be_rehearsed_is_told_in_a_sentence(client, owner, welcome) -> None:
    client.force_login(owner.user)
    answer = client.post(_page(welcome), {"what": "draft", "days": "30"}, follow=True)
    assert "has no draft" in answer.content.decode()
    assert client.post(_page(welcome), {"days": "many"}, follow=True).status_code == 200
    assert Simulation.objects.count() == 0


def test_a_contact_is_found_and_walked(client, owner, welcome) -> None:
    client.force_login(owner.user)
    contacts = _crowd()
    address = _page(welcome, "automation-walk")

    assert "Several people fit." in client.get(address, {"q": "Ada"}).content.decode()
    assert "Nobody is called" in client.get(address, {"q": "zzz"}).content.decode()
    page = client.get(address, {"contact": contacts[0], "at": NOON.isoformat()}).content.decode()
    assert "Goes the way “timed_out”" in page
    assert "It would not go: The contact has not agreed to marketing e-mail." in page

    asked = {"contact": contacts[0], "at": NOON.isoformat(), "answer.wait": "met"}
    assert "because you said so" in client.get(address, asked).content.decode()
    imagined: Any = {"contact": contacts[0], "at": NOON.isoformat(), "event": "order", "event_at": "2026-06-01T13:00"}
    assert "Goes the way “met”" in client.get(address, imagined).content.decode()
    assert "This cannot be walked." in client.get(address, asked | {"answer.wait": "no"}).content.decode()
    assert client.get(address, {"contact": "9" * 30, "at": "never"}).status_code == 200
