"""An offer that a step gave is named by the messages that follow in the same run."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from automations import services
from automations.models import AutomationRun, StepRun
from automations.tests import making
from campaigns import selectors
from campaigns import services as campaigns
from campaigns.models import Campaign, CampaignStatus, EmailTemplate, Offer, OfferCode, Target
from common import clock
from common.errors import Invalid
from common.models import OutboxNotice
from delivery import services as delivery
from delivery.models import Message

pytestmark = pytest.mark.django_db

SAYS = "<p>{{ offer.title }}: {{ offer.code }} until {{ offer.last_day }}</p>"


def _offer(**values) -> Offer:
    campaign = Campaign.objects.create(name="Spring", status=CampaignStatus.ACTIVE)
    defaults = {"kind": "discount", "value": 10, "codes": "generated", "code": "SPRING-"}
    return Offer.objects.create(campaign=campaign, **(defaults | values))


def _give(offer: Offer) -> dict:
    return {"id": "give", "action_type": "give_offer", "configuration": {"offer_id": offer.pk}}


def _mail(html: str = SAYS, **values) -> dict:
    template = making.template(html=html, **values)
    return {"id": "mail", "action_type": "send_email", "configuration": {"template_id": template.pk}}


def _read(message: Message) -> str:
    return delivery.render_preview(message.content, message.contact, message.variables).html


def test_each_person_reads_their_own_code_and_the_day_it_ends(organization) -> None:
    organization.timezone = "Europe/Berlin"
    organization.save()
    # Midnight in Berlin: good until the day before.
    offer = _offer(expires_at=datetime(2031, 3, 1, tzinfo=ZoneInfo("Europe/Berlin")))
    automation = making.automation(_give(offer), making.wait(hours=1), _mail())
    people = [making.contact(email=f"{number}@example.org") for number in range(2)]
    services.start(automation, [one.pk for one in people])
    making.work()
    with clock.travel(timedelta(hours=2)):
        making.work()

    codes = dict(OfferCode.objects.values_list("target__contact_id", "code"))
    assert len(set(codes.values())) == 2
    for message in Message.objects.all():
        assert f"10 % discount: {codes[message.contact_id]} until 28 February 2031" in _read(message)
        assert message.variables["offer"]["expires_at"] == "2031-03-01T00:00:00+01:00"


def test_the_offer_is_there_at_once_and_beside_the_event_and_the_last_one_stands(organization) -> None:
    first, last = _offer(codes="shared", code="TEN"), _offer(codes="shared", code="TWENTY", value=20)
    automation = making.automation(_give(first), {**_give(last), "id": "more"}, _mail("{{ offer.code }}"))
    run_id = services.start(automation, [making.contact().pk], facts={"by": "hand"})[0].run_id

    making.work()

    assert Message.objects.get().variables == {"offer": {"title": "20 % discount", "code": "TWENTY"}}
    assert AutomationRun.objects.get(pk=run_id).facts == {
        "by": "hand",
        "offer": {"title": "20 % discount", "code": "TWENTY"},
    }


def test_who_is_held_out_or_too_late_has_no_offer_to_speak_of(organization) -> None:
    offer = _offer(valid_days=7)
    held_out, late = making.contact(email="a@example.org"), making.contact(email="b@example.org")
    Target.objects.create(campaign=offer.campaign, contact=held_out, is_held_out=True)
    Target.objects.create(campaign=offer.campaign, contact=late, created_at=clock.now() - timedelta(days=8))
    automation = making.automation(_give(offer), _mail("{{ offer.code|default('none') }}"))
    services.start(automation, [held_out.pk, late.pk])

    making.work()

    told = dict(StepRun.objects.filter(step_id="give").values_list("run__contact_id", "detail__reason"))
    assert told[held_out.pk] == "Held out of “Spring” by chance: offered nothing, so that the effect shows."
    assert told[late.pk].startswith("The offer ended on ")
    assert list(Message.objects.values_list("variables", flat=True)) == [{}, {}]
    assert {_read(message)[:4] for message in Message.objects.all()} == {"none"}


def test_a_list_without_codes_is_told_and_a_mail_never_has_a_hole(organization) -> None:
    automation = making.automation(_give(_offer(codes="listed", code="")), _mail("{{ offer.code }}"))
    services.start(automation, [making.contact().pk])
    making.work()

    assert StepRun.objects.get(step_id="give").detail == {
        "reason": "No code was left; one follows when codes are added."
    }
    with pytest.raises(Invalid, match=r"offer\.code is empty and has no default"):
        _read(Message.objects.get())


def test_the_offer_stays_with_its_run(organization) -> None:
    other = making.automation(making.wait(days=1), name="Other")
    start = {"action_type": "start_automation", "configuration": {"automation_id": other.pk}}
    automation = making.automation(_give(_offer(codes="shared")), start, name="First")
    services.start(automation, [making.contact().pk], facts={"by": "hand"})
    making.work()

    asked = [notice.payload["asked"] for notice in OutboxNotice.objects.all() if "asked" in notice.payload]
    assert [one["facts"] for one in asked[0]] == [{"by": "hand"}]


@pytest.mark.parametrize(
    ("html", "is_refused"),
    [
        (SAYS, True),
        ("{{ offer.code|default('—') }}", False),
        ("{% if offer.code %}{{ offer.code }}{% endif %}", False),
    ],
)
def test_a_workflow_without_an_offer_cannot_send_a_mail_that_needs_one(organization, html, is_refused) -> None:
    mail = _mail(html)
    if not is_refused:
        assert making.automation(mail).pk
        return
    with pytest.raises(Invalid) as refusal:
        making.automation(mail)
    assert refusal.value.details == {
        "actions[0].configuration.template_id": "this message says offer.title, and no step of this workflow gives"
        " an offer"
    }
    assert making.automation(_give(_offer()), mail).pk


def test_templates_know_the_words_of_an_offer_and_previews_show_an_example(organization) -> None:
    names = [one.name for one in selectors.variables(None) if one.group == "Offer given by a workflow"]
    assert names == ["offer.code", "offer.title", "offer.last_day"]
    ada = making.contact()
    assert (
        "15 % discount: SPRING-7K4QX until "
        in campaigns.preview_template(
            EmailTemplate(name="x", subject="Hi", html=SAYS, kind="transactional"), ada
        ).html
    )
    sms = EmailTemplate(name="x", channel="sms", fields={"text": "{{ offer.code }}"}, kind="transactional")
    assert campaigns.preview_message(sms, ada).fields["text"] == "SPRING-7K4QX"
    with pytest.raises(Invalid, match=r"of the offer that a workflow gave there are offer\.code"):
        campaigns.publish_template(making.template(html="{{ offer.price }}"))
    # Who named a value of their own so keeps it.
    assert campaigns.publish_template(making.template(slug="own", html="{{ offer }}", defaults={"offer": "10 %"}))
