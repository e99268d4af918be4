"""The report of a campaign: every number with its rows, clicks on the mail, money, files of any size."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse

from accounts.models import Organization
from attribution.tests import river
from campaigns import selectors, services
from campaigns.domain import heatmap
from campaigns.models import Campaign, Target
from campaigns.tests import making
from common import clock
from dashboards.campaign.lines import lines as sections
from delivery.models import Engagement, Message, Provider
from experiments.services import ArmDraft

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _open_doors(organization: Organization) -> None:
    making.open_doors()


def _sent(people: int = 5) -> Campaign:
    campaign = services.launch(making.campaign([making.segment(making.contacts(people))]))
    services.work(campaign.organization_id)
    Message.objects.update(status="sent", sent_at=clock.now())
    return campaign


def test_each_number_of_the_report_leads_to_its_rows(admin: Any) -> None:
    campaign = services.launch(making.campaign([making.segment(making.contacts(9))]))
    services.work(campaign.organization_id)
    other = services.launch(making.campaign([making.segment(making.contacts(2, start=50), name="Other")]))
    services.work(other.organization_id)
    now = clock.now()
    Message.objects.update(status="sent", sent_at=now, opened_at=now)
    ids = list(Message.objects.filter(source_id=campaign.pk).order_by("pk").values_list("pk", flat=True))
    Message.objects.filter(pk__in=ids[:1]).update(status="failed", opened_at=None)
    Message.objects.filter(pk__in=ids[1:3]).update(status="refused", opened_at=None)
    Message.objects.filter(pk__in=ids[3:6]).update(clicked_at=now, unsubscribed_at=now)
    for message_id, kind, is_machine in [
        (ids[3], "open", True),
        (ids[3], "open", True),
        (ids[4], "click", True),
        (ids[5], "open", False),
        (ids[6], "bounce", False),
        (ids[7], "complaint", False),
    ]:
        Engagement.objects.create(message_id=message_id, kind=kind, is_machine=is_machine)

    lines = [line for part in sections(campaign, selectors.report(campaign)) for line in part.lines if line.address]

    counts = {line.label: line.count for line in lines}
    assert list(counts.values()) == [9, 6, 2, 1, 0, 1, 1, 6, 3, 3, 1, 1]
    for line in lines:
        assert admin.get(line.address).context["cl"].result_count == line.count, line.label
    page = admin.get(reverse("dashboards:campaign", args=[campaign.pk])).content.decode()
    assert "source_type=campaign&amp;source_id=" in page
    assert "100.0%" in page


def test_every_step_of_the_funnel_leads_to_its_people(admin: Any) -> None:
    campaign = _sent()
    clicked = river.NOON - timedelta(hours=1)
    ids = list(Message.objects.order_by("contact_id").values_list("pk", "contact_id"))
    Message.objects.filter(pk__in=[pk for pk, _ in ids[:3]]).update(opened_at=clicked)
    Message.objects.filter(pk__in=[pk for pk, _ in ids[:2]]).update(clicked_at=clicked)
    buyer = Target.objects.get(contact_id=ids[0][1]).contact
    river.store([river.order(buyer, 4_200)])
    services.count_outcomes()

    page = admin.get(reverse("dashboards:campaign", args=[campaign.pk]))

    rows = page.context["chart"].table.rows
    assert [(row[0].shown, row[1].plain) for row in rows] == [
        ("Addressed", 5), ("Sent", 5), ("Delivered", 5), ("Opened", 3), ("Clicked", 2), ("Bought within a week", 1),
    ]  # fmt: skip
    for row in rows:
        assert admin.get(row[1].link).context["cl"].result_count == row[1].plain, row[0].shown
    assert {tile.title: tile.reading.value for tile in page.context["tiles"]}["Opened"] == "60.0%"


def test_clicks_are_drawn_on_the_mail_and_lead_to_who_clicked(admin: Any) -> None:
    campaign = _sent(3)
    first, second, third = Message.objects.order_by("pk")
    now, sale = clock.now(), "https://shop.example/sale"
    Message.objects.filter(pk__in=[first.pk, second.pk]).update(clicked_at=now)
    for message, url, machine in ((first, sale, False), (first, sale, False), (second, sale, False),
                                  (third, sale, True), (second, "https://shop.example/old", False)):  # fmt: skip
        Engagement.objects.create(message=message, kind="click", url=url, is_machine=machine)

    page = admin.get(reverse("dashboards:campaign", args=[campaign.pk]))

    drawn = page.context["heatmap"]
    assert [(line.number, line.url, line.people, line.share, line.machines) for line in drawn.lines] == [
        (1, sale, 2, "67%", 1), (0, "https://shop.example/old", 1, "33%", 0),
    ]  # fmt: skip
    assert 'data-warmth="5" href="https://shop.example/sale"><b data-clicks>2 · 67%</b>' in drawn.mail
    assert 'sandbox srcdoc="' in page.content.decode()
    assert parse_qs(urlsplit(drawn.lines[0].address).query)["link"] == [sale]
    assert admin.get(drawn.lines[0].address).context["cl"].result_count == 2


def test_links_to_one_address_are_told_apart_by_their_place(admin: Any) -> None:
    sale, again = "https://shop.example/sale", '<a href="https://shop.example/sale">Again</a>'
    making.template(html=making.HTML.replace("</body>", f'{again}<a href="https://shop.example/x">x</a></body>'))
    campaign = _sent(4)
    now = clock.now()
    Message.objects.update(clicked_at=now)
    first, second, third, fourth = Message.objects.order_by("pk")
    clicks = ((first, sale, 1), (first, sale, 2), (second, sale, 2), (third, sale, 0), (fourth, sale, 7),
              (fourth, "https://shop.example/x", 0))  # fmt: skip
    for message, url, place in clicks:
        Engagement.objects.create(message=message, kind="click", url=url, place=place)

    drawn = admin.get(reverse("dashboards:campaign", args=[campaign.pk])).context["heatmap"]

    assert [(line.number, line.url[-4:], line.place, line.people) for line in drawn.lines] == [
        (2, "sale", "link 2 of 2 to it", 2), (1, "sale", "link 1 of 2 to it", 1), (3, "le/x", "", 1),
        (0, "sale", "in the plain text, or told without its place", 1),
        (0, "sale", "link 7 to it, in other people's mails", 1),
    ]  # fmt: skip
    assert drawn.mail.index("<b data-clicks>1 · 17%") < drawn.mail.index("<b data-clicks>2 · 33%")
    for line in drawn.lines:
        assert admin.get(line.address).context["cl"].result_count == line.people
    assert admin.get(drawn.lines[0].address.replace("place=2", "place=x")).status_code == 200


@pytest.mark.parametrize(
    ("mail", "places"),
    [
        ("<a href=https://a.example>x</a>", ["https://a.example"]),
        ("<A\nclass='b' HREF='https://a.example/?x=1&amp;y=2'>x</A>", ["https://a.example/?x=1&y=2"]),
        ("<a href='mailto:a@b.example'>x</a><a name=x>y</a><abbr>z</abbr>", []),
        ("<a href='https://a.example'", []),
        ("<a href='javascript:alert(1)'>x</a>", []),
        ("<a title='>' href='https://a.example/?\"q'>x</a>", ['https://a.example/?"q']),
    ],
)
def test_links_are_found_however_they_are_written(mail: str, places: list[str]) -> None:
    found = heatmap.places(mail, {})

    assert [place.url for place in found] == places
    assert heatmap.drawn(mail, found).count("data-clicks>") == len(places)


def test_a_test_and_a_holdout_say_what_they_show(admin: Any) -> None:
    other = making.template(name="Other", slug="other")
    made = making.campaign([making.segment(making.contacts(8))], holdout_percent=25)
    arms = [ArmDraft("a", "As it is", is_control=True), ArmDraft("b", "Other", payload={"template_id": other.pk})]
    campaign = services.launch(services.update_campaign(made, {}, arms=arms))
    services.work(campaign.organization_id)

    page = admin.get(reverse("dashboards:campaign", args=[campaign.pk]))

    shown = page.context["arms"]
    assert [name for name, _ in shown.tables] == ["Clicked"]
    rows = shown.tables[0][1].rows
    assert [row[0].shown for row in rows] == ["As it is", "Other"]
    assert sum(admin.get(row[0].link).context["cl"].result_count for row in rows) == 8
    assert shown.verdict.what_now in page.content.decode().replace("&#x27;", "'")
    assert [row[0].shown for row in page.context["caused"].table.rows[:2]] == ["Got it", "Held out"]
    assert page.context["caused"].sentence


def test_the_whole_report_and_its_people_are_files(admin: Any) -> None:
    campaign = _sent(3)
    Target.objects.filter(contact__name="Person 2").update(viewed_at=clock.now())
    evil = Target.objects.order_by("pk").first()
    assert evil is not None
    type(evil.contact).objects.filter(pk=evil.contact_id).update(name="=HYPERLINK(1)")

    address = reverse("dashboards:campaign", args=[campaign.pk])
    figures = admin.get(address, {"csv": "report"}).content.decode("utf-8-sig")
    people = b"".join(admin.get(reverse("dashboards:campaign-people", args=[campaign.pk])).streaming_content)

    assert ["Sending", "Sent", "3", "", ""] in list(csv.reader(io.StringIO(figures)))
    lines = list(csv.DictReader(io.StringIO(people.decode("utf-8-sig"))))
    assert [(line["User ID"], line["Message"], bool(line["Saw the offer"])) for line in lines] == [
        ("user-1", "sent", False), ("user-2", "sent", True), ("user-3", "sent", False),
    ]  # fmt: skip
    assert lines[0]["Name"] == "'=HYPERLINK(1)"
    assert admin.get(address, {"csv": "nothing"}).status_code == 404


def test_a_report_of_offers_alone_speaks_of_no_messages(admin: Any) -> None:
    campaign = making.offer_campaign(making.contacts(3))

    page = admin.get(reverse("dashboards:campaign", args=[campaign.pk]))

    assert [section.title for section in page.context["sections"]] == ["Offer"]
    assert [(line.label, line.count) for line in page.context["sections"][0].lines] == [
        ("People addressed", 3), ("Seen", 0), ("Taken", 0),
    ]  # fmt: skip
    assert [tile.title for tile in page.context["tiles"]][:2] == ["Addressed", "Offer taken"]
    assert page.context["heatmap"] is None


def test_a_text_message_tells_nobody_that_it_was_opened(admin: Any) -> None:
    Provider.objects.create(channel="sms", kind="twilio", name="Texts", is_default=True)
    template = making.template(channel="sms", html="", subject="", fields={"text": "Sale: https://shop.example/sale"})
    campaign = services.launch(making.campaign([making.segment(making.contacts(2))], template_id=template.pk))
    services.work(campaign.organization_id)
    Message.objects.update(status="sent", sent_at=clock.now(), clicked_at=clock.now(), opened_at=clock.now())
    Engagement.objects.create(message=Message.objects.earliest("pk"), kind="click", url="https://shop.example/sale")

    page = admin.get(reverse("dashboards:campaign", args=[campaign.pk]))

    shown = page.context
    labels = [line.label for section in shown["sections"] for line in section.lines]
    assert "Clicked" in labels and not {"Opened", "Fetched by proxies"} & set(labels)
    assert "Opened" not in [tile.title for tile in shown["tiles"]]
    assert [row[0].shown for row in shown["chart"].table.rows][:4] == ["Addressed", "Sent", "Delivered", "Clicked"]
    assert [(line.url, line.people) for line in shown["heatmap"].lines] == [("https://shop.example/sale", 1)]
    assert shown["heatmap"].mail == ""
