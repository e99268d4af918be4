"""Every address of the site, with its parameters filled in, read from the URL table itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver

# Addresses that carry their own proof instead of an organisation, or belong to nobody; each with its reason.
PUBLIC = {
    r"^(healthz|readyz|metrics)": "liveness: no data",
    r"^api/v1/(schema|docs|token)": "the contract itself, and signing in",
    r"^(v1/|array/|\(\?:i/v0/\)|\(\?:flags)": "ingest: the write key says whose",
    r"^api/features/": "GrowthBook's SDKs: the write key says whose",
    r"^(t|s|u|r|preferences|confirm|forms)/": "signed or unguessable tokens in messages",
    r"^webhooks/": "signed addresses, and the provider's own signature or password",
    r"^admin/(login|logout|jsi18n|password_change|autocomplete|r/)": "Django's own, without rows of an organisation",
    r"^admin/(\(\?P<app_label>|\(\?P<url>)": "Django's own index of a room, and its catch-all",
    r"^password/": "signed links in our own mail, good once",
    r"^static/": "files",
}
# Rows of libraries without an organisation: superusers only, which another test proves.
SUPERUSER_ONLY = r"^admin/(django_celery_beat|token_blacklist|auth|accounts/user)/"


@dataclass(frozen=True)
class Address:
    """A path with every parameter replaced; `has_parameters` says whether it names a row."""

    path: str
    route: str
    has_parameters: bool


def addresses(row_id: int, slug: str) -> list[Address]:
    """Every address that shows or changes rows of an organisation."""
    found = [_fill(route, row_id, slug) for route in _routes(get_resolver())]
    return [address for address in found if not _is_excepted(address.route)]


def _with_query(path: str, row_id: int) -> str:
    """A server asks for a message in the inbox of a contact that it names."""
    is_inbox = path.startswith(f"/api/v1/inbox/{row_id}")
    return f"{path.removesuffix('/')}/?contact_id={row_id}" if is_inbox else path


def _is_excepted(route: str) -> bool:
    return any(re.match(pattern, route) for pattern in [*PUBLIC, SUPERUSER_ONLY])


def _routes(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for entry in resolver.url_patterns:
        route = prefix + _clean(str(entry.pattern))
        if isinstance(entry, URLResolver):
            yield from _routes(entry, route)
        elif isinstance(entry, URLPattern):
            yield route


def _clean(pattern: str) -> str:
    return pattern.lstrip("^").replace(r"\Z", "").rstrip("$").replace(r"\.", ".").replace(r"\-", "-")


def _fill(route: str, row_id: int, slug: str) -> Address:
    # `format` suffixes are DRF's second spelling of the same address.
    plain = re.sub(r"\.\(\?P<format>[^)]*\)/?\??", "", route).replace("/?", "/")
    plain = re.sub(r"\(\?:([^()|]+)\|[^()]*\)", r"\1", plain)  # the first of several spellings
    path = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", str(row_id), plain)
    path = path.replace("/act/<slug:name>/", "/act/archive/")  # an action that these rows allow
    path = re.sub(r"<(?:(\w+):)?(\w+)>", lambda match: slug if match[1] == "slug" else str(row_id), path)
    return Address(_with_query("/" + path, row_id), route, path != plain)
