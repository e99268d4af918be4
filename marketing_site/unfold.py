"""The shell around every page: brand and colours of django-unfold. Settings import this page; it imports no model."""

from __future__ import annotations

from typing import Any

from django.templatetags.static import static


def _file(path: str) -> Any:
    # Asked for on each page: production's names carry a hash that is known after collectstatic only.
    return lambda request: static(path)


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Groundswell",
    "SITE_HEADER": "Groundswell",
    "SITE_URL": None,
    "SITE_ICON": _file("brand/mark.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _file("brand/mark.svg")}],
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [_file("groundswell.css")],
    "SCRIPTS": [_file("groundswell.js")],
    "GLOBAL_CALLBACK": "marketing_site.navigation.context",
    "LOGIN": {"image": _file("brand/swell.svg")},
    "BORDER_RADIUS": "8px",
    "SIDEBAR": {"navigation": "marketing_site.navigation.navigation"},
    "COLORS": {
        # Deep water: 600 carries white text at 5.6 : 1, 500 stands on the dark ground at 5.9 : 1.
        "primary": {
            "50": "oklch(97.5% .013 220)",
            "100": "oklch(94.5% .030 218)",
            "200": "oklch(89% .055 217)",
            "300": "oklch(82% .090 217)",
            "400": "oklch(74% .115 220)",
            "500": "oklch(68% .120 225)",
            "600": "oklch(50% .105 232)",
            "700": "oklch(44% .092 234)",
            "800": "oklch(38% .078 236)",
            "900": "oklch(33% .063 238)",
            "950": "oklch(25% .048 240)",
        },
        # One step darker (light) and lighter (dark) than unfold's own, for small grey text on grey ground.
        "font": {
            "subtle-light": "var(--color-base-600)",
            "subtle-dark": "var(--color-base-400)",
            "default-light": "var(--color-base-700)",
            "default-dark": "var(--color-base-300)",
            "important-light": "var(--color-base-900)",
            "important-dark": "var(--color-base-100)",
        },
    },
}
