"""The pages of campaigns and templates, as the browser asks for them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import AuditEntry, Member, Organization
from campaigns import services
from campaigns.models import Campaign, CampaignRun, EmailTemplate
from campaigns.tests import making
from common import clock
from delivery.models import Message
from segments.models import Segment

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _open_doors(organization: Organization) -> None:
    making.open_doors()


@pytest.fixture
def segment() -> Segment:
    return making.segment(making.contacts(3))


@pytest.fixture
def analyst(client: Any, organization: Organization) -> Any:
    member = accounts.add_member(accounts.ensure_user("ann@acme.example"), Role.ANALYST)
    client.force_login(member.user)
    return client


def _campaign_form(**fields: Any) -> dict[str, Any]:
    return {
        "name": "Spring",
        "description": "",
        "template": "",
        "sender": "",
        "topic": "",
        "utm_campaign": "",
        "messages_per_minute": "",
        "weight": 20,
        "shelf_hours": "",
        "holdout_percent": 0,
        "ends_at_0": "",
        "ends_at_1": "",
        "cost": "12.50",
        "audience-TOTAL_FORMS": 0,
        "audience-INITIAL_FORMS": 0,
        "offers-TOTAL_FORMS": 0,
        "offers-INITIAL_FORMS": 0,
        **fields,
    }


def _at(name: str, *parts: object) -> str:
    return reverse(f"admin:campaigns_{name}", args=parts)


def test_a_campaign_is_made_with_its_audience_and_offer_in_one_go(admin: Any, segment: Segment) -> None:
    answer = admin.post(
        _at("campaign_add"),
        _campaign_form(
            **{
                "audience-TOTAL_FORMS": 1,
                "audience-0-segment": segment.pk,
                "offers-TOTAL_FORMS": 1,
                "offers-0-kind": "discount",
                "offers-0-value": "15",
                "offers-0-unit": "percent",
                "offers-0-code": "SUN15",
            }
        ),
    )

    assert answer.status_code == 302, answer.content.decode()[:2000]
    campaign = Campaign.objects.get()
    assert answer["Location"] == _at("campaign_change", campaign.pk)  # where it is launched
    assert (campaign.name, campaign.cost_minor, campaign.status) == ("Spring", 1250, "draft")
    assert services.audience_of(campaign).include == [segment.pk]
    assert services.offers_of(campaign)[0].code == "SUN15"
    entry = AuditEntry.objects.get(object_type="campaigns.campaign")
    assert (entry.action, entry.actor) == ("create", "owner@acme.example")


def test_the_form_changes_everything_at_once_and_takes_rows_away(admin: Any, segment: Segment) -> None:
    other = making.segment(name="Other")
    campaign = making.campaign([segment], template_id=None)
    row = campaign.audience.get()

    answer = admin.post(
        _at("campaign_change", campaign.pk),
        _campaign_form(
            **{
                "name": "Autumn",
                "opened_version": 1,
                "audience-TOTAL_FORMS": 2,
                "audience-INITIAL_FORMS": 1,
                "audience-0-id": row.pk,
                "audience-0-campaign": campaign.pk,
                "audience-0-segment": segment.pk,
                "audience-0-DELETE": "on",
                "audience-1-segment": other.pk,
                "audience-1-campaign": campaign.pk,
            }
        ),
    )

    assert answer.status_code == 302, answer.content.decode()[:2000]
    stored = Campaign.objects.get()
    assert (stored.name, stored.version) == ("Autumn", 2)
    assert services.audience_of(stored).include == [other.pk]


def test_a_running_campaign_shows_what_is_settled_and_saves_the_rest(admin: Any, segment: Segment) -> None:
    campaign = services.launch(making.campaign([segment]))

    page = admin.get(_at("campaign_change", campaign.pk))
    answer = admin.post(
        _at("campaign_change", campaign.pk),
        {
            **_campaign_form(name="Renamed", opened_version=campaign.version),
            "audience-INITIAL_FORMS": 0,
        },
    )

    assert 'name="template"' not in page.content.decode()
    assert 'name="messages_per_minute"' in page.content.decode()
    assert answer.status_code == 302, answer.content.decode()[:3000]
    stored = Campaign.objects.get()
    assert (stored.name, stored.template_id) == ("Renamed", campaign.template_id)
    assert services.audience_of(stored).include == [segment.pk]


def test_launching_says_how_many_people_and_asks_once(admin: Any, segment: Segment) -> None:
    making.segment(making.contacts(2, start=50, consented=False), name="Silent")
    campaign = making.campaign(list(Segment.objects.all()))
    address = _at("campaign_act", campaign.pk, "launch")

    page = admin.get(address).content.decode()
    assert "Launch to 5 people" in page
    assert Campaign.objects.get().status == "draft"
    answer = admin.post(address, {"version": campaign.version, "at": ""})

    assert answer.status_code == 302
    assert Campaign.objects.get().status == "active"
    assert AuditEntry.objects.filter(object_type="campaigns.campaign", action="launch").count() == 1


def test_the_moment_is_the_organisations_time(admin: Any, organization: Organization, segment: Segment) -> None:
    organization.timezone = "Europe/Berlin"
    organization.save()
    campaign = making.campaign([segment])

    admin.post(_at("campaign_act", campaign.pk, "launch"), {"version": 1, "at": "2099-07-01T09:00"})

    assert CampaignRun.objects.get().run_at.isoformat() == "2099-07-01T07:00:00+00:00"


def test_a_second_click_is_refused_with_a_sentence(admin: Any, segment: Segment) -> None:
    campaign = making.campaign([segment])
    services.launch(campaign)

    answer = admin.post(_at("campaign_act", campaign.pk, "launch"), {"version": 1, "at": ""})

    assert answer.status_code == 409
    assert "Nothing was saved" in answer.content.decode()
    assert CampaignRun.objects.count() == 1


@pytest.mark.parametrize("name", ["pause", "cancel", "duplicate", "complete"])
def test_every_act_has_its_page(admin: Any, segment: Segment, name: str) -> None:
    campaign = services.launch(making.campaign([segment]))

    assert admin.get(_at("campaign_act", campaign.pk, name)).status_code == 200


def test_the_progress_part_asks_again_while_the_campaign_runs_and_stops_at_its_end(
    admin: Any, segment: Segment
) -> None:
    campaign = services.launch(making.campaign([segment]))
    services.work(campaign.organization_id)
    address = _at("campaign_progress", campaign.pk)

    running = admin.get(address).content.decode()
    Message.objects.update(status="sent", sent_at=clock.now())
    services.settled(campaign.pk)
    over = admin.get(address).content.decode()

    assert 'hx-trigger="every 2s"' in running
    assert "0 %" in running
    assert "hx-trigger" not in over
    assert "100 %" in over
    assert "<html" not in running
    sent = f"{reverse('admin:delivery_message_changelist')}?source_type__exact=campaign&source_id={campaign.pk}"
    assert f'href="{sent}&status__in=sent">' in over.replace("&amp;", "&")
    rows = admin.get(f"{sent}&status__in=sent").context["cl"].result_count
    assert rows == Message.objects.filter(source_id=campaign.pk).count() > 0


def test_an_analyst_sees_and_cannot_act(analyst: Any, segment: Segment) -> None:
    campaign = making.campaign([segment])
    template = EmailTemplate.objects.get()

    assert analyst.get(_at("campaign_change", campaign.pk)).status_code == 200
    assert "Launch" not in analyst.get(_at("campaign_change", campaign.pk)).content.decode()
    assert analyst.get(reverse("dashboards:campaign", args=[campaign.pk])).status_code == 200
    assert analyst.get(_at("campaign_act", campaign.pk, "launch")).status_code == 403
    assert analyst.post(_at("campaign_act", campaign.pk, "launch"), {"version": 1}).status_code == 403
    assert analyst.post(_at("emailtemplate_act", template.pk, "publish")).status_code == 403
    assert analyst.post(_at("emailtemplate_test", template.pk), {}).status_code == 403
    assert Campaign.objects.get().status == "draft"


def test_a_stranger_finds_nothing(client: Any, segment: Segment, stranger: Organization) -> None:
    campaign = making.campaign([segment])
    template = EmailTemplate.objects.get()
    from common import tenancy

    with tenancy.organization(stranger.pk):
        member = accounts.add_member(accounts.ensure_user("sam@other.example"), Role.OWNER)
    client.force_login(member.user)

    assert client.get(reverse("dashboards:campaign", args=[campaign.pk])).status_code == 404
    for name in ("campaign_change", "campaign_progress"):
        assert client.get(_at(name, campaign.pk)).status_code == 404, name
    assert client.post(_at("campaign_act", campaign.pk, "launch"), {"version": 1}).status_code == 404
    for name in ("emailtemplate_change", "emailtemplate_preview"):
        assert client.get(_at(name, template.pk)).status_code == 404, name
    assert client.post(_at("emailtemplate_act", template.pk, "publish")).status_code == 404
    assert Campaign.objects.get().status == "draft"


def test_the_list_asks_the_same_few_questions_whatever_its_length(
    admin: Any, segment: Segment, django_assert_max_num_queries: Any
) -> None:
    for number in range(6):
        services.launch(making.campaign([segment], name=f"C{number}"), at=clock.now() + timedelta(days=1))

    with django_assert_max_num_queries(30):
        page = admin.get(_at("campaign_changelist"))
    assert page.content.decode().count("gs-badge--good") == 6


# --- templates ---------------------------------------------------------------------------------------------


def test_a_template_is_written_published_and_shown(admin: Any, owner: Member) -> None:
    making.contacts(1)
    form = {"name": "Hello", "slug": "", "kind": "marketing", "subject": "Hi {{ contact.name }}", "html": making.HTML}

    made = admin.post(_at("emailtemplate_add"), {**form, "text": "", "preheader": "", "defaults": "{}"})
    assert made.status_code == 302, made.content.decode()[:2000]
    template = EmailTemplate.objects.get()
    published = admin.post(_at("emailtemplate_act", template.pk, "publish"))

    assert published.status_code == 302
    assert EmailTemplate.objects.get().published.author == "owner@acme.example"  # type: ignore[union-attr]
    page = admin.get(_at("emailtemplate_preview", template.pk))
    text = page.content.decode()
    assert "Hi Person 1" in text
    assert text.count("<iframe") == text.count("sandbox srcdoc=") == 2
    assert "https:" in page.headers["Content-Security-Policy"].split("img-src")[1].split(";")[0]


def test_mistakes_at_publish_are_shown_beside_their_parts(admin: Any) -> None:
    template = making.template(published=False, subject="{{ contact.nmae }}")

    answer = admin.post(_at("emailtemplate_act", template.pk, "publish"))

    assert answer.status_code == 400
    assert "Not published." in answer.content.decode()
    assert "nmae" in answer.content.decode()
    assert EmailTemplate.objects.get().published is None


def test_a_preview_of_hostile_html_stays_inside_its_frame(admin: Any) -> None:
    making.contacts(1, name='"><script>alert(1)</script>')
    template = making.template(published=False, html='<p>{{ contact.name }}</p><img src=x onerror="alert(2)">')

    text = admin.get(_at("emailtemplate_preview", template.pk)).content.decode()

    assert "<script>alert" not in text
    assert "<img src=x" not in text


def test_a_test_is_sent_to_a_colleague(admin: Any, owner: Member) -> None:
    making.contacts(1)
    template = making.template(published=False)

    admin.post(_at("emailtemplate_test", template.pk), {"to": "victim@elsewhere.example", "contact": "user-1"})
    assert not Message.objects.exists()
    admin.post(_at("emailtemplate_test", template.pk), {"to": "owner@acme.example", "contact": "user-1"})

    assert Message.objects.get().address == "owner@acme.example"


def test_copies_and_archives_from_the_page(admin: Any) -> None:
    template = making.template()

    admin.post(_at("emailtemplate_act", template.pk, "duplicate"))
    admin.post(_at("emailtemplate_act", template.pk, "archive"))

    assert EmailTemplate.objects.filter(is_archived=True).get().pk == template.pk
    assert EmailTemplate.objects.filter(slug="sale-2").exists()
    assert admin.get(_at("emailtemplate_change", template.pk)).status_code == 200


# --- while somebody is still choosing ------------------------------------------------------------------------


def test_the_form_estimates_what_is_typed_and_writes_nothing(admin: Any, segment: Segment) -> None:
    silent = making.segment(making.contacts(2, start=50, consented=False), name="Silent")
    template = making.template()
    typed = {
        "template": template.pk, "audience-TOTAL_FORMS": 2, "audience-0-segment": segment.pk,
        "audience-1-segment": silent.pk, "holdout_percent": "50",
    }  # fmt: skip

    both = admin.post(_at("campaign_new_estimate"), typed)
    without = admin.post(_at("campaign_new_estimate"), {**typed, "audience-1-is_excluded": "on"})
    hostile = {"template": "x", "holdout_percent": "NaN", "shelf_hours": "9" * 40, "audience-TOTAL_FORMS": "9" * 9}
    nonsense = admin.post(_at("campaign_new_estimate"), {**hostile, "audience-0-segment": "1; DROP"})

    assert (both.context["preview"].contact_count, both.context["foreseen"].reach) == (5, 2)
    assert without.context["preview"].contact_count == 3
    assert nonsense.status_code == 200
    assert "Choose at least one segment" in nonsense.content.decode()
    assert admin.get(_at("campaign_new_estimate")).status_code == 405
    assert not Campaign.objects.exists()


def test_before_a_launch_stand_cost_pace_and_who_else_writes_to_these_people(admin: Any, segment: Segment) -> None:
    other = making.campaign([segment], name="Rival")
    services.launch(other, at=clock.now() + timedelta(hours=3))
    campaign = making.campaign([segment], messages_per_minute=2, cost_minor=1_000, message_cost_minor=50,
                               budget_minor=1_100)  # fmt: skip

    page = admin.get(_at("campaign_act", campaign.pk, "launch"))

    plan = page.context["plan"]
    assert plan.cost == "£11.50 if everybody reachable gets it. The budget is £11.00: sending stops when it is spent."
    assert plan.pace == "At 2 a minute the last one goes about 2 minutes after the start."
    assert [(each.campaign.name, each.people) for each in plan.overlaps] == [("Rival", 3)]
    assert "3 people in both" in page.content.decode()


def test_saving_the_form_keeps_every_term_of_an_offer(admin: Any, segment: Segment) -> None:
    draft = services.OfferDraft("discount", value="15.00", limit_total=5, terms="Once.", minimum_spend_minor=2_000,  # type: ignore[arg-type]
                                scope_kind="category", scope=("Tea", "Mugs"))  # fmt: skip
    campaign = making.campaign([segment], template_id=None, offers=[draft])
    page = admin.get(_at("campaign_change", campaign.pk))
    form = next(each for each in page.context["inline_admin_formsets"] if each.opts.part == "offers").formset.forms[0]
    typed = {form.add_prefix(name): "" if (value := form[name].value()) is None else value for name in form.fields}
    typed |= {f"offers-0-{name}_{part}": "" for name in ("starts_at", "expires_at") for part in (0, 1)}

    answer = admin.post(
        _at("campaign_change", campaign.pk),
        _campaign_form(**{"name": "Renamed", "opened_version": 1, **typed, "offers-TOTAL_FORMS": 1,
                          "offers-INITIAL_FORMS": 1, "offers-0-campaign": campaign.pk, "offers-0-scope": "Tea,Mugs",
                          "offers-0-DELETE": "",
                          "audience-TOTAL_FORMS": 1, "audience-0-segment": segment.pk}),
    )  # fmt: skip

    assert answer.status_code == 302, answer.content.decode()[:3000]
    stored = Campaign.objects.get()
    assert stored.name == "Renamed"
    assert services.offers_of(stored) == [services.offers_of(campaign)[0]]
    assert services.offers_of(stored)[0].limit_total == 5
