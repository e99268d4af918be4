"""What the demo sets up through the services of the rooms. Running it twice adds nothing."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import ApiKey, ApiKeyKind, Member, Organization
from attribution import services as attribution
from audience import services as audience
from audience.models import Consent, Contact, EventDefinition, MessageChannel, Topic
from automations import services as automations
from automations.models import Automation
from automations.services import recipes
from campaigns import services as campaigns
from campaigns.auto import cycles
from campaigns.models import AnalysisCycle, Campaign, CampaignStatus, EmailTemplate, Target
from campaigns.services import Audience, OfferDraft
from common import clock, tenancy
from delivery import services as delivery
from delivery.models import DeliveryPolicy, Engagement, Message, MessageStatus, Sender
from experiments.services import ArmDraft
from marketing_site.demo.retail import CURRENCY
from marketing_site.demo.story import PAST_CAMPAIGN, SEED
from segments import services as segments
from segments.models import Segment
from viral import services as viral
from viral.models import Program, ReferralCode

ORGANIZATION_SLUG = "gift-shop"
OPENED_SHARE, CLICKED_SHARE = 0.42, 0.31  # of delivered, of opened
QUESTION, LIKED = "thank-you-question", 1.7  # how much better the letter that asks does in the simulation
KEY_NAME = "Demo web shop"
MILESTONE = 10  # orders

SEGMENTS: list[tuple[str, str, dict[str, Any]]] = [
    (
        "Big spenders",
        "At least one order above £500 in the last 90 days.",
        {
            "match": "all",
            "rules": [
                {
                    "event": "order_completed",
                    "operator": "did",
                    "count": 1,
                    "within": {"days": 90},
                    "where": [{"property": "total", "operator": "greater", "value": 500}],
                }
            ],
        },
    ),
    (
        "Regulars",
        "Three orders or more in the last 90 days.",
        {
            "match": "all",
            "rules": [{"event": "order_completed", "operator": "did", "count": 3, "within": {"days": 90}}],
        },
    ),
    (
        "Going quiet",
        "Bought in the last half year, but not in the last 90 days.",
        {
            "match": "all",
            "rules": [
                {"event": "order_completed", "operator": "did", "count": 1, "within": {"days": 180}},
                {"event": "order_completed", "operator": "did_not", "count": 1, "within": {"days": 90}},
            ],
        },
    ),
    (
        "Abroad",
        "Everybody outside the United Kingdom.",
        {
            "match": "all",
            "rules": [
                {"field": "country", "operator": "is_set"},
                {"field": "country", "operator": "not_equals", "value": "United Kingdom"},
            ],
        },
    ),
]

LETTER = """<html><body style="font-family: Georgia, serif; color: #1f2937; max-width: 560px; margin: auto">
<h1 style="color: #155e75">{heading}</h1>
<p>Dear {{{{ contact.name }}}},</p>
<p>{words}</p>
<p><a href="https://shop.example/{path}">{link}</a></p>
<p style="font-size: 12px; color: #6b7280">You get this because you are a customer of {{{{ organization.name }}}}.
<a href="{{{{ unsubscribe_url }}}}">Unsubscribe</a></p>
</body></html>"""
TEMPLATES = [
    {
        "name": "Welcome letter",
        "slug": "welcome-letter",
        "kind": "transactional",  # the answer to a sign-up
        "subject": "Welcome, {{ contact.name }}",
        "html": LETTER.format(
            heading="Welcome to the shop",
            words="good to have you. Here is what other people put on their shelves this week.",
            path="new",
            link="See what is new",
        ),
        "defaults": {"contact.name": "friend"},
    },
    {
        "name": "Thank-you letter",
        "slug": "thank-you-letter",
        "subject": "A thank-you for you, {{ contact.name }}",
        "html": LETTER.format(
            heading="Thank you",
            words="you were one of our best customers this season. Take 10 % off your next order.",
            path="thank-you",
            link="Take 10 % off",
        ),
        "defaults": {"contact.name": "friend"},
    },
    {
        "name": "Thank-you letter, as a question",
        "slug": QUESTION,
        "subject": "What would you put on your shelf, {{ contact.name }}?",
        "html": LETTER.format(
            heading="Choose something for yourself",
            words="you were one of our best customers this season, so your next order is 10 % off.",
            path="thank-you",
            link="Choose with 10 % off",
        ),
        "defaults": {"contact.name": "friend"},
    },
]


@dataclass(frozen=True)
class Stage:
    """The organisation and the key its web shop sends with."""

    organization: Organization
    write_key: str


def open_organization(email: str, password: str) -> Stage:
    """The demo organisation, its owner and its write key; made once."""
    with tenancy.engine():
        organization = Organization.objects.filter(slug=ORGANIZATION_SLUG).first()
    if organization is None:
        organization = accounts.create_organization(
            "Gift Shop (demo)", ORGANIZATION_SLUG, timezone="Europe/London", currency=CURRENCY, is_demo=True
        )
    owner = accounts.ensure_user(email, name="Dana Demo", password=password)
    with tenancy.organization(organization.pk):
        if not Member.objects.filter(user=owner).exists():
            accounts.add_member(owner, Role.OWNER)
        key = ApiKey.objects.filter(name=KEY_NAME, kind=ApiKeyKind.WRITE, revoked_at=None).first()
        write_key = key.public_key if key else accounts.issue_key(KEY_NAME, ApiKeyKind.WRITE)[1]
        # The demo is watched at any hour, so its mail does not wait for the morning.
        DeliveryPolicy.objects.get_or_create(defaults={"quiet_from": "00:00", "quiet_until": "00:00"})
        if not Sender.objects.exists():
            Sender.objects.create(name="Gift Shop", address="hello@shop.example", is_default=True)
        attribution.ensure_default_goals()
    return Stage(organization, write_key)


def invite(inviters: list[str]) -> dict[str, str]:
    """The referral programme and the inviters' codes by user id."""
    program = Program.objects.filter(slug="bring-a-friend").first() or viral.create_program(PROGRAM)
    contacts = dict(Contact.objects.filter(user_id__in=inviters).values_list("pk", "user_id"))
    codes = viral.ensure_codes(program, list(contacts))
    _invite_by_mail(program)
    return {contacts[pk]: code for pk, code in codes.items()}


