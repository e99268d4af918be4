"""Content and a contact become a subject, HTML and text. Compiled templates are kept per process."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
from jinja2.exceptions import SecurityError, TemplateError, UndefinedError
from markupsafe import Markup

from common import money
from common.errors import Invalid
from delivery.domain import markup, sandbox
from delivery.domain.filters import LimitExceeded
from delivery.domain.sandbox import Render, Values, tracked_link
from delivery.domain.template_rules import CONTACT_FIELDS
from delivery.links import IN_TEXT, Links

KEPT_CONTENTS = 200
WEB = ("http://", "https://")
FIELDS = (
    "id", "name", "email", "phone", "user_id", "status", "priority", "source", "city", "region", "country",
    "timezone", "locale",
)  # fmt: skip


class Words(Protocol):
    """Content, or parts that are not published yet."""

    @property
    def subject(self) -> str: ...
    @property
    def preheader(self) -> str: ...
    @property
    def html(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def defaults(self) -> Mapping[str, Any]: ...


class Rendered(msgspec.Struct, frozen=True):
    subject: str
    html: str
    text: str


@dataclass(frozen=True)
class Compiled:
    """The three templates of one content, ready to be filled in."""

    subject: Render
    html: Render | None
    text: Render | None
    defaults: Mapping[str, Any]

    def render(self, values: dict[str, Any]) -> Rendered:
        """Raises TemplateError (with a sentence) or whatever an expression raised."""
        return Rendered(
            self.subject(values),
            self.html(values) if self.html else "",
            self.text(values) if self.text else "",
        )


_kept: OrderedDict[tuple[int, str, str], Compiled] = OrderedDict()


def compiled_content(content_id: int, checksum: str, words: Words, locale: str = "") -> Compiled:
    """The compiled templates of published content, its words in `locale`; compiled once per process."""
    key = (content_id, checksum, locale)
    if key not in _kept:
        _kept[key] = compile_words(words, is_tracked=True)
        if len(_kept) > KEPT_CONTENTS:
            _kept.popitem(last=False)
    _kept.move_to_end(key)
    return _kept[key]


def compile_words(words: Words, *, is_tracked: bool) -> Compiled:
    """Compile checked words; with links that count clicks and the open pixel, or without for a preview."""
    html, text = words.html, words.text
    if html:
        html = markup.with_preheader(html, words.preheader)
    if is_tracked:
        html = markup.with_pixel(markup.with_trap(markup.with_tracked_links(html))) if html else ""
        text = markup.text_with_tracked_links(text)
    return Compiled(
        sandbox.compiled(" ".join(words.subject.split()), is_html=False),
        sandbox.compiled(html, is_html=True) if html.strip() else None,
        sandbox.compiled(text, is_html=False) if text.strip() else None,
        words.defaults,
    )


def contact_values(
    fields: Mapping[str, Any],
    attributes: Mapping[str, Any],
    defaults: Mapping[str, Any],
    segments: Collection[int] = (),
) -> Values:
    """The `contact` of templates. `fields` has the standard fields, `tags`, `value_minor` and `currency`;
    `segments` are those of the asked ones in which the contact stands."""
    values = {name: fields[name] for name in FIELDS}
    values["first_name"] = attributes.get("first_name") or (values["name"] or "").partition(" ")[0]
    values["tags"] = list(fields["tags"])
    values["currency"] = fields["currency"]
    values["value"] = money.show(fields["value_minor"], fields["currency"]) if fields["value_minor"] else None
    contact = Values("contact", values, defaults)
    values["attributes"] = _Attributes(attributes, defaults)
    values["segments"] = segments
    return contact


class _Attributes(Values):
    """`contact.attributes`, whose defaults may be named with or without the prefix."""

    __slots__ = ()

    def __init__(self, values: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
        super().__init__("contact.attributes", values, defaults)


def values_for(
    contact: Values, variables: Mapping[str, Any], defaults: Mapping[str, Any], organization_name: str
) -> dict[str, Any]:
    """Everything a template may name, links apart. Variables can be named with and without their prefix."""
    bare = {name: _fall_back(contact, name) for name in defaults if name.isidentifier() and name not in variables}
    bare |= {name: value for name, value in variables.items() if name.isidentifier()}
    return {
        # The properties of the event that started an automation, when there was one.
        "event": Values("event", {}, defaults),
        # What a step before gave.
        "offer": Values("offer", {}, defaults),
        **{name: Values(name, value, defaults) if isinstance(value, dict) else value for name, value in bare.items()},
        "contact": contact,
        "variables": Values("variables", variables, defaults),
        "organization": Values("organization", {"name": organization_name}, {}),
    }


def _fall_back(contact: Values, name: str) -> Any:
    """What `{{ name }}` means when no variable of that name came along: a field, an attribute, the default."""
    if name in CONTACT_FIELDS:
        return contact.look_up(name)
    return contact.look_up("attributes").look_up(name)


def add_links(values: dict[str, Any], links: Links) -> None:
    """Let `values` carry the signed links of one message."""

    places: Counter[str] = Counter()

    def click(address: str) -> Markup:
        address = str(address).strip()
        places[address] += 1
        return tracked(address, places[address])

    def tracked(address: str, place: int = IN_TEXT) -> Markup:
        address = str(address).strip()
        if address.lower().startswith(WEB):
            return Markup(links.click(address, place))  # noqa: S704 — our own base64url
        return Markup(address if address in own else "#")  # noqa: S704 — as above

    values["unsubscribe_url"] = links.unsubscribe()
    values["preferences_url"] = links.preferences()
    own = {values["unsubscribe_url"], values["preferences_url"]}
    values["_trap"] = Markup(links.trap())  # noqa: S704 — our own base64url
    values["_pixel"] = Markup(links.pixel())  # noqa: S704 — our own base64url
    values["_click"] = tracked_link(click)
    values["_click_in_text"] = tracked_link(tracked)


def preview_links(values: dict[str, Any]) -> None:
    """Let `values` carry links that lead nowhere: a preview is nobody's message."""
    values["unsubscribe_url"] = "#unsubscribe"
    values["preferences_url"] = "#preferences"


