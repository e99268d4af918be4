"""The shape of what a mail says in one language, before anything of it is read."""

from __future__ import annotations

from typing import Any

from campaigns.domain.blocks import parse
from delivery.domain import locales

VARIANT = frozenset({"subject", "preheader", "blocks", "html", "text"})
SERVED = frozenset({"text_basis", "text_is_behind"})  # said by us; sent back, they change nothing
MOST_VARIANTS = 30


def wording_faults(blocks: Any, html: Any, place: str) -> dict[str, str]:
    """Path → sentence when blocks and HTML stand side by side, or blocks cannot be kept."""
    if blocks is None:
        return {}
    if html:
        return {f"{place}html": "This mail is made of blocks; send blocks, or blocks: null together with html."}
    if not isinstance(blocks, dict):
        return {f"{place}blocks": "A mail is an object with settings and blocks."}
    too_big = parse.size_problem(blocks)
    return {f"{place}blocks": too_big} if too_big else {}


def variant_faults(variants: Any) -> dict[str, str]:
    """Path → sentence for what is no object of languages."""
    if not isinstance(variants, dict) or len(variants) > MOST_VARIANTS:
        return {"variants": f"Other languages are an object of at most {MOST_VARIANTS}, by locale."}
    wrong: dict[str, str] = {}
    for locale, variant in variants.items():
        place = f"variants.{locale}"
        if not locales.LOCALE.fullmatch(locale):
            wrong[place] = "A language is written like de or pt-BR."
        elif not isinstance(variant, dict) or variant.keys() - VARIANT - SERVED:
            wrong[place] = f"A language has {', '.join(sorted(VARIANT))}."
        elif bad := [name for name in VARIANT - {"blocks"} if not isinstance(variant.get(name, ""), str)]:
            wrong[f"{place}.{bad[0]}"] = "This must be a text."
        else:
            wrong |= wording_faults(variant.get("blocks"), variant.get("html"), f"{place}.")
    return wrong
