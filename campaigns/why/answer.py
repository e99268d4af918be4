"""Why (not) sent: every question the send path asks about one contact and one campaign, in its order.

What would happen now is not worked out here: the claim's own statement is asked (delivery.services.policy.rehearsal).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from audience.models import Contact
from campaigns.models import Campaign, CampaignRun
from campaigns.why import audience, limits
from campaigns.why.steps import FACT, GOOD, STOP, WAIT, Step, row, when
from common import clock
from common.errors import Invalid, NotFound
from delivery import services as delivery
from delivery.models import Attempt, Content, Message, MessageStatus, SourceType
from delivery.services.policy.rehearsal import Imagined, Verdict, imagine, rehearse

LONGEST_CHAIN = 20


@dataclass(frozen=True)
class Why:
    """`answer` in a sentence; `goes_at` when it would go, where nothing stops it for good."""

    contact: Contact
    campaign: Campaign | None
    message: Message | None
    answer: str
    state: str
    goes_at: datetime | None
    steps: list[Step]


def of_campaign(contact_id: int, campaign_id: int) -> Why:
    """Why this contact got the campaign, or did not, or when they will. Raises `NotFound`."""
    campaign = Campaign.objects.select_related("template__published__content").filter(pk=campaign_id).first()
    if campaign is None:
        raise NotFound(f"There is no campaign {campaign_id} here.")
    contact = _contact(contact_id)
    message = (
        Message.objects.filter(contact_id__in={contact.pk, contact_id}, source_type="campaign", source_id=campaign.pk)
        .select_related("content")
        .order_by("-pk")
        .first()
    )
    return _answer(contact, campaign, message)


def of_message(message_id: int) -> Why:
    """Why this message went, or did not. Raises `NotFound`."""
    message = Message.objects.select_related("content").filter(pk=message_id).first()
    if message is None:
        raise NotFound(f"There is no message {message_id} here.")
    campaign = None
    if message.source_type == SourceType.CAMPAIGN:
        campaign = Campaign.objects.filter(pk=message.source_id).first()
    return _answer(_contact(message.contact_id), campaign, message)


def _contact(contact_id: int) -> Contact:
    """The contact, or the one it was merged into."""
    contact = Contact.objects.filter(pk=contact_id).first()
    for _ in range(LONGEST_CHAIN):
        if contact is None or contact.merged_into is None:
            break
        contact = contact.merged_into
    if contact is None:
        raise NotFound(f"There is no contact {contact_id} here.")
    return contact


def _answer(contact: Contact, campaign: Campaign | None, message: Message | None) -> Why:
    steps = audience.steps(campaign, contact) if campaign is not None else []
    content = message.content if message is not None else _content(campaign)
    topic_id = message.topic_id if message is not None else campaign.topic_id if campaign is not None else None
    if message is not None:
        steps += _ledger(message)
    if content is None:
        if campaign is not None and campaign.template_id is None:
            steps.append(Step("content", "Message", STOP, "The campaign has no template: it shows offers only."))
        else:
            steps.append(Step("content", "Message", STOP, "Its template is not published yet."))
        return _concluded(contact, campaign, message, steps, None)
    steps += limits.steps(contact, content.kind, content.channel, topic_id)
    steps.append(_words(content, contact, message))
    verdict = _verdict(contact, campaign, message, content)
    if verdict is not None:
        steps.append(_judged(verdict))
    return _concluded(contact, campaign, message, steps, verdict)


def _content(campaign: Campaign | None) -> Content | None:
    """What the campaign sends: settled at its start, before that what is published."""
    if campaign is None:
        return None
    run = CampaignRun.objects.filter(campaign=campaign).select_related("content").order_by("-pk").first()
    if run is not None and run.content is not None:
        return run.content
    published = campaign.template.published if campaign.template is not None else None
    return published.content if published is not None else None


def _ledger(message: Message) -> list[Step]:
    """What the ledger says, and what the provider answered."""
    link = [row("delivery_message", message.pk, f"Message {message.pk}")]
    status = message.get_status_display()
    sentence = f"{status}: {message.reason}" if message.reason else f"{status}."
    if message.sent_at:
        sentence = f"Sent {when(message.sent_at)} to {message.address}."
    good = message.status in (MessageStatus.SENT, MessageStatus.QUEUED, MessageStatus.SENDING)
    found = [Step("message", "Message", GOOD if good else STOP, sentence, link)]
    attempts = Attempt.objects.filter(message=message).order_by("-pk")[:8]
    found += [
        Step("provider", "Provider", FACT, f"{attempt.outcome} {when(attempt.happened_at)}: {attempt.answer}"[:400])
        for attempt in attempts
    ]
    return found


def _words(content: Content, contact: Contact, message: Message | None) -> Step:
    """Whether the message can be written for this contact."""
    try:
        delivery.render_preview(content, contact, message.variables if message is not None else None)
    except Invalid as error:
        return Step("words", "Words", STOP if message is None else FACT, error.message)
    link = row("delivery_content", content.pk, f"“{content.name}”")
    return Step("words", "Words", GOOD if message is None else FACT, "It can be written for this contact.", [link])


def _verdict(
    contact: Contact, campaign: Campaign | None, message: Message | None, content: Content
) -> Verdict | None:
    """The judge's own word on what waits, or on what is not written yet; None for what is decided."""
    if message is not None:
        return rehearse(message) if message.status in (MessageStatus.QUEUED, MessageStatus.HELD) else None
    if campaign is None:
        return None
    source = (SourceType.CAMPAIGN, campaign.pk)
    return imagine(contact.pk, Imagined(content, *source, campaign.topic_id, campaign.weight))