def sentence(error: Exception) -> str:
    """What went wrong at rendering, for the ledger."""
    if isinstance(error, (UndefinedError, SecurityError, TemplateError)):
        return str(error)
    return f"the template cannot be filled in: {type(error).__name__}: {error}"[:300]


def try_out(words: Words, attributes: Mapping[str, str]) -> None:
    """Render once with made-up values, so that templates that run too long or grow too big are found at publish.

    `attributes` maps names to types. Raises `Invalid`; a mere unsuitable sample value is no fault.
    """
    sample = {name: SAMPLES.get(kind, "sample") for name, kind in attributes.items()}
    fields = dict.fromkeys(FIELDS, "sample") | {"id": 1, "tags": ["sample"], "value_minor": 1, "currency": "USD"}
    parts: list[tuple[str, str, bool]] = [
        ("subject", words.subject, False),
        ("html", markup.with_preheader(words.html, words.preheader), True),
        ("text", words.text, False),
    ]
    values = values_for(contact_values(fields, sample, words.defaults), {}, words.defaults, "sample")
    values["unsubscribe_url"] = values["preferences_url"] = "sample"
    for place, source, is_html in parts:
        try:
            sandbox.compiled(source, is_html=is_html)(values)
        except LimitExceeded as error:
            raise Invalid(f"The {place} cannot be published: {error}.", details={place: str(error)}) from error
        except (SyntaxError, RecursionError, MemoryError) as error:
            raise Invalid(f"The {place} nests too deep.", details={place: "The template nests too deep."}) from error
        except (TemplateError, TypeError, ValueError, ArithmeticError):
            continue  # a variable that each message brings along, or a made-up value that did not suit


SAMPLES: dict[str, Any] = {"number": 1, "boolean": True, "date": "2026-01-01", "list": ["sample"], "object": {}}
