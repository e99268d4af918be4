"""Home, boards, health and contact over HTTP: numbers, links, rights."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import Member, Organization, User
from attribution.models import Conversion, Cost, Goal
from audience import services as audience
from audience.models import Consent, Contact
from audience.services import InternalEvent
from campaigns.models import Campaign
from common import clock, tenancy
from dashboards import health, recommendations
from dashboards.boards import BOARDS
from dashboards.cards import CARDS
from delivery.models import Claim, Content, Message
from segments.models import Analysis, AnalysisKind, Finding, Membership, Segment

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_kept():
    cache.clear()


def people(count: int) -> list[Contact]:
    return Contact.objects.bulk_create([Contact(name=f"Person {index}") for index in range(count)])


def happen(contact: Contact, *names: str, ago: timedelta = timedelta()) -> None:
    at = clock.now() - ago
    audience.record([InternalEvent(contact.pk, name, at, f"{name} {at} {contact.pk}") for name in names])
    audience.process(tenancy.required())


def tiles(content: str) -> list[tuple[str, str]]:
    """Title and value of every tile, in order."""
    parts = [part.split("</article>")[0] for part in content.split('<article class="gs-tile">')[1:]]
    return [
        (strip_tags(part.split("</h3>")[0]).split()[-1], strip_tags(part.split("gs-tile__value")[1].split("</p>")[0]))
        for part in parts
    ]


def test_home_shows_what_happens_now(admin: Client) -> None:
    ada, ben = people(2)
    happen(ada, "page_viewed")
    happen(ben, "page_viewed", ago=timedelta(minutes=30))
    happen(ada, "email_sent", "email_opened")
    happen(ben, "email_sent", ago=timedelta(days=3))

    page = admin.get("/").content.decode()

    assert [value.removeprefix('">') for _, value in tiles(page)[:6]] == ["2", "3", "4", "1", "50.0%", "0"]


def test_the_live_part_is_a_part(admin: Client) -> None:
    part = admin.get(reverse("dashboards:live")).content.decode()

    assert part.count("<article") == 6
    assert "<html" not in part


def test_a_card_is_seen_by_roles_that_may_read_its_room(organization: Organization) -> None:
    agent = accounts.ensure_user("agent@acme.example")
    accounts.add_member(agent, Role.AGENT)
    client = Client()
    client.force_login(agent)

    page = client.get("/").content.decode()

    assert "Contacts</h3>" in page
    assert "Sent today</h3>" not in page
    assert "Attributed revenue</h3>" not in page
    assert client.get("/dashboards/campaigns/").status_code == 404


def test_pages_want_a_sign_in(client: Client) -> None:
    for path in ("/", "/live/", "/health/", "/dashboards/campaigns/", "/contacts/1/"):
        assert client.get(path)["Location"].startswith("/admin/login/")


def test_an_empty_installation_leads_its_superuser_to_the_first_organisation(db: None, client: Client) -> None:
    call_command("createsuperuser", email="Boss@example.com", interactive=False)
    client.force_login(User.objects.get(email="boss@example.com", is_superuser=True))
    add = reverse("admin:accounts_organization_add")

    assert client.get("/")["Location"] == add
    assert client.get(add).status_code == 200
    client.post(add, {"name": "First", "slug": "first", "timezone": "UTC", "currency": "EUR"})
    assert "First" in client.get("/").content.decode()


def test_a_person_without_a_seat_is_told_whom_to_ask(organization: Organization, client: Client) -> None:
    client.force_login(accounts.ensure_user("new@example.com"))

    answer = client.get("/")

    assert (answer.status_code, "no organisation yet" in answer.content.decode()) == (403, True)


def test_each_board_and_each_of_its_tables_opens(admin: Client) -> None:
    for name in BOARDS:
        for period in ("?period=7d", "?period=365d", "?from=2026-01-01&to=2026-01-31", "?period=nonsense"):
            assert admin.get(f"/dashboards/{name}/{period}").status_code == 200
        assert admin.get(f"/dashboards/{name}/?csv=nothing").status_code == 404


def test_the_campaign_board_says_what_earned_and_what_cost(admin: Client, organization: Organization) -> None:
    campaign = Campaign.objects.create(name="Autumn <b>jumpers</b>")
    Cost.objects.create(day=clock.now().date(), campaign=campaign, amount_minor=12_345, currency="GBP")

    page = admin.get("/dashboards/campaigns/").content.decode()
    csv = admin.get("/dashboards/campaigns/?csv=campaigns").content.decode("utf-8-sig")

    assert "£123.45" in page
    assert "Needs optimisation" in page
    assert "<b>jumpers" not in page
    assert csv.splitlines()[1].startswith("Autumn <b>jumpers</b>,Needs optimisation,0.00,123.45,-100")


def test_the_models_board_links_to_what_nobody_is_credited_with(admin: Client, organization: Organization) -> None:
    goal = Goal.objects.create(name="Orders", event_name="order_completed", counts_as_revenue=True)
    Conversion.objects.create(
        goal=goal,
        contact=people(1)[0],
        event_id=1,
        value_minor=5_000,
        currency="GBP",
        happened_at=clock.now(),
        status="done",
    )

    page = admin.get("/dashboards/attribution/").content.decode()

    assert "£50.00" in page
    assert "unattributed=true" in page


def test_the_home_page_asks_few_questions(admin: Client, django_assert_max_num_queries) -> None:
    people(30)
    admin.get("/")
    with django_assert_max_num_queries(40):
        admin.get("/")


def test_every_card_names_a_known_resource() -> None:
    from accounts.domain.roles import RESOURCES

    assert {card.resource for card in CARDS.values()} <= set(RESOURCES)
    assert {board.resource for board in BOARDS.values()} <= set(RESOURCES)


# --- what now? ---------------------------------------------------------------------------------------


def test_recommendations_come_from_what_is_there(owner: Member, organization: Organization) -> None:
    Campaign.objects.create(name="Half done")
    Campaign.objects.create(name="Found last night", status="proposed")
    content = Content.objects.create(name="Hello", checksum="c")
    Message.objects.create(
        idempotency_key="1", contact=people(1)[0], content=content, source_type="campaign", status="uncertain"
    )

    found = recommendations.recommend(organization, owner.user)

    assert found[0].level == "critical"
    assert found[0].text.startswith("1 message may or may not have left")
    assert "1 campaign is a draft and waits for you." in [item.text for item in found]
    assert ("1 campaign was found worth making and waits.", "/campaigns/automatic/") in [
        (item.text, item.link) for item in found
    ]
    assert len(found) <= recommendations.MOST


def test_a_low_k_and_found_groups_are_told(
    owner: Member, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recommendations.invitations, "history", lambda place: ([None, 0.45], None))
    monkeypatch.setattr(recommendations, "MOST", 20)
    analysis = Analysis.objects.create(kind=AnalysisKind.SUGGESTIONS)
    Finding.objects.create(
        analysis=analysis, key="a", group="g", title="Big spenders", reason="…", size=9, position=1
    )

    told = {item.text: item.link for item in recommendations.recommend(organization, owner.user)}

    fading = "Ten people who invite bring 4 friends (K is 0.45): below 1 the loop fades by itself."
    assert told[fading] == "/dashboards/viral/"
    assert "1 group of people stands out in your data and could be segments." in told


def test_recommendations_name_only_what_the_person_may_open(organization: Organization) -> None:
    Campaign.objects.create(name="Half done")
    agent = accounts.ensure_user("agent@acme.example")
    accounts.add_member(agent, Role.AGENT)

    assert {item.resource for item in recommendations.recommend(organization, agent)} <= {
        "audience",
        "segments",
        "automations",
    }


# --- health ------------------------------------------------------------------------------------------


def test_health_names_what_waits_too_long_and_what_was_given_up(admin: Client) -> None:
    person = people(1)[0]
    content = Content.objects.create(name="Hello", checksum="c")
    old = clock.now() - timedelta(minutes=20)
    common = {"contact": person, "content": content, "source_type": "campaign"}
    Message.objects.create(idempotency_key="late", run_at=old, **common)
    Message.objects.create(idempotency_key="dead", status="failed", **common)
    lapsed = Message.objects.create(idempotency_key="lapsed", status="sending", **common)
    Claim.objects.create(token=uuid.uuid4(), message_ids=[lapsed.pk], lease_expires_at=old)

    queue = next(queue for queue in health.queues() if queue.worked.title == "Messages")

    assert (queue.due_count, queue.failed_count, queue.expired_count, queue.status) == (1, 1, 1, "critical")
    assert queue.oldest_text == "20 min"
    page = admin.get("/health/").content.decode()
    assert reverse("admin:delivery_message_changelist") + "?status__exact=failed" in page
    assert "Something is broken" in page


def test_health_of_a_quiet_organisation(organization: Organization) -> None:
    assert {queue.status for queue in health.queues()} == {"healthy"}


def test_every_worked_table_is_there(organization: Organization) -> None:
    """A misspelt name or column would fail here, not on the day somebody needs the page."""
    assert [queue.due_count for queue in health.queues()] == [0] * len(health.WORKED)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.012, "12 ms"), (4, "4 s"), (59, "59 s"), (60, "1 min"), (150, "2 min"), (7200, "2 h"), (200_000, "2 days")],
)
def test_spans_use_the_unit_that_says_it(seconds: float, text: str) -> None:
    assert health.span(timedelta(seconds=seconds)) == text


# --- one contact ---------------------------------------------------------------------------------------


def test_a_contact_page_tells_all_in_one_line_of_time(admin: Client, organization: Organization) -> None:
    ada = Contact.objects.create(name="Ada", email="ada@example.com", attributes={"plan": "pro"})
    segment = Segment.objects.create(name="Customers", slug="customers")
    Membership.objects.create(segment=segment, contact=ada, entered_at=clock.now() - timedelta(days=2))
    Consent.objects.create(contact=ada, channel="email", state="granted", how="sign-up form")
    happen(ada, "order_completed", ago=timedelta(days=1))

    page = admin.get(f"/contacts/{ada.pk}/").content.decode()

    assert [text in page for text in ("ada@example.com", "plan", "Customers", "sign-up form")] == [True] * 4
    timeline = page.split("Timeline")[1]
    assert (
        timeline.index("Email granted for all topics") < timeline.index("order_completed") < timeline.index("Entered")
    )


def test_older_pages_go_on_where_the_page_ended(admin: Client, organization: Organization) -> None:
    ada = Contact.objects.create(name="Ada")
    now = clock.now()
    events = [
        InternalEvent(ada.pk, f"step_{index:03}", now - timedelta(minutes=index), f"m{index}") for index in range(70)
    ]
    audience.record(events)
    audience.process(organization.pk)

    first = admin.get(f"/contacts/{ada.pk}/").content.decode()
    older = first.split('href="?before=')[1].split('"')[0]
    second = admin.get(f"/contacts/{ada.pk}/?before={older}").content.decode()

    assert ("step_049" in first, "step_050" in first) == (True, False)
    assert ("step_050" in second, "step_069" in second, "step_049" in second) == (True, True, False)


def test_a_merged_contact_leads_to_the_one_that_stayed(admin: Client, organization: Organization) -> None:
    ada, ghost = people(2)
    Contact.objects.filter(pk=ghost.pk).update(merged_into=ada)

    assert admin.get(f"/contacts/{ghost.pk}/")["Location"] == f"/contacts/{ada.pk}/"


def test_a_contact_of_another_organisation_is_not_there(admin: Client, stranger: Organization) -> None:
    with tenancy.organization(stranger.pk):
        theirs = Contact.objects.create(name="Eve")

    assert admin.get(f"/contacts/{theirs.pk}/").status_code == 404