def _invite_by_mail(program: Program) -> None:
    """Simulated invitations that nobody has answered yet."""
    draw = random.Random(SEED)
    for code in (
        ReferralCode.objects.filter(program=program)
        .select_related("contact", "program")
        .order_by("contact__user_id")[:40]
    ):
        friends = [f"friend-{number}.of.{code.contact.user_id}@shop.example" for number in range(draw.randint(1, 3))]
        viral.note_invitations(code, friends)


PROGRAM: dict[str, Any] = {
    "name": "Bring a friend",
    "slug": "bring-a-friend",
    "landing_url": "https://shop.example/friends",
    "inviter_reward_kind": "credit",
    "inviter_reward_amount": 1000,
    "invitee_reward_kind": "credit",
    "invitee_reward_amount": 500,
    "currency": CURRENCY,
}


def agree() -> int:
    """Record that the customers agreed to letters (the history holds no consent of its own)."""
    agreed = Consent.objects.filter(channel=MessageChannel.EMAIL).values("contact_id")
    contacts = Contact.objects.filter(merged_into=None).exclude(email="").exclude(pk__in=agreed)
    ids = list(contacts.values_list("pk", flat=True))
    if ids:
        audience.grant_consent(
            ids,
            MessageChannel.EMAIL,
            None,
            "demo",
            wording="Yes, write to me about offers and news.",
            proof={"simulated": True},
        )
    return len(ids)


def group() -> None:
    """The segments; their rules are built in the background."""
    for name, description, rule in SEGMENTS:
        if not Segment.objects.filter(name=name).exists():
            segments.create_segment(name=name, description=description, rule=rule)


def write() -> dict[str, EmailTemplate]:
    """The templates, published."""
    templates = {}
    for values in TEMPLATES:
        template = EmailTemplate.objects.filter(slug=values["slug"]).first() or campaigns.create_template(values)
        if template.published_id is None:
            campaigns.publish_template(template)
            template.refresh_from_db()
        templates[str(values["slug"])] = template
    return templates


def automate(template: EmailTemplate) -> None:
    """The welcome workflow. It is made after the history, so that nobody of last year is welcomed now."""
    if Automation.objects.filter(slug="welcome").exists():
        return
    automations.create_automation(
        {
            "name": "Welcome",
            "slug": "welcome",
            "description": "Welcomes whoever comes, and asks a colleague to follow up with the valuable ones.",
            "trigger_type": "lead_created",
            "trigger_configuration": {},
            "is_active": True,
            "run_immediately": True,
            "actions": [
                {"action_type": "send_email", "configuration": {"template_id": template.pk}},
                {"action_type": "add_tag", "configuration": {"tag": "welcomed"}},
                {"action_type": "create_task", "configuration": {"title": "Say hello", "task_type": "follow_up"}},
            ],
        }
    )


def prepare() -> None:
    """A recipe, installed and switched off: to be rehearsed against the year that was, and switched on by whoever
    likes what it would have done."""
    recipes.install("milestone-celebration", {"orders": MILESTONE})


