"""What this room's tests need, made by plain functions with defaults."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

from audience import services as audience
from audience.models import Consent, ConsentState, Contact, Identity, IdentityKind
from campaigns import services
from campaigns.models import Campaign, EmailTemplate, Target
from delivery.models import DeliveryPolicy, Sender
from segments.models import Membership, Segment, SegmentKind

HTML = '<html><body><p>Hello {{ contact.name }}</p><a href="https://shop.example/sale">Sale</a></body></html>'


def open_doors() -> None:
    """No quiet hours, no caps, a sender: messages go whenever the test runs."""
    DeliveryPolicy.objects.create(
        most_per_day=1000, hours_between=0, quiet_from=time(0), quiet_until=time(0), requires_consent=True
    )
    Sender.objects.create(name="Acme", address="hello@acme.example", is_default=True)


def contacts(count: int = 1, *, start: int = 1, consented: bool = True, **fields: Any) -> list[Contact]:
    """Contacts `person1@crowd.example` … with identities and, unless told, consent to e-mail."""
    made = Contact.objects.bulk_create(
        Contact(
            **{
                "name": f"Person {number}",
                "email": f"person{number}@crowd.example",
                "user_id": f"user-{number}",
                **fields,
            }
        )
        for number in range(start, start + count)
    )
    Identity.objects.bulk_create(
        Identity(contact=contact, kind=kind, value=value)
        for contact in made
        for kind, value in ((IdentityKind.USER_ID, contact.user_id), (IdentityKind.EMAIL, contact.email))
        if value
    )
    if consented:
        Consent.objects.bulk_create(
            Consent(contact=contact, channel="email", state=ConsentState.GRANTED, how="test") for contact in made
        )
    return made


def segment(members: Sequence[Contact] = (), *, name: str = "Everybody", **fields: Any) -> Segment:
    made = Segment.objects.create(
        **{
            "name": name,
            "slug": name.lower().replace(" ", "-"),
            "kind": SegmentKind.STATIC,
            "member_count": len(members),
            **fields,
        }
    )
    Membership.objects.bulk_create(Membership(segment=made, contact=contact) for contact in members)
    return made


def template(*, name: str = "Sale", published: bool = True, **fields: Any) -> EmailTemplate:
    made = services.create_template({"name": name, "subject": "Sale for {{ contact.name }}", "html": HTML, **fields})
    if published:
        services.publish_template(made)
    return EmailTemplate.objects.get(pk=made.pk)


def campaign(
    include: Sequence[Segment] = (),
    exclude: Sequence[Segment] = (),
    *,
    offers: Sequence[services.OfferDraft] = (),
    **fields: Any,
) -> Campaign:
    """A draft ready to launch, with a published template unless `template_id` says otherwise."""
    if "template_id" not in fields:
        known = EmailTemplate.objects.first()
        fields["template_id"] = (known or template()).pk
    return services.create_campaign(
        {"name": "Summer sale", **fields},
        audience=services.Audience([row.pk for row in include], [row.pk for row in exclude]),
        offers=offers,
    )


def offer_campaign(people: Sequence[Contact], **fields: Any) -> Campaign:
    """An active campaign with an offer and no mail, whose audience is fixed."""
    made = campaign(
        [segment(people, name=f"Audience of {fields.get('name', 'offer')}")],
        template_id=None,
        offers=[services.OfferDraft("discount", value="15.00", code="SUN15")],  # type: ignore[arg-type]
        **fields,
    )
    services.launch(made)
    services.work(made.organization_id)
    return Campaign.objects.get(pk=made.pk)


def targeted(campaign: Campaign) -> set[int]:
    return set(Target.objects.filter(campaign=campaign).values_list("contact_id", flat=True))


def clicked(campaign: Campaign, contact_id: int, moment: datetime) -> None:
    """The contact clicked in the campaign's message."""
    properties = {"campaign_id": campaign.pk, "url": "https://shop.example/sale"}
    audience.record([audience.InternalEvent(contact_id, "email_clicked", moment, f"click:{contact_id}", properties)])
