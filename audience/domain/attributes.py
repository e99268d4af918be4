"""Traits → standard fields and typed attributes, with the moment each was said, so that late news stays late."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from audience.domain import phones
from audience.domain.incoming import email_address
from common import money
from common.errors import Invalid

TEXT, NUMBER, BOOLEAN, DATE, LIST, OBJECT = "text", "number", "boolean", "date", "list", "object"
MOST_NAME = 100
DATE_FORM = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?")

# Standard text fields of a contact and their lengths.
TEXT_FIELDS = {
    "name": 300, "email": 320, "phone": 40, "status": 40, "source": 100, "city": 100, "region": 100,
    "country": 60, "timezone": 64, "locale": 20,
}  # fmt: skip
PRIORITIES = ("low", "medium", "high", "urgent")
STANDARD = frozenset({*TEXT_FIELDS, "priority", "value_minor", "currency", "tags"})
RESERVED = frozenset({"id", "organization_id", "merged_into", "user_id", "anonymous_id"})
ADDRESS = {"city": "city", "state": "region", "region": "region", "country": "country"}
FIRST_NAMES, LAST_NAMES = ("first_name", "firstName"), ("last_name", "lastName")


class Refused(Exception):
    """One trait cannot be used; the rest of its message goes on."""


def type_of(value: object) -> str:
    """The type of an attribute's value in the catalogue; a whole ISO-8601 date or time is a date."""
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, int | float):
        return NUMBER
    if isinstance(value, list):
        return LIST
    if isinstance(value, dict):
        return OBJECT
    return DATE if isinstance(value, str) and len(value) >= 10 and DATE_FORM.fullmatch(value) else TEXT


def accepts(known: str, value: object) -> bool:
    """Whether a value fits an attribute of a known type. A date is also a text."""
    found = type_of(value)
    return found == known or (known == TEXT and found == DATE)


def check_type(name: str, known: str, value: object) -> None:
    """Raises `Refused` when the value would change the attribute's type."""
    if not accepts(known, value):
        raise Refused(f"`{name}` holds {known} since it was first seen; {str(value)[:60]!r} is {type_of(value)}.")


def spread(traits: dict[str, Any], currency: str) -> Iterator[tuple[str, Any, str]]:
    """Each trait as (attribute, value, why not): a standard field, `attributes.<name>`, or a refusal.

    A null takes a custom attribute away and says nothing about a standard field.
    """
    for name, value in traits.items():
        try:
            yield from ((attribute, plain, "") for attribute, plain in _one(name, value, traits, currency))
        except (Refused, Invalid) as error:
            yield name, value, str(error)
    first, last = _first(traits, FIRST_NAMES), _first(traits, LAST_NAMES)
    if "name" not in traits and (first or last):
        yield "name", " ".join(part for part in (first, last) if part)[: TEXT_FIELDS["name"]], ""


def _first(traits: dict[str, Any], names: tuple[str, ...]) -> str:
    return next((value.strip() for name in names if isinstance(value := traits.get(name), str)), "")


def _one(name: str, value: Any, traits: dict[str, Any], currency: str) -> Iterator[tuple[str, Any]]:
    if name in TEXT_FIELDS:
        if value is not None:
            yield name, _text_field(name, value)
    elif name == "priority":
        yield name, _priority(value)
    elif name == "tags":
        yield name, _tags(value)
    elif name == "value" and value is not None:
        yield from _value(value, traits.get("currency") or currency)
    elif name == "currency":
        return
    elif name == "address" and isinstance(value, dict):
        yield from (
            (ADDRESS[key], _text_field(ADDRESS[key], item)) for key, item in value.items() if _is_place(key, item)
        )
        yield "attributes.address", value
    elif name in RESERVED:
        # Clients echo their ids among the traits; the envelope has said them already.
        return
    else:
        check_name(name)
        yield f"attributes.{name}", value


def checked(attribute: str, value: object) -> Any:
    """A value for a standard field (`status`), cleaned. Raises `Refused` when it does not fit."""
    if attribute in TEXT_FIELDS:
        text = "" if value in (None, "") else _text_field(attribute, value)
        return phones.tidied(text) if attribute == "phone" and text else text
    if attribute == "priority":
        return _priority(value)
    if attribute == "tags":
        return _tags(value)
    if attribute == "currency":
        return "" if value in (None, "") else currency_code(value)
    if attribute == "value_minor":
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
            raise Refused("`value_minor` is a whole number of minor units, not negative.")
        return value
    raise Refused(f"`{attribute}` is no field of a contact; custom attributes are written `attributes.<name>`.")


def check_name(name: str) -> None:
    """Raises `Refused` for a custom attribute's name that cannot be used."""
    if not name or len(name) > MOST_NAME:
        raise Refused(f"An attribute's name has 1 to {MOST_NAME} characters.")


def _priority(value: object) -> str:
    if isinstance(value, str) and value in PRIORITIES:
        return value
    raise Refused(f"`priority` is one of {', '.join(PRIORITIES)}; got {str(value)[:60]!r}.")


def _is_place(key: str, item: object) -> bool:
    return key in ADDRESS and isinstance(item, str) and bool(item)


def _text_field(name: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Refused(f"`{name}` must be text, not {type_of(value)}.")
    text = str(value).strip()
    if name == "email":
        address = email_address(text)
        if not address:
            raise Refused(f"{text[:60]!r} is not an e-mail address.")
        return address
    if len(text) > TEXT_FIELDS[name]:
        raise Refused(f"`{name}` is longer than {TEXT_FIELDS[name]} characters.")
    return text


def _tags(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(tag, str) and 0 < len(tag) <= MOST_NAME for tag in value):
        raise Refused(f"`tags` is a list of texts of 1 to {MOST_NAME} characters.")
    return sorted(set(value))


def _value(value: object, currency: object) -> Iterator[tuple[str, Any]]:
    code = currency_code(currency)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Refused("`value` must be an amount of money.")
    minor = money.to_minor(value, code)
    if not 0 <= minor < 2**63:
        raise Refused("`value` must be an amount of money, not negative.")
    yield "value_minor", minor
    yield "currency", code


def currency_code(value: object) -> str:
    """An ISO 4217 code in capitals. Raises `Refused`."""
    if isinstance(value, str) and len(value) == 3 and value.isascii() and value.isalpha():
        return value.upper()
    raise Refused(f"{str(value)[:20]!r} is not a currency code such as EUR.")


class Times:
    """When each attribute of a contact was last said.

    `latest` is the moment of the newest traits; `exceptions` keeps only the attributes that were last said at
    another moment, so a contact whose traits always come together stores no map at all.
    """

    __slots__ = ("exceptions", "latest")

    def __init__(self, latest: datetime | None, exceptions: dict[str, str]) -> None:
        self.latest = latest
        self.exceptions = exceptions

    def said_at(self, attribute: str) -> datetime | None:
        told = self.exceptions.get(attribute)
        return datetime.fromisoformat(told) if told is not None else self.latest

    def advance(self, moment: datetime, attributes: set[str], present: set[str]) -> None:
        """Note that `attributes` were said at `moment`; `present` are all that have a value."""
        if self.latest is None or moment > self.latest:
            if self.latest is not None:
                earlier = self.latest.isoformat()
                for name in present - attributes:
                    self.exceptions.setdefault(name, earlier)
            self.latest = moment
            for name in attributes:
                self.exceptions.pop(name, None)
        elif moment < self.latest:
            told = moment.isoformat()
            for name in attributes:
                self.exceptions[name] = told
        else:
            for name in attributes:
                self.exceptions.pop(name, None)
