"""The public share link: counts people, leads to the programme's page and nowhere else."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from accounts.models import Organization
from audience.models import IngestBatch
from common import clock, tenancy
from common.errors import Invalid
from viral import services, subscribers
from viral.models import Referral
from viral.services import clicks
from viral.tests.river import NOON, code_of, contact, program, sign_up, store

pytestmark = pytest.mark.django_db
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"


def get(path: str, **headers: str) -> Any:
    return Client().get(path, headers={"User-Agent": BROWSER, **headers})


def test_a_share_link_leads_to_the_landing_page_with_code_and_tags(organization: Organization) -> None:
    code = code_of(program(), contact("Ada"))

    answer = get(f"/r/{code.code}")

    target = urlsplit(answer["Location"])
    assert answer.status_code == 302
    assert (target.scheme, target.netloc, target.path) == ("https", "shop.example", "/friends")
    assert parse_qs(target.query) == {
        "lang": ["en"],
        "referral_code": [code.code],
        "utm_source": ["referral"],
        "utm_medium": ["invite"],
        "utm_campaign": ["friends"],
    }
    assert answer["Cache-Control"] == "no-store"
    assert not answer.cookies


@pytest.mark.parametrize(
    "tail",
    [
        "?url=https://evil.example",
        "?next=//evil.example&landing_url=https://evil.example",
        "?utm_source=x#@evil.example",
        "/",
    ],
)
def test_nothing_a_visitor_adds_changes_where_it_leads(organization: Organization, tail: str) -> None:
    code = code_of(program(), contact("Ada"))

    location = get(f"/r/{code.code}{tail}")["Location"]

    assert urlsplit(location).netloc == "shop.example"
    assert "evil" not in location


@pytest.mark.parametrize(
    "code",
    ["NOBODY-22222222", "//evil.example", "https:evil.example", "%0d%0aSet-Cookie:x=1", "a" * 3000, "..%2fadmin"],
)
def test_a_code_that_is_none_leads_nowhere(organization: Organization, code: str) -> None:
    code_of(program(), contact("Ada"))

    answer = get(f"/r/{code}")

    assert answer.status_code == 404
    assert "Location" not in answer
    assert Referral.objects.count() == 0


def test_a_click_is_counted_once_per_visitor_and_day_for_its_organisation(
    organization: Organization, stranger: Organization
) -> None:
    ada = contact("Ada")
    code = code_of(program(), ada)

    for agent in (BROWSER, BROWSER, f"{BROWSER} (tablet)"):
        get(f"/r/{code.code.lower()}", **{"User-Agent": agent})
    with clock.travel(clock.now() - clock.now().replace(year=2020)):
        get(f"/r/{code.code}")

    assert list(Referral.objects.values_list("status", "inviter_id", "invitee_id")) == [("clicked", ada.pk, None)] * 3
    assert IngestBatch.objects.count() == 3
    with tenancy.organization(stranger.pk):
        assert Referral.objects.count() == 0


@pytest.mark.parametrize(
    "agent",
    ["", "facebookexternalhit/1.1", "WhatsApp/2.24", "Slackbot-LinkExpanding 1.0", "Twitterbot/1.0", "curl/8"],
)
def test_robots_are_led_on_and_not_counted(organization: Organization, agent: str) -> None:
    code = code_of(program(), contact("Ada"))

    assert get(f"/r/{code.code}", **{"User-Agent": agent}).status_code == 302
    assert Client().head(f"/r/{code.code}", headers={"User-Agent": BROWSER}).status_code == 302
    assert Client().post(f"/r/{code.code}").status_code == 405
    assert Referral.objects.count() == 0


def test_a_flood_of_clicks_is_led_on_and_not_counted(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clicks, "MOST_CLICKS_A_DAY", 3)
    code = code_of(program(), contact("Ada"))

    answers = [get(f"/r/{code.code}", **{"User-Agent": f"{BROWSER} {index}"}).status_code for index in range(6)]

    assert answers == [302] * 6
    assert Referral.objects.count() == 3


def test_a_click_becomes_the_referral_of_the_next_sign_up(organization: Organization) -> None:
    code = code_of(program(), contact("Ada"))
    with clock.freeze(NOON.replace(hour=8)):
        get(f"/r/{code.code}")

    subscribers.on_events(store([sign_up(contact("Ben"), code.code, 2), sign_up(contact("Cid"), code.code, 1)]))

    rows = Referral.objects.order_by("pk").values_list("status", "clicked_at", "invitee__name")
    assert [(row[0], row[1] is not None, row[2]) for row in rows] == [
        ("signed_up", True, "Ben"), ("signed_up", False, "Cid"),
    ]  # fmt: skip


def test_the_link_of_a_programme_that_is_off_leads_nowhere(organization: Organization) -> None:
    friends = program()
    code = code_of(friends, contact("Ada"))
    services.update_program(friends, {"is_active": False})

    assert get(f"/r/{code.code}").status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)", "//evil.example", "shop.example", "https://", "https://user:pw@shop.example/",
        "https://shop.example\\@evil.example", "https://shop.example/\r\nX: 1", "ftp://shop.example/",
        "https://[", "https://shop.example:port/", "data:text/html,x", "https://shop.example/" + "a" * 600,
    ],
)  # fmt: skip
def test_a_landing_page_must_be_a_plain_web_address(organization: Organization, address: str) -> None:
    with pytest.raises(Invalid) as refused:
        program(landing_url=address)

    assert "landing_url" in refused.value.details


def test_the_share_kit_carries_the_link(organization: Organization) -> None:
    friends = program(
        link_base_url="https://go.shop.example/", share_text="Come: {link} & save", share_subject="Hi & you"
    )
    kit = services.kit_of(code_of(friends, contact("Ada")))

    assert kit.link == f"https://go.shop.example/r/{kit.code}"
    assert kit.text == f"Come: {kit.link} & save"
    assert kit.email.startswith("mailto:?subject=Hi%20%26%20you&body=Come%3A%20https%3A%2F%2Fgo")
    assert kit.whatsapp.startswith("https://wa.me/?text=Come%3A%20https")
    assert kit.facebook.endswith("go.shop.example%2Fr%2F" + kit.code)
