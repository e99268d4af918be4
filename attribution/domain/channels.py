"""The words for how a contact reached us, and how a visit's address tells them."""

from __future__ import annotations

from enum import StrEnum


class Channel(StrEnum):
    EMAIL = "email"
    SMS = "sms"
    WHATSAPP = "whatsapp"
    PUSH = "push"
    IN_APP = "in_app"
    PAID_SEARCH = "paid_search"
    ORGANIC_SEARCH = "organic_search"
    PAID_SOCIAL = "paid_social"
    SOCIAL = "social"
    DISPLAY = "display"
    AFFILIATE = "affiliate"
    REFERRAL = "referral"  # a friend's invitation
    WEBSITE = "website"  # a link on somebody else's site
    OFFLINE = "offline"
    OTHER = "other"


LABELS = {
    Channel.EMAIL: "E-mail",
    Channel.SMS: "SMS",
    Channel.WHATSAPP: "WhatsApp",
    Channel.PUSH: "Push",
    Channel.IN_APP: "In-app",
    Channel.PAID_SEARCH: "Paid search",
    Channel.ORGANIC_SEARCH: "Organic search",
    Channel.PAID_SOCIAL: "Paid social",
    Channel.SOCIAL: "Social",
    Channel.DISPLAY: "Display",
    Channel.AFFILIATE: "Affiliates",
    Channel.REFERRAL: "Friends' invitations",
    Channel.WEBSITE: "Other websites",
    Channel.OFFLINE: "Offline",
    Channel.OTHER: "Other",
}

# What ad platforms add to a landing page's address: parameter → (source, channel).
# fbclid is added to every outgoing link, paid or not, so it alone does not say "paid".
CLICK_IDS = {
    "gclid": ("google", Channel.PAID_SEARCH),
    "gbraid": ("google", Channel.PAID_SEARCH),
    "wbraid": ("google", Channel.PAID_SEARCH),
    "dclid": ("google", Channel.DISPLAY),
    "msclkid": ("bing", Channel.PAID_SEARCH),
    "yclid": ("yandex", Channel.PAID_SEARCH),
    "fbclid": ("facebook", Channel.SOCIAL),
    "ttclid": ("tiktok", Channel.PAID_SOCIAL),
    "twclid": ("x", Channel.PAID_SOCIAL),
    "li_fat_id": ("linkedin", Channel.PAID_SOCIAL),
    "rdt_cid": ("reddit", Channel.PAID_SOCIAL),
    "ScCid": ("snapchat", Channel.PAID_SOCIAL),
    "epik": ("pinterest", Channel.PAID_SOCIAL),
}

SEARCH_SITES = ("google", "bing", "duckduckgo", "yahoo", "ecosia", "baidu", "yandex", "qwant", "startpage")
SOCIAL_SITES = {
    "facebook": "facebook", "fb": "facebook", "instagram": "instagram", "t.co": "x", "twitter": "x", "x.com": "x",
    "linkedin": "linkedin", "lnkd.in": "linkedin", "tiktok": "tiktok", "reddit": "reddit", "pinterest": "pinterest",
    "youtube": "youtube", "snapchat": "snapchat", "whatsapp": "whatsapp", "wa.me": "whatsapp", "threads": "threads",
}  # fmt: skip

# utm_medium, in the words marketers use → channel.
MEDIUMS = {
    "email": Channel.EMAIL, "e-mail": Channel.EMAIL, "newsletter": Channel.EMAIL,
    "sms": Channel.SMS, "whatsapp": Channel.WHATSAPP,
    "push": Channel.PUSH, "notification": Channel.PUSH, "in_app": Channel.IN_APP, "in-app": Channel.IN_APP,
    "organic": Channel.ORGANIC_SEARCH,
    "paid_social": Channel.PAID_SOCIAL, "paid-social": Channel.PAID_SOCIAL, "paidsocial": Channel.PAID_SOCIAL,
    "social": Channel.SOCIAL, "organic_social": Channel.SOCIAL, "social-media": Channel.SOCIAL,
    "display": Channel.DISPLAY, "banner": Channel.DISPLAY, "cpm": Channel.DISPLAY,
    "affiliate": Channel.AFFILIATE, "partner": Channel.AFFILIATE,
    "invite": Channel.REFERRAL, "invitation": Channel.REFERRAL,
    "referral": Channel.WEBSITE,
    "offline": Channel.OFFLINE, "qr": Channel.OFFLINE, "print": Channel.OFFLINE,
}  # fmt: skip
PAID_MEDIUMS = ("cpc", "ppc", "paid", "paidsearch", "paid_search", "paid-search", "cpv", "cpa")


def of_utm(source: str, medium: str) -> Channel:
    """The channel that utm_source and utm_medium name (any case)."""
    source, medium = source.lower(), medium.lower()
    if source == "referral" or medium in ("invite", "invitation"):
        return Channel.REFERRAL
    if medium in PAID_MEDIUMS:
        return Channel.PAID_SOCIAL if source in SOCIAL_SITES else Channel.PAID_SEARCH
    if medium in MEDIUMS:
        return MEDIUMS[medium]
    if source in SOCIAL_SITES:
        return Channel.SOCIAL
    return Channel.OTHER


def of_site(host: str) -> tuple[str, Channel]:
    """The source and channel of a visit that came by a link on `host`, untagged."""
    labels = host.lower().removeprefix("www.").split(".")
    for name, source in SOCIAL_SITES.items():
        if (name in labels[:-1]) if "." not in name else host.endswith(name):
            return source, Channel.SOCIAL
    for name in SEARCH_SITES:
        if name in labels[:-1]:
            return name, Channel.ORGANIC_SEARCH
    return host.lower().removeprefix("www."), Channel.WEBSITE
