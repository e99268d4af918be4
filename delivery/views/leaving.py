"""Pages that a mail leads to: unsubscribe, preferences, confirm. A token says whose they are; GET asks, POST does."""

from __future__ import annotations

from zoneinfo import available_timezones

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts import actor
from accounts.middleware import client_address
from accounts.models import Organization
from audience.models import ConsentRequest, Contact, MessageChannel, Topic
from audience.services import opt_in
from common import clock, tenancy
from common.errors import Invalid
from delivery import links
from delivery.domain.tokens import Reference
from delivery.models import Frequency, LeavingReason, Message
from delivery.services import confirming, engagement, preferences
from delivery.services.preferences import Choice, Proof
from delivery.views.plain import not_found, page

ONE_CLICK = "One-Click"  # RFC 8058: the body is List-Unsubscribe=One-Click
LANGUAGES = {
    "da": "Dansk", "de": "Deutsch", "en": "English", "es": "Español", "fi": "Suomi", "fr": "Français",
    "it": "Italiano", "ja": "日本語", "nb": "Norsk", "nl": "Nederlands", "pl": "Polski", "pt": "Português",
    "sv": "Svenska", "tr": "Türkçe", "uk": "Українська", "zh": "中文",
}  # fmt: skip


@csrf_exempt  # mail programs post without cookies (RFC 8058); the token is the proof
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, POST does: link scanners follow every link, and must not unsubscribe anybody."""
    reference = links.read(links.UNSUBSCRIBE, token)
    if reference is None:
        return not_found(request)
    who = actor.Actor("recipient", client_address(request))
    with tenancy.organization(reference.organization_id), actor.acting(who):
        is_known = request.method != "POST" or _leave(request, reference.message_id)
        message = Message.objects.filter(pk=reference.message_id).first()
        if message is None or not is_known:
            return not_found(request)
        return _unsubscribe_page(request, reference, message)


def _leave(request: HttpRequest, message_id: int) -> bool:
    action = request.POST.get("action")
    if action == "subscribe":
        return engagement.resubscribe(message_id)
    if action == "reason":
        reason, words = request.POST.get("reason", ""), request.POST.get("words", "")
        return engagement.tell_reason(message_id, reason, words)
    is_one_click = request.POST.get("List-Unsubscribe") == ONE_CLICK
    return engagement.unsubscribe(
        message_id, how="one-click unsubscribe" if is_one_click else "unsubscribe page", only_topic=action == "topic"
    )


def _unsubscribe_page(request: HttpRequest, reference: Reference, message: Message) -> HttpResponse:
    topic = Topic.objects.filter(pk=message.topic_id).first() if message.topic_id else None
    context = {
        "organization": Organization.objects.get(pk=reference.organization_id),
        "address": message.address,
        "is_mail": message.channel == MessageChannel.EMAIL,
        "channel": message.get_channel_display(),
        "topic": topic,
        "is_unsubscribed": message.unsubscribed_at is not None,
        "reasons": LeavingReason.choices,
        "farewell": engagement.farewell_of(message.pk),
        "preferences_url": _path(links.PREFERENCES, reference),
    }
    return page(request, "delivery/unsubscribe.html", context, _person(message))


@csrf_exempt  # the token is the proof, and there is no session to protect
@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest, token: str) -> HttpResponse:
    """The preference centre: what somebody gets, by which channel, how often; only a POST writes."""
    reference = links.read(links.PREFERENCES, token)
    if reference is None:
        return not_found(request)
    who = actor.Actor("recipient", client_address(request))
    with tenancy.organization(reference.organization_id), actor.acting(who):
        message = Message.objects.filter(pk=reference.message_id).first()
        contact = _person(message) if message is not None else None
        if contact is None:
            return not_found(request)
        if request.method != "POST":
            return _choices_page(request, reference, contact)
        try:
            _change(request, contact, reference.message_id)
        except Invalid as error:
            return _choices_page(request, reference, contact, error)
        return HttpResponseRedirect(f"{request.path}?saved")


def _change(request: HttpRequest, contact: Contact, message_id: int) -> None:
    proof = Proof(message_id, client_address(request) or "", request.headers.get("User-Agent", ""))
    action = request.POST.get("action")
    if action == "pause":
        preferences.pause(contact)
    elif action == "go_on":
        preferences.end_pause(contact)
    elif action == "nothing":
        preferences.refuse_everything(contact, proof)
    else:
        preferences.choose(contact, _choice(request), proof)


def _choice(request: HttpRequest) -> Choice:
    """What the form says. A box is called `topic:channel`, the row of everything else `rest:channel`."""
    ticked = set()
    for name in request.POST.getlist("wanted"):
        topic, _, channel = name.partition(":")
        if channel in MessageChannel.values and (topic == "rest" or (topic.isascii() and topic.isdigit())):
            ticked.add((None if topic == "rest" else int(topic), channel))
    locale = request.POST.get("locale", "")
    return Choice(
        frozenset(ticked),
        request.POST.get("frequency", Frequency.ANY),
        request.POST.get("timezone", ""),
        locale if locale in LANGUAGES else "",
    )


def _choices_page(
    request: HttpRequest, reference: Reference, contact: Contact, refusal: Invalid | None = None
) -> HttpResponse:
    picture = preferences.picture(contact)
    language = contact.locale.replace("_", "-").partition("-")[0].lower()
    context = {
        "organization": Organization.objects.get(pk=reference.organization_id),
        "picture": picture,
        "channels": [(channel, MessageChannel(channel).label) for channel in picture.channels],
        "frequencies": Frequency.choices,
        "pause_days": preferences.PAUSE_DAYS,
        "zones": sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/")),
        "languages": LANGUAGES.items(),
        "language_now": language,
        "refusal": refusal,
        "is_saved": "saved" in request.GET,
    }
    status = 200 if refusal is None else refusal.http_status
    return page(request, "delivery/preferences.html", context, contact, status)


@csrf_exempt  # the token is the proof, and there is no session to protect
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The second half of a double opt-in: a page with a button, and what the button does."""
    reference = links.read(links.CONFIRM, token)
    if reference is None:
        return not_found(request)
    # What the token calls a message is the request here; the key of the purpose keeps the two apart.
    request_id = reference.message_id
    who = actor.Actor("recipient", client_address(request))
    with tenancy.organization(reference.organization_id), actor.acting(who):
        asked = ConsentRequest.objects.select_related("topic", "contact").filter(pk=request_id).first()
        if asked is None:
            return not_found(request)
        is_new = False
        if request.method == "POST" and request.POST.get("action") == "again":
            is_new = opt_in.remind(asked)
        elif request.method == "POST":
            agent = request.headers.get("User-Agent", "")
            asked = confirming.confirm(request_id, address=client_address(request) or "", user_agent=agent) or asked
        context = {
            "organization": Organization.objects.get(pk=reference.organization_id),
            "asked": asked,
            "is_over": asked.expires_at <= clock.now() or asked.address != asked.contact.email,
            "is_sent_again": is_new,
            "was_asked_again": request.POST.get("action") == "again",
        }
        return page(request, "delivery/confirm.html", context, asked.contact)


def _person(message: Message | None) -> Contact | None:
    """Who got the message, as who they are now."""
    found = Contact.objects.select_related("merged_into").filter(pk=message.contact_id).first() if message else None
    return (found.merged_into or found) if found else None


def _path(purpose: str, reference: Reference) -> str:
    return links.path(purpose, reference.organization_id, reference.message_id)