def _judged(verdict: Verdict) -> Step:
    title = "The policy, asked now"
    if verdict.status == "sending":
        return Step("verdict", title, GOOD, "Nothing in the policy stops it.")
    if verdict.status == "queued":
        until = when(verdict.resume_at) if verdict.resume_at else "later"
        return Step("verdict", title, WAIT, f"It waits until {until}: {verdict.reason}")
    if verdict.status == "held":
        return Step("verdict", title, WAIT, "Its source is paused.")
    if verdict.status == "cancelled":
        return Step("verdict", title, STOP, "Its source was cancelled.")
    return Step("verdict", title, STOP, verdict.reason)


def _concluded(
    contact: Contact, campaign: Campaign | None, message: Message | None, steps: list[Step], verdict: Verdict | None
) -> Why:
    """The first thing that stops it is the answer; else the first that it waits for; else nothing."""
    decided = message is not None and message.status not in (MessageStatus.QUEUED, MessageStatus.HELD)
    if decided and message is not None:
        told = next(step for step in steps if step.name == "message")
        return Why(contact, campaign, message, told.sentence, told.state, message.sent_at, steps)
    looked_at = steps if message is None else [step for step in steps if step.name in ("verdict", "words")]
    stop = next((step for step in looked_at if step.state == STOP), None)
    if stop is not None:
        return Why(contact, campaign, message, f"Not sent. {stop.sentence}", STOP, None, steps)
    goes_at = _goes_at(message, verdict)
    wait = next((step for step in looked_at if step.state == WAIT), None)
    if wait is not None:
        return Why(contact, campaign, message, f"Not yet. {wait.sentence}", WAIT, goes_at, steps)
    answer = f"Nothing stops it now; it would go {when(goes_at)}." if goes_at else "Nothing stops it now."
    if message is not None and message.run_at > clock.now() and message.reason:
        answer = f"{message.reason.rstrip('.')}. It would go {when(message.run_at)}."
    return Why(contact, campaign, message, answer, GOOD, goes_at, steps)


def _goes_at(message: Message | None, verdict: Verdict | None) -> datetime | None:
    if verdict is not None and verdict.resume_at is not None and verdict.status == "queued":
        return verdict.resume_at
    if verdict is None or verdict.status != "sending":
        return None
    return max(message.run_at, clock.now()) if message is not None else clock.now()