def date_back() -> None:
    """Who reached the milestone did so with that very order, not on the day on which the demo was filled."""
    with connection.cursor() as cursor:
        cursor.execute(
            """WITH reached AS (
                 SELECT contact_id, happened_at,
                        row_number() OVER (PARTITION BY contact_id ORDER BY happened_at) AS place
                 FROM audience_event WHERE organization_id = %(organization)s AND definition_id = %(order)s)
               UPDATE segments_membership membership SET entered_at = reached.happened_at
               FROM reached, segments_segment segment
               WHERE segment.organization_id = %(organization)s AND segment.slug = %(slug)s
                 AND membership.organization_id = %(organization)s AND membership.segment_id = segment.id
                 AND membership.contact_id = reached.contact_id AND reached.place = %(milestone)s""",
            {
                "organization": tenancy.required(),
                "order": EventDefinition.objects.get(name="order_completed").pk,
                "slug": f"recipe-milestone-{MILESTONE}",
                "milestone": MILESTONE,
            },
        )


def remember() -> Campaign:
    """Last autumn's campaign, from before Groundswell came; drafted first, so that its visits find it."""
    past = Campaign.objects.filter(utm_campaign=PAST_CAMPAIGN).first()
    return past or campaigns.create_campaign(
        {
            "name": "Autumn catalogue",
            "description": "From before Groundswell came. Its clicks are simulated, the orders after them real.",
            "utm_campaign": PAST_CAMPAIGN,
            "cost_minor": 4_200_000,
        },
        offers=[OfferDraft("discount", Decimal(5), code="AUTUMN5")],
    )


def show(past: Campaign) -> None:
    """Offer last autumn's discount to the regulars."""
    if past.status == CampaignStatus.DRAFT:
        regulars = Segment.objects.get(name="Regulars")
        campaigns.launch(campaigns.update_campaign(past, {}, audience=Audience([regulars.pk])))


def close(past: Campaign) -> None:
    """End last autumn's campaign, once its targets stand."""
    past.refresh_from_db()
    if past.status == CampaignStatus.ACTIVE:
        campaigns.complete(past)


def announce(statement: EmailTemplate, question: EmailTemplate) -> Campaign:
    """The campaign that goes out now, half of it with one letter and half with the other."""
    topic, _ = Topic.objects.get_or_create(slug="offers", defaults={"name": "Offers"})
    regulars = Segment.objects.get(name="Regulars")
    abroad = Segment.objects.get(name="Abroad")
    campaign = Campaign.objects.filter(utm_campaign="thank-you").first()
    return campaign or campaigns.create_campaign(
        {
            "name": "Thank-you letter",
            "description": "Ten per cent off for the regulars of the last 90 days, at home.",
            "template_id": statement.pk,
            "topic_id": topic.pk,
            "utm_campaign": "thank-you",
            "cost_minor": 15_000,
        },
        audience=Audience([regulars.pk], [abroad.pk]),
        offers=[OfferDraft("discount", Decimal(10), code="THANKS10", expires_at=clock.now() + timedelta(days=30))],
        arms=[
            ArmDraft(letter.slug, letter.name, payload={"template_id": letter.pk}) for letter in (statement, question)
        ],
    )


def analyse() -> None:
    """What the nightly analysis would propose, now."""
    if not AnalysisCycle.objects.exists():
        cycles.request()


def spend() -> None:
    """What the simulated advertising cost, by month."""
    today = clock.now().date()
    for months_ago in range(12):
        day = (today - timedelta(days=30 * months_ago + 15)).replace(day=1)
        for channel, amount_minor in (("paid_search", 90_000), ("paid_social", 60_000)):
            attribution.save_cost(
                attribution.CostDraft(day=day, channel=channel, amount_minor=amount_minor, note="demo")
            )


def engage(campaign: Campaign) -> int:
    """Simulated opens and clicks of what was really sent; marked so wherever they are shown. Returns how many."""
    messages = Message.objects.filter(source_type="campaign", source_id=campaign.pk)
    if Engagement.objects.filter(message__in=messages, is_simulated=True).exists():
        return 0
    draw = random.Random(SEED)
    asked = set(Target.objects.filter(campaign=campaign, arm__key=QUESTION).values_list("contact_id", flat=True))
    sent = messages.filter(status=MessageStatus.SENT).order_by("pk")
    opened = [message for message in sent if draw.random() < OPENED_SHARE]
    clicked = [
        message for message in opened if draw.random() < CLICKED_SHARE * (LIKED if message.contact_id in asked else 1)
    ]
    delivery.simulate_engagement(
        [message.pk for message in opened], [message.pk for message in clicked], "https://shop.example/thank-you"
    )
    return len(opened) + len(clicked)
