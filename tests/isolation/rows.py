"""Makes one row of every model, whatever models there are: so that a new one is under test from its first day."""

from __future__ import annotations

import uuid
from datetime import time
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models

from audience.services import partitions
from common import clock, tenancy

MARKER = "Xanaduvia"
EVENT_TABLES = {"audience_event", "audience_eventkey"}


def scoped_models() -> list[type[models.Model]]:
    """Every model of our rooms that belongs to an organisation."""
    found = [model for room in settings.ROOMS for model in apps.get_app_config(room).get_models()]
    return [
        model
        for model in found
        if not model._meta.proxy and any(field.attname == "organization_id" for field in model._meta.concrete_fields)
    ]


def one_of_each() -> dict[type[models.Model], Any]:
    """One row of every scoped model in the current organisation, its texts carrying MARKER."""
    made: dict[type[models.Model], Any] = {}
    for model in scoped_models():
        if model._meta.db_table not in EVENT_TABLES:
            _make(model, made)
    _make_events(made)
    return made


# A row that names one thing or the other: which one stays empty.
EMPTY = {("campaigns_templateneed", "snippet")}


def _make(model: type[models.Model], made: dict[type[models.Model], Any]) -> models.Model:
    if model in made:
        return made[model]
    values = {}
    for field in model._meta.concrete_fields:
        if field.attname == "organization_id" or field.primary_key or (model._meta.db_table, field.name) in EMPTY:
            continue
        if isinstance(field, models.ForeignKey):
            if not field.null or (field.remote_field.model not in (model, *_pending(made))):
                values[field.name] = _related(field, made)
        elif not field.null and not (field.has_default() and not isinstance(field, models.CharField)):
            values[field.name] = _value(field)
    made[model] = model._default_manager.create(**{key: value for key, value in values.items() if value is not None})
    return made[model]


def _pending(made: dict[type[models.Model], Any]) -> list[type[models.Model]]:
    # An optional reference to a row that is not made yet stays empty: some point at each other.
    return [model for model in scoped_models() if model not in made]


def _related(field: Any, made: dict[type[models.Model], Any]) -> Any:
    target = field.remote_field.model
    if target._meta.db_table in EVENT_TABLES:
        return None
    if target in scoped_models():
        return _make(target, made)
    # The one global model is the user; nobody who signs in during a test, or they would gain a seat.
    return target._default_manager.get_or_create(email=f"{MARKER.lower()}@example.com")[0]


def _value(field: models.Field[Any, Any]) -> Any:
    if field.choices:
        return field.flatchoices[0][0]
    if isinstance(field, ArrayField):
        return [_value(field.base_field)]
    if isinstance(field, models.JSONField):
        return {}
    if isinstance(field, models.BooleanField):
        return False
    if isinstance(field, models.UUIDField):
        return uuid.uuid4()
    if isinstance(field, models.BinaryField):
        return MARKER.encode()
    if isinstance(field, models.TimeField):
        return time(9)
    if isinstance(field, models.DateTimeField):
        return clock.now()
    if isinstance(field, models.DateField):
        return clock.now().date()
    if isinstance(field, models.DecimalField | models.IntegerField | models.FloatField):
        return 1
    if isinstance(field, models.EmailField):
        return f"{MARKER.lower()}@example.com"
    if isinstance(field, models.SlugField):
        return MARKER.lower()
    return MARKER[: field.max_length or None]


def _make_events(made: dict[type[models.Model], Any]) -> None:
    by_name = {model.__name__: row for model, row in made.items()}
    now = clock.now()
    partitions.ensure_months([now])
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO audience_event
                   (organization_id, contact_id, definition_id, message_key, happened_at, received_at, properties)
               VALUES (%s, %s, %s, %s, %s, %s, %s)""",
            [
                tenancy.required(),
                by_name["Contact"].pk,
                by_name["EventDefinition"].pk,
                uuid.uuid4(),
                now,
                now,
                f'{{"word": "{MARKER}"}}',
            ],
        )
        cursor.execute(
            "INSERT INTO audience_eventkey (organization_id, message_key) VALUES (%s, %s)",
            [tenancy.required(), uuid.uuid4()],
        )
