"""Accounts at platforms: their settings checked, their secrets sealed and never shown again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction

from accounts import audit
from common import sealing
from common.errors import Conflict, Invalid
from integrations.models import Destination
from integrations.providers import PROVIDERS
from integrations.providers.contract import Account, Provider

LONGEST_VALUE = 4_000


def add_destination(*, name: str, kind: str, settings: Mapping[str, Any]) -> Destination:
    """Connect an account. Raises `Invalid` with the place of what is missing or wrong, `Conflict` for a used name."""
    provider = PROVIDERS.find(kind, "kind")
    plain, secrets = _read(provider, settings, {})
    row = Destination(name=_name(name), kind=kind, settings=plain, sealed_secrets=sealing.seal(secrets))
    with _one_per_name(row.name), transaction.atomic():
        row.save()
        audit.created(row)
    return row


def change_destination(
    row: Destination, *, name: str | None = None, settings: Mapping[str, Any] | None = None
) -> Destination:
    """Change the name or some settings; a secret that is left out or empty stays as it was. Raises as `add`."""
    with _one_per_name(name or ""), transaction.atomic(), audit.changing(row):
        if name is not None:
            row.name = _name(name)
        if settings is not None:
            provider = PROVIDERS.find(row.kind, "kind")
            known = sealing.unseal(row.sealed_secrets)
            plain, secrets = _read(provider, {**row.settings, **settings}, known)
            row.settings = plain
            if secrets != known:
                row.sealed_secrets = sealing.seal(secrets)
        row.save()
    return row


def delete_destination(row: Destination) -> None:
    """Forget an account. Raises `Conflict` while a segment is kept there."""
    if row.syncs.exists():
        sentence = f"Segments are kept at “{row.name}”; end these syncs first."
        raise Conflict(sentence, code="in_use")
    with transaction.atomic():
        audit.deleted(row)
        row.delete()


def account_of(row: Destination) -> Account:
    """What a provider works with. Raises `Permanent` when the secrets cannot be read."""
    return Account({**row.settings, **sealing.unseal(row.sealed_secrets)}, PROVIDERS[row.kind].address)


def _name(name: str) -> str:
    clean = name.strip()
    if not clean or len(clean) > 120:
        raise Invalid("Give it a name of up to 120 characters.", details={"name": "Up to 120 characters."})
    return clean


def _read(
    provider: Provider, given: Mapping[str, Any], known: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """What is plain, and what is secret."""
    problems: dict[str, str] = {}
    values: dict[str, str] = {}
    for setting in provider.settings:
        raw = given.get(setting.name)
        value = (raw.strip() if isinstance(raw, str) else "") or known.get(setting.name, "")
        if setting.is_required and not value:
            problems[setting.name] = f"{setting.label} is needed."
        elif len(value) > LONGEST_VALUE or not value.isprintable():
            problems[setting.name] = f"{setting.label} is no text of one line."
        elif value and setting.name in provider.checks:
            try:
                provider.checks[setting.name](value)
            except Invalid as problem:
                problems[setting.name] = problem.message
        if value:
            values[setting.name] = value
    for name in sorted(set(given) - {setting.name for setting in provider.settings}):
        problems[name] = f"{provider.label} has no such setting."
    if problems:
        place, sentence = next(iter(problems.items()))
        raise Invalid(f"{place}: {sentence}", details=problems)
    secret = {setting.name for setting in provider.settings if setting.is_secret}
    plain = {name: value for name, value in values.items() if name not in secret}
    return plain, {name: value for name, value in values.items() if name in secret}


@contextmanager
def _one_per_name(name: str) -> Iterator[None]:
    """Says which name is in use in the place of the database's words."""
    try:
        yield
    except IntegrityError as error:
        sentence = f"There is a destination “{name}” already."
        raise Conflict(sentence, details={"name": sentence}) from error
