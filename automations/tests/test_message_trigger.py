"""Which message it was: a trigger on one template hears of all its versions, and of no other template."""

from __future__ import annotations

import pytest

from audience import services as audience
from audience.message_events import MessageEvent
from automations import services
from automations.models import AutomationRun
from automations.selectors.reports import trigger_sentence
from automations.tests import making
from campaigns import services as campaigns
from common.errors import Invalid
from delivery.models import Message
from delivery.services.telling import happening

pytestmark = pytest.mark.django_db


def _send(template, contact, **more) -> Message:
    step = {"action_type": "send_email", "configuration": {"template_id": template.pk, **more}}
    automation = making.automation(step, name=f"Send {Message.objects.count()}")
    services.start(automation, [contact.pk])
    making.work()
    return Message.objects.latest("pk")


def test_a_message_of_any_version_of_the_template_starts_it_and_no_other_does(organization, drain) -> None:
    wanted, other = making.template(), making.template(name="Other", slug="other", html="<p>Other</p>")
    ada = making.contact()
    first = _send(wanted, ada)
    own_subject = _send(wanted, ada, subject="Another subject")
    wanted.html = "<p>Newer</p>"
    wanted.save()
    campaigns.publish_template(wanted)
    newer, foreign = _send(wanted, ada), _send(other, ada)
    assert len({first.content_id, own_subject.content_id, newer.content_id, foreign.content_id}) == 4
    listening = making.automation(
        making.TAG,
        name="Listening",
        trigger_type="message_engaged",
        trigger_configuration={"what": "opened", "template_id": wanted.pk},
        entry_rule="again",
    )
    entered = AutomationRun.objects.filter(automation=listening)

    for message, count in ((foreign, 0), (first, 1), (own_subject, 2), (newer, 3)):
        audience.record([happening(message, MessageEvent.OPENED, message.created_at)])
        drain()
        assert entered.count() == count


def test_it_is_told_and_checked(organization) -> None:
    template = making.template()
    sms = making.template(name="By sms", slug="sms", channel="sms", fields={"text": "Hi"})

    def trigger(**configuration):
        return making.automation(
            making.TAG, trigger_type="message_engaged", trigger_configuration={"what": "opened", **configuration}
        )

    made = trigger(template_id=template.pk)
    assert trigger_sentence(made.trigger_type, made.trigger_configuration) == "When the message “Hello” is opened"
    for wrong, sentence in (
        ({"template_id": 9_999_999}, "there is no template 9999999"),
        ({"template_id": sms.pk}, "“By sms” does not go by email; choose another channel"),
    ):
        with pytest.raises(Invalid, match=sentence):
            trigger(**wrong)
