"""Every platform that takes audiences: one module and one line each."""

from __future__ import annotations

from common.registry import Registry
from integrations.providers.contract import Provider
from integrations.providers.google_ads import GOOGLE_ADS
from integrations.providers.linkedin import LINKEDIN
from integrations.providers.meta import META
from integrations.providers.tiktok import TIKTOK
from integrations.providers.webhook import WEBHOOK

PROVIDERS: Registry[Provider] = Registry(
    "destination",
    {"meta": META, "google_ads": GOOGLE_ADS, "tiktok": TIKTOK, "linkedin": LINKEDIN, "webhook": WEBHOOK},
)
