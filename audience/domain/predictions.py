"""One prediction as it comes in, judged: which contact, which value, made when, by which model. Plain Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec

NAME_PATTERN = r"^[a-z][a-z0-9_]{0,59}$"
LARGEST = Decimal(10) ** 17
# Clocks of other machines run ahead a little; what is dated later is a mistake.
MOST_AHEAD = timedelta(minutes=5)
LONGEST = timedelta(days=730)


class Refused(Exception):
    """Why one row cannot be used; `code` is for machines."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Given(msgspec.Struct, forbid_unknown_fields=True):
    """One row as it is sent. The contact is named by exactly one of its id, user id and e-mail."""

    prediction: str
    value: int | float
    contact_id: int | None = None
    user_id: str | None = None
    email: str | None = None
    made_at: datetime | None = None
    valid_until: datetime | None = None
    model_version: str = ""


@dataclass(frozen=True)
class Definition:
    """What is known of a prediction's name."""

    is_score: bool
    medium_from: Decimal
    high_from: Decimal
    valid_for: timedelta

    def band(self, value: Decimal) -> str:
        """Where a value lies: each band begins with its limit."""
        if value >= self.high_from:
            return "high"
        return "medium" if value >= self.medium_from else "low"


@dataclass(frozen=True)
class Judged:
    """A row that can be stored, but for the contact's number. `name_kind` is contact_id, user_id or email."""

    name_kind: str
    contact_name: str
    prediction: str
    value: Decimal
    band: str
    made_at: datetime
    valid_until: datetime
    model_version: str


def judge(row: Given, known: Mapping[str, Definition], now: datetime) -> Judged:
    """Raises `Refused` with what would be right."""
    definition = known.get(row.prediction)
    if definition is None:
        named = ", ".join(sorted(known)) or "none yet"
        raise Refused("unknown_prediction", f'There is no prediction "{row.prediction[:60]}"; defined are: {named}.')
    kind, name = _contact(row)
    value = _value(row.value, definition)
    made_at = _moment(row.made_at, "made_at") or now
    if made_at > now + MOST_AHEAD:
        raise Refused("made_in_the_future", f"made_at lies ahead: {made_at.isoformat()}.")
    valid_until = _moment(row.valid_until, "valid_until") or made_at + definition.valid_for
    if not made_at < valid_until <= made_at + LONGEST:
        raise Refused("bad_validity", f"valid_until must lie after made_at, by at most {LONGEST.days} days.")
    if len(row.model_version) > 100 or not row.model_version.isprintable():
        raise Refused("bad_model_version", "model_version is at most 100 printable characters.")
    return Judged(kind, name, row.prediction, value, definition.band(value), made_at, valid_until, row.model_version)


def _contact(row: Given) -> tuple[str, str]:
    named = [
        (kind, str(value).strip())
        for kind, value in (("contact_id", row.contact_id), ("user_id", row.user_id), ("email", row.email))
        if value not in (None, "")
    ]
    if len(named) != 1:
        raise Refused("no_contact", "Name the contact by exactly one of contact_id, user_id and email.")
    kind, name = named[0]
    if "\x00" in name or (kind == "contact_id" and not 0 < int(name) < 2**63):
        raise Refused("unknown_contact", f"There is no contact with the {kind} {name[:60]!r}.")
    return kind, name.lower() if kind == "email" else name


def _value(raw: int | float, definition: Definition) -> Decimal:
    value = Decimal(str(raw))
    if not value.is_finite() or abs(value) >= LARGEST:
        raise Refused("bad_value", "The value is too large.")
    if definition.is_score and not 0 <= value <= 1:
        raise Refused("bad_value", f"A score lies between 0 and 1; got {raw}.")
    return round(value, 6)


def _moment(given: datetime | None, field: str) -> datetime | None:
    if given is None:
        return None
    if given.tzinfo is None:
        raise Refused("bad_moment", f'{field} needs its zone, such as "2026-01-31T02:00:00Z".')
    try:
        return given.astimezone(UTC)
    except OverflowError as error:
        raise Refused("bad_moment", f"{field} is no moment we can store.") from error


def from_file(values: Mapping[str, object]) -> dict[str, object]:
    """A row of a file as it would be sent: numbers read from their text, empty cells and other columns left out.

    What does not look like a number stays text, and is refused as such.
    """
    found = {name: value for name, value in values.items() if name in COLUMNS and value not in (None, "")}
    for name, read in (("value", float), ("contact_id", int)):
        text = found.get(name)
        if isinstance(text, str):
            try:
                found[name] = read(text.strip())
            except ValueError:
                continue
    return found


COLUMNS = frozenset(Given.__struct_fields__)
