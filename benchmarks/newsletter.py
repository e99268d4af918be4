"""A newsletter as shops send it: tables, inline styles, pictures, a greeting, six products, a footer. About 9 KB."""

from __future__ import annotations

CELL = "padding:12px 24px;font-family:Helvetica,Arial,sans-serif;font-size:15px;line-height:24px;color:#33302b"
BUTTON = "display:inline-block;padding:12px 28px;border-radius:6px;background:#1f6f5c;color:#ffffff;font-weight:bold"
PRODUCTS = ("Linen throw", "Oak tray", "Stone lamp", "Wool cushion", "Glass carafe", "Cotton rug")

ROW = """<table role="presentation" width="600" align="center" cellpadding="0" cellspacing="0" style="margin:0 auto">
<tr><td style="{cell}">{inside}</td></tr></table>
"""
PRODUCT = """<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr>
<td width="200" style="padding:8px"><a href="https://shop.example/products/{slug}?from=picture"><img
 src="https://shop.example/pictures/{slug}-400.jpg" width="184" height="184" alt="{name}"
 style="display:block;border:0;border-radius:8px;width:184px;height:184px"></a></td>
<td style="{cell};padding:8px"><strong style="font-size:17px;line-height:26px">{name}</strong><br>
Made in small numbers by people we know, and meant to be kept. In three colours, from next week in the shop.
<br><br><a href="https://shop.example/products/{slug}" style="{button};text-decoration:none">Look at it</a></td>
</tr></table>"""
HEAD = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Spring</title>
<meta name="viewport" content="width=device-width">
<style>@media (max-width:480px){td{display:block;width:auto}}</style></head><body style="margin:0;background:#f4f1ea">
"""


def html() -> str:
    """The template, with placeholders for one reader."""
    rows = [
        '<a href="https://shop.example/"><img src="https://shop.example/logo.png" alt="Shop" width="120"></a>',
        "<h1>Good morning, {{ contact.name }}</h1><p>Spring is here in {{ contact.city }}: see the new range.</p>"
        "{% if contact.city == 'Leeds' %}<p>Our shop in Leeds is open until eight this week.</p>{% endif %}",
        *map(_product, PRODUCTS),
        '<a href="https://shop.example/journal">From the journal</a> · <a href="https://shop.example/shops">Shops</a>',
        'Sent to {{ contact.email }}. <a href="{{ unsubscribe_url }}">Unsubscribe</a>. Shop Ltd, Leeds.',
    ]
    return HEAD + "".join(ROW.format(cell=CELL, inside=row) for row in rows) + "</body></html>"


def _product(name: str) -> str:
    return PRODUCT.format(name=name, slug=name.lower().replace(" ", "-"), cell=CELL, button=BUTTON)
