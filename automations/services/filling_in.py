"""A form that somebody filled in: a contact, an event, and what they agreed to, in one transaction.

Whoever knows an address can type it, so an address is a claim and no proof. A claim may make a contact, and may
start a workflow for one; it changes no field of a contact that is there already, and names it in no new way. A yes
of somebody who said no before is asked for by mail, whatever the organisation's rule for new ones is.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from audience import services as audience
from audience.domain.incoming import email_address
from audience.models import Consent, ConsentRequest, Identity, IdentityKind, MessageChannel, Topic
from audience.services import InternalEvent
from automations.triggers import form
from common import clock, tenancy
from common.errors import Conflict, Invalid

logger = logging.getLogger(__name__)

TRIES = 3  # two who make the same contact at once


@dataclass(frozen=True)
class Origin:
    """From where a form was sent; kept with what was agreed to."""

    address: str = ""
    user_agent: str = ""
    page: str = ""


def take_form(
    organization_id: int, settings: form.Configuration, given: Mapping[str, str], sent_id: str, origin: Origin
) -> None:
    """Take one filled in form, once for each `sent_id`. Raises `Invalid` by question; then nothing is written."""
    answers = _answers(settings, given)
    agrees = bool(settings.consent_words.strip()) and given.get(form.CONSENT) == "yes"
    with tenancy.organization(organization_id), transaction.atomic():
        contact_id = _contact(answers)
        audience.record(
            [
                InternalEvent(
                    contact_id,
                    form.EVENT,
                    clock.now(),
                    f"form:{settings.key}:{sent_id}",
                    answers | {"form": settings.key},
                )
            ]
        )
        if agrees:
            _agree(contact_id, settings, sent_id, origin)


def _answers(settings: form.Configuration, given: Mapping[str, str]) -> dict[str, str]:
    answers, wrong = {}, {}
    for question in settings.questions:
        text = str(given.get(question.name, "")).strip()
        if problem := _problem(question, text):
            wrong[question.name] = problem
        elif text:
            answers[question.name] = text
    if settings.consent_required and settings.consent_words.strip() and given.get(form.CONSENT) != "yes":
        wrong[form.CONSENT] = "Please tick this box."
    if wrong:
        raise Invalid("Some answers are missing or cannot be used.", details=wrong)
    return answers


def _problem(question: form.Question, text: str) -> str:
    longest = form.LONGEST_TEXT if question.kind == "text" else form.LONGEST_LINE
    if question.required and not text:
        return "Please fill this in."
    if len(text) > longest:
        return f"Please use at most {longest:,} characters."
    is_address = question.kind == "email" or question.name == "email"
    return "This is not an e-mail address." if is_address and text and not email_address(text) else ""


def _contact(answers: Mapping[str, str]) -> int:
    """Whoever has this address, as they are; otherwise somebody new with these answers."""
    for _ in range(TRIES):
        known = _known(answers["email"])
        if known is not None:
            return known
        try:
            with transaction.atomic():
                return _made(answers)
        except Conflict:
            continue  # somebody was quicker: they are known now
    raise Invalid("This could not be taken just now.", details={"email": "Please send it once more."})


def _known(email: str) -> int | None:
    found = (
        Identity.objects.filter(kind=IdentityKind.EMAIL, value=email_address(email)).select_related("contact").first()
    )
    return None if found is None else found.contact.merged_into_id or found.contact_id


def _made(answers: Mapping[str, str]) -> int:
    fields = {name: text for name, text in answers.items() if name in form.STANDARD}
    attributes = {name: text for name, text in answers.items() if name not in form.STANDARD}
    try:
        return int(audience.create_contact(attributes=attributes, **fields).pk)
    except Conflict:
        raise
    except Invalid as error:
        places = {place.removeprefix("attributes."): sentence for place, sentence in error.details.items()}
        raise Invalid("Some answers are missing or cannot be used.", details=places) from error


def _agree(contact_id: int, settings: form.Configuration, sent_id: str, origin: Origin) -> None:
    topic = Topic.objects.filter(slug=settings.consent_topic).first() if settings.consent_topic else None
    if settings.consent_topic and topic is None:
        logger.error("The form %s asks for the topic %s, which is gone", settings.key, settings.consent_topic)
        sentence = "This cannot be agreed to at the moment."
        raise Invalid(sentence, details={form.CONSENT: sentence})
    for ledger in (Consent, ConsentRequest):
        if ledger.objects.filter(contact_id=contact_id, proof__sent=sent_id).exists():
            return
    audience.grant_consent(
        [contact_id],
        MessageChannel.EMAIL,
        topic.pk if topic else None,
        f"form “{settings.key}”",
        settings.consent_words.strip(),
        {
            "ip_address": origin.address,
            "user_agent": origin.user_agent[:300],
            "page": origin.page[:500],
            "form": settings.key,
            "sent": sent_id,
        },
        is_claimed=True,
    )
