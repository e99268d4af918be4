"""A small living organisation for the browser tests: people, events, messages, money, and things that wait."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import ApiKeyKind, Organization, User
from attribution.domain.models import attribution_models, divide
from attribution.models import Conversion, Cost, Credit, Goal, Touchpoint
from audience import services as audience
from audience.models import Contact, RejectedEvent, Topic
from audience.services import InternalEvent
from automations import services as automations
from automations.models import AutomationRun
from automations.services import engine
from campaigns.models import Campaign, EmailTemplate
from common import clock, tenancy
from delivery.models import Content, Message, Sender
from segments.models import Membership, Segment
from viral.models import Program, Referral, ReferralCode

PASSWORD = "correct horse battery"
EMAIL = "olga@harbour.example"
FIRST = ["Ada", "Ben", "Chloé", "Dmitri", "Esra", "Femi", "Grace", "Hiro", "Inés", "Jonas", "Kaja", "Liam"]
LAST = ["Abara", "Brandt", "Costa", "Dupont", "Eriksen", "Fofana", "Garcia", "Haddad", "Ito", "Jansen"]
CITIES = ["Leeds", "Lyon", "Porto", "Aarhus", "Kraków", "Bergen"]
CHANNELS = ["email", "paid_search", "referral", "organic_search"]
EVENTS = {"page_viewed": 400, "product_viewed": 180, "order_completed": 90, "email_sent": 160, "email_opened": 70}


@dataclass(frozen=True)
class Town:
    """What tests need to know of it."""

    organization_id: int
    owner: User
    contact_id: int
    segment_id: int

    def session(self) -> str:
        """A session of the owner, as its cookie carries it."""
        store = SessionStore()
        store["_auth_user_id"] = str(self.owner.pk)
        store["_auth_user_backend"] = settings.AUTHENTICATION_BACKENDS[0]
        store["_auth_user_hash"] = self.owner.get_session_auth_hash()
        store.save()
        return str(store.session_key)


def build() -> Town:
    """Everything below, committed."""
    place = accounts.create_organization("Harbour & Co", "harbour", timezone="Europe/London", currency="GBP")
    other = accounts.create_organization("Lighthouse", "lighthouse")
    owner = accounts.ensure_user(EMAIL, name="Olga Owner", password=PASSWORD)
    with tenancy.organization(other.pk):
        accounts.add_member(owner, Role.ANALYST)
    with tenancy.organization(place.pk):
        accounts.add_member(owner, Role.OWNER)
        accounts.add_member(accounts.ensure_user("max@harbour.example", name="Max Marketer"), Role.MARKETER)
        accounts.issue_key("Web shop", ApiKeyKind.WRITE)
        accounts.issue_key("Nightly export", ApiKeyKind.SECRET, scopes=["segments:read"])
        return _fill(place, owner)


def _fill(place: Organization, owner: User) -> Town:
    chance = random.Random(7)
    contacts = Contact.objects.bulk_create([_contact(index, chance) for index in range(60)])
    _events(contacts, chance)
    segment = _segments(contacts)
    _messages(contacts, chance)
    _automations(contacts)
    _money(contacts, chance)
    _friends(contacts, chance)
    RejectedEvent.objects.create(
        protocol="segment",
        code="bad_timestamp",
        reason='"yesterday" is not a time; send ISO 8601.',
        body={"event": "x"},
    )
    return Town(place.pk, owner, contacts[0].pk, segment.pk)


def _contact(index: int, chance: random.Random) -> Contact:
    name = f"{FIRST[index % len(FIRST)]} {LAST[index % len(LAST)]}"
    address = f"{name.split()[0].lower()}.{index}@example.com"
    seen = clock.now() - timedelta(hours=chance.randrange(1, 900))
    return Contact(
        name=name, email=address, city=chance.choice(CITIES), source="web", value_minor=chance.randrange(90_000),
        currency="GBP", status=chance.choice(["new", "active", "customer"]), tags=["vip"] if index % 9 == 0 else [],
        attributes={"plan": "pro", "visits": index}, last_seen_at=seen, first_seen_at=seen - timedelta(days=80),
    )  # fmt: skip


def _events(contacts: list[Contact], chance: random.Random) -> None:
    now = clock.now()
    events = []
    for name, count in EVENTS.items():
        for index in range(count):
            happened_at = now - timedelta(minutes=chance.randrange(1, 60 * 24 * 60))
            value = chance.randrange(1500, 25_000) if name == "order_completed" else None
            contact = chance.choice(contacts)
            events.append(
                InternalEvent(contact.pk, name, happened_at, f"{name}-{index}", value_minor=value, currency="GBP")
            )
    audience.record(events)
    audience.process(tenancy.required())


def _segments(contacts: list[Contact]) -> Segment:
    rule = {"all": [{"attribute": "status", "operator": "equals", "value": "customer"}]}
    segment = Segment.objects.create(
        name="Customers", slug="customers", rule=rule, member_count=20, built_at=clock.now()
    )
    Segment.objects.create(name="Hand-picked friends", slug="friends", kind="static")
    Membership.objects.bulk_create([Membership(segment=segment, contact=contact) for contact in contacts[:20]])
    return segment


def _messages(contacts: list[Contact], chance: random.Random) -> None:
    sender = Sender.objects.create(name="Harbour", address="hello@harbour.example", is_default=True)
    topic = Topic.objects.create(name="News", slug="news")
    content = Content.objects.create(name="Autumn", subject="Warm things", html="<p>Hello</p>", checksum="c" * 64)
    EmailTemplate.objects.create(
        name="Autumn", slug="autumn", subject="Warm things", html="<p>Hello {{ contact.name }}</p>"
    )
    campaign = Campaign.objects.create(
        name="Autumn jumpers", status="active", sender=sender, topic=topic, cost_minor=12_000
    )
    Campaign.objects.create(name="Winter boots", status="draft")
    Message.objects.bulk_create(
        [
            Message(
                idempotency_key=f"m{index}", contact=contact, content=content, source_type="campaign",
                source_id=campaign.pk, address=contact.email, sent_at=clock.now() - timedelta(hours=index),
                opened_at=clock.now() if chance.random() < 0.4 else None,
                status="uncertain" if index == 3 else "sent",
            )
            for index, contact in enumerate(contacts)
        ]
    )  # fmt: skip


def _automations(contacts: list[Contact]) -> None:
    """Twelve people wait in a workflow, one of them among the dead letters; a task and a scheduled task wait too."""
    city = {"field": "city", "operator": "equals", "value": "Leeds"}
    task = {"action_type": "create_task", "configuration": {"title": "Say hello", "due_date": 2}}
    wait = {"action_type": "wait", "configuration": {"hours": 3}}
    welcome = automations.create_automation(
        {
            "name": "Welcome",
            "is_active": True,
            "trigger_type": "lead_created",
            "actions": [
                {"action_type": "add_tag", "configuration": {"tag": "welcomed"}},
                {
                    "action_type": "branch",
                    "configuration": {"rule": city},
                    "branches": {"then": [task], "otherwise": [{"action_type": "exit", "is_active": False}]},
                },
                wait,
                {"action_type": "update_status", "configuration": {"status": "contacted"}},
            ],
        }
    )
    automations.start(welcome, [contact.pk for contact in contacts[:12]])
    engine.run(tenancy.required())
    AutomationRun.objects.filter(contact=contacts[11]).update(status="failed", error="There is no template any more.")
    automations.create_task({"title": "Call Ada about the boots", "contact_id": contacts[0].pk})
    automations.schedule(
        {
            "name": "Every Monday",
            "task_type": "start_automation",
            "payload": {"automation_id": welcome.pk, "contact_ids": [contacts[20].pk]},
            "schedule_type": "recurring",
            "cron": "0 9 * * mon",
        }
    )


def _money(contacts: list[Contact], chance: random.Random) -> None:
    goal = Goal.objects.create(name="Orders", event_name="order_completed", counts_as_revenue=True)
    campaigns = [Campaign.objects.get(name="Autumn jumpers")]
    campaigns += [Campaign.objects.create(name=name, status="completed") for name in ("Summer sale", "Welcome back")]
    for campaign, cost in zip(campaigns, (12_000, 90_000, 0), strict=True):
        if cost:
            Cost.objects.create(day=clock.now().date(), campaign=campaign, amount_minor=cost, currency="GBP")
    for index in range(40):
        _order(index, goal, chance.choice(contacts), campaigns, chance)


def _order(index: int, goal: Goal, contact: Contact, campaigns: list[Campaign], chance: random.Random) -> None:
    at = clock.now() - timedelta(hours=chance.randrange(1, 24 * 150))
    value = chance.randrange(2_000, 20_000)
    order = Conversion.objects.create(
        goal=goal, contact=contact, event_id=index + 1, value_minor=value, currency="GBP",
        order_id=f"A{1000 + index}",
        happened_at=at, status="done",
    )  # fmt: skip
    ages = sorted((chance.randrange(1, 25) for _ in range(chance.randrange(4))), reverse=True)
    touches = [
        Touchpoint.objects.create(
            contact=contact, kind="click", channel=chance.choice(CHANNELS),
            campaign=chance.choice(campaigns), happened_at=at - timedelta(days=age),
        )
        for age in ages
    ]  # fmt: skip
    for name, model in attribution_models.items():
        if touches:
            Credit.objects.bulk_create(
                Credit(
                    conversion=order, touchpoint=touch, model=name, amount_minor=part.amount_minor, share=part.share
                )
                for touch, part in zip(touches, divide(model, value, ages), strict=True)
            )


def _friends(contacts: list[Contact], chance: random.Random) -> None:
    program = Program.objects.create(
        name="Bring a friend", slug="friends", landing_url="https://harbour.example/friends"
    )
    for index, inviter in enumerate(contacts[:14]):
        code = ReferralCode.objects.create(program=program, contact=inviter, code=f"FRIEND{index}")
        invited_at = clock.now() - timedelta(days=chance.randrange(1, 28))
        moments = {"created_at": invited_at}
        status = chance.choice(["invited", "clicked", "signed_up", "qualified", "rewarded"])
        for step in ("clicked", "signed_up", "qualified", "rewarded"):
            if status == "invited":
                break
            moments[f"{step}_at"] = invited_at + timedelta(hours=6 * len(moments))
            if step == status:
                break
        Referral.objects.create(
            program=program, code=code, inviter=inviter, invitee=contacts[30 + index], status=status,
            value_minor=4_500 if "qualified_at" in moments else None, currency="GBP", **moments,
        )  # fmt: skip
