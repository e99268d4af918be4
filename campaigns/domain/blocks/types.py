"""The table of blocks: what each is called and what a marketer fills in.

To add one: a row here, a function in `writers.py`, a row in tests/test_blocks_compiling.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from campaigns.domain.blocks.inputs import Input
from campaigns.domain.blocks.tree import FONTS
from common.inputs import Choice
from common.registry import Registry

ALIGN = Input(
    "align", "choice", "Alignment", default="left",
    choices=(Choice("left", "Left"), Choice("center", "Centre"), Choice("right", "Right")),
)  # fmt: skip
CENTERED = Input("align", "choice", "Alignment", default="center", choices=ALIGN.choices)
COLOR = Input("color", "color", "Text colour", help="Empty: the mail's own.")
BACKGROUND = Input("background", "color", "Background", help="Empty: the mail's own.")
PADDING = Input("padding", "whole", "Space above and below", default=12, most=80)
AROUND = (BACKGROUND, PADDING)
NETWORKS = (
    "Facebook", "Instagram", "LinkedIn", "X", "YouTube", "TikTok", "Pinterest", "WhatsApp", "Telegram", "Mastodon",
    "Bluesky", "Threads", "Website",
)  # fmt: skip


@dataclass(frozen=True)
class BlockType:
    """`holds_columns`: besides its inputs it has `columns`, each with a `width` in percent and `blocks`."""

    label: str
    group: str
    inputs: tuple[Input, ...]
    holds_columns: bool = False


def _words(name: str, label: str, *, is_required: bool = False, help: str = "") -> Input:
    return Input(name, "text", label, is_required=is_required, help=help)


LINK = Input("href", "url", "Link", help="https://…, mailto: or tel:; placeholders may stand in it.")
IMAGE = Input("src", "image", "Picture", is_required=True, help="The address of the picture, https://…")
ALT = _words("alt", "Description", help="What the picture shows, for whoever does not see it.")

BLOCKS: Registry[BlockType] = Registry(
    "block",
    {
        "heading": BlockType(
            "Heading", "Words",
            (
                _words("text", "Words", is_required=True),
                Input("level", "choice", "Size", default="1",
                      choices=(Choice("1", "Large"), Choice("2", "Middle"), Choice("3", "Small"))),
                ALIGN, COLOR, *AROUND,
            ),
        ),
        "text": BlockType(
            "Text", "Words",
            (
                Input("text", "rich", "Words", is_required=True,
                      help="Bold, italic, links and lists; placeholders such as {{ contact.name }}."),
                ALIGN, COLOR, Input("size", "whole", "Size of letters", default=16, least=10, most=40), *AROUND,
            ),
        ),
        "button": BlockType(
            "Button", "Words",
            (
                _words("label", "Words", is_required=True),
                Input("href", "url", "Link", is_required=True, help=LINK.help),
                CENTERED,
                Input("fill", "color", "Colour", default="#1d4ed8"),
                Input("color", "color", "Colour of the words", default="#ffffff"),
                Input("corner", "whole", "Round corners", default=6, most=40),
                Input("is_wide", "boolean", "As wide as the mail", default=False),
                *AROUND,
            ),
        ),
        "image": BlockType(
            "Picture", "Pictures",
            (
                IMAGE, ALT,
                Input("is_decorative", "boolean", "Says nothing (no description)", default=False),
                LINK,
                Input("width", "whole", "Width", default=0, most=900, help="In pixels; 0: as wide as its place."),
                CENTERED, Input("corner", "whole", "Round corners", default=0, most=40), *AROUND,
            ),
        ),
        "product": BlockType(
            "Product", "Pictures",
            (
                Input("src", "image", "Picture", help=IMAGE.help), ALT,
                _words("title", "Name", is_required=True),
                _words("description", "Description of the product"),
                _words("price", "Price", help="As readers see it: £12.50, or {{ line.price }}."),
                _words("old_price", "Price before", help="Struck through."),
                LINK, _words("label", "Words of the button", help="Empty: no button."),
                Input("fill", "color", "Colour of the button", default="#1d4ed8"),
                Input("label_color", "color", "Colour of its words", default="#ffffff"),
                CENTERED, *AROUND,
            ),
        ),
        "columns": BlockType(
            "Columns", "Layout",
            (
                Input("stacks", "boolean", "One above the other on phones", default=True),
                Input("valign", "choice", "Height", default="top",
                      choices=(Choice("top", "Top"), Choice("middle", "Middle"), Choice("bottom", "Bottom"))),
                *AROUND,
            ),
            holds_columns=True,
        ),
        "divider": BlockType(
            "Line", "Layout",
            (
                Input("color", "color", "Colour", default="#d1d5db"),
                Input("thickness", "whole", "Thickness", default=1, least=1, most=20),
                Input("width", "whole", "Width in percent", default=100, least=5, most=100),
                *AROUND,
            ),
        ),
        "spacer": BlockType(
            "Space", "Layout", (Input("height", "whole", "Height", default=24, least=1, most=300), BACKGROUND)
        ),
        "menu": BlockType(
            "Menu", "Links",
            (
                Input("items", "rows", "Entries", is_required=True, inputs=(
                    _words("label", "Words", is_required=True), Input("href", "url", "Link", is_required=True))),
                CENTERED, COLOR, *AROUND,
            ),
        ),
        "social": BlockType(
            "Social networks", "Links",
            (
                Input("items", "rows", "Places", is_required=True, inputs=(
                    Input("network", "choice", "Network", is_required=True,
                          choices=tuple(Choice(name.lower(), name) for name in NETWORKS)),
                    Input("href", "url", "Link", is_required=True))),
                CENTERED, COLOR, *AROUND,
            ),
        ),
        "footer": BlockType(
            "Footer", "Links",
            (
                _words("address", "Your name and postal address", is_required=True),
                _words("note", "Why readers get this", help="You get this because you signed up at our shop."),
                Input("unsubscribe", "text", "Words of the way out", default="Unsubscribe"),
                CENTERED, COLOR, *AROUND,
            ),
        ),
        "snippet": BlockType("Snippet", "More", (Input("snippet", "snippet", "Snippet", is_required=True),)),
        "imported": BlockType(
            "Imported", "More",
            (Input("html", "code", "HTML"), Input("mjml", "code", "MJML")),
        ),
        "code": BlockType(
            "Own HTML", "More",
            (Input("html", "code", "HTML", is_required=True, help="Jinja2 works here, with conditions and loops."),),
        ),
    },
)  # fmt: skip

SETTINGS: tuple[Input, ...] = (
    Input("width", "whole", "Width", default=600, least=320, most=900),
    Input("background", "color", "Around the mail", default="#f3f4f6"),
    Input("surface", "color", "Behind the words", default="#ffffff"),
    Input("text_color", "color", "Words", default="#1f2937"),
    Input("link_color", "color", "Links", default="#1d4ed8"),
    Input(
        "font", "choice", "Letters", default="sans",
        choices=(Choice("sans", "Helvetica, Arial"), Choice("humanist", "Verdana"), Choice("serif", "Georgia"),
                 Choice("mono", "Courier")),
    ),
)  # fmt: skip
assert {choice.name for choice in SETTINGS[-1].choices} == set(FONTS)
