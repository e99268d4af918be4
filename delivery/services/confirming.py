"""The mail of a double opt-in: a link that says “yes, that was me”. It is awaited, so no consent is needed for it."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from accounts import audit
from audience import services as audience
from audience.models import ConsentRequest
from audience.services import opt_in
from common import tenancy
from common.errors import Invalid
from delivery import links
from delivery.domain import template_rules
from delivery.models import ConfirmationLetter, Content, MessageKind, SourceType
from delivery.services import content as contents
from delivery.services.queue import Outgoing, queue

SUBJECT = "Please confirm: {{ subscription }}"
HTML = """<html><body style="font:16px/1.6 sans-serif;color:#1c2830;max-width:34rem;margin:0 auto;padding:24px">
<p>Hello,</p>
<p>somebody, probably you, asked {{ organization.name }} for this: <strong>{{ subscription }}</strong>.</p>
<p><a href="{{ confirm_url }}" style="display:inline-block;padding:12px 24px;background:#0b6487;color:#ffffff;
border-radius:6px;text-decoration:none">Yes, that was me</a></p>
<p>If it was not you, do nothing: without the click nothing is sent.</p>
</body></html>"""
VARIABLES = ("confirm_url", "subscription")


def built_in() -> ConfirmationLetter:
    """The mail that goes where nobody wrote one."""
    return ConfirmationLetter(locale="", subject=SUBJECT, html=HTML)


def save_letter(letter: ConfirmationLetter) -> ConfirmationLetter:
    """Set the words of the confirmation mail in one language. Raises `Invalid` by field."""
    letter.locale = letter.locale.strip()
    if ConfirmationLetter.objects.filter(locale=letter.locale).exclude(pk=letter.pk).exists():
        raise Invalid("There is one already.", details={"locale": "There is a mail in this language already."})
    if not template_rules.mentions(letter.html, "confirm_url"):
        sentence = "Without {{ confirm_url }} nobody can confirm; put the link in."
        raise Invalid(sentence, details={"html": sentence})
    with transaction.atomic():
        publish(letter)
        if letter._state.adding:
            letter.save()
            audit.created(letter)
        else:
            with audit.changing(letter):
                letter.save()
    return letter


def delete_letter(letter: ConfirmationLetter) -> None:
    """Take a language away; the mail for all others, or the built-in one, goes instead."""
    with transaction.atomic():
        audit.deleted(letter)
        letter.delete()


def publish(letter: ConfirmationLetter) -> Content:
    """The letter as immutable content; the same words give the same row. Raises `Invalid`."""
    return contents.publish_content(
        "Confirmation of a subscription",
        MessageKind.TRANSACTIONAL,
        letter.subject,
        letter.html,
        "",
        {},
        variables=VARIABLES,
    )


def letter_for(locale: str) -> ConfirmationLetter:
    """The letter in a contact's language: `de-AT`, else `de`, else the one for all others, else the built-in one."""
    written = {letter.locale.lower(): letter for letter in ConfirmationLetter.objects.all()}
    exact = locale.lower().replace("_", "-")
    for name in (exact, exact.partition("-")[0], ""):
        if name in written:
            return written[name]
    return built_in()


def send_links(request_ids: Sequence[int]) -> int:
    """Queue the mail with the link for each open request, once per notice; returns how many are new.

    Over the limit of mails within a day, or without an address, none goes.
    """
    settings = opt_in.current()
    sent = 0
    with transaction.atomic():
        open_ones = ConsentRequest.objects.select_for_update(of=("self",)).filter(
            pk__in=request_ids, confirmed_at=None
        )
        for request in open_ones.select_related("contact", "topic"):
            if opt_in.may_mail(request, settings):
                count = _send(request)
                sent += count
                if count:
                    opt_in.note_mailed(request)
    return sent


def _send(request: ConsentRequest) -> int:
    # A notice may come twice; asking again renews the time, and so gives another key.
    key = f"confirm:{request.pk}:{request.expires_at.timestamp():.6f}"
    variables = {
        "confirm_url": links.address(links.CONFIRM, tenancy.required(), request.pk),
        "subscription": subscription(request),
    }
    return queue(
        [Outgoing(request.contact_id, key, variables)],
        content_id=publish(letter_for(request.contact.locale)).pk,
        source_type=SourceType.CONFIRMATION,
        source_id=request.pk,
    )


def subscription(request: ConsentRequest) -> str:
    """What somebody would get, in a few words."""
    return request.topic.name if request.topic else "news and offers by e-mail"


def confirm(request_id: int, *, address: str, user_agent: str) -> ConsentRequest | None:
    """The click. Returns the request, confirmed or not (its time had run out), or None when there is none."""
    request = ConsentRequest.objects.select_related("topic", "contact").filter(pk=request_id).first()
    if request is None:
        return None
    audience.confirm(request, {"ip_address": address, "user_agent": user_agent[:300]})
    request.refresh_from_db()
    return request
