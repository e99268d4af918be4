"""Where GrowthBook's SDKs fetch their payload by themselves: `apiHost` is the site, `clientKey` a write key."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from audience import services as audience
from audience.views import answer, open_to_browsers
from common import tenancy
from experiments import selectors


@open_to_browsers
def features(request: HttpRequest, key: str) -> HttpResponse:
    """`GET /api/features/<write key>`: all experiments by user ID, for apps to draw the arms themselves."""
    with tenancy.organization(audience.organization_of(key)):
        return answer({"status": 200, "features": selectors.features()})
