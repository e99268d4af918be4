"""Tenancy by row security: the database shows a connection only the rows of the organisation it works for.

The app connects as a login role that owns the tables and at once assumes `groundswell_app` (Django's
`assume_role`), which row security binds. `organization(id)` says for whom we work; `engine()` steps back to
the owner for generated set SQL that carries the organisation in its own WHERE. See docs/adr/0002.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import psycopg
from django.conf import settings
from django.db import connection, models
from django.db.models.expressions import Func
from psycopg import sql
from psycopg.pq import TransactionStatus

from common.errors import AppError

_organization: ContextVar[int | None] = ContextVar("organization", default=None)
# The connection that was told so last: a new one knows of nothing.
_told: ContextVar[object] = ContextVar("told", default=None)
_as_owner: ContextVar[bool] = ContextVar("as_owner", default=False)

SETTING = "app.organization_id"
LOST_CLIENT_SECONDS = 2
POLICY = "organization_only"
CURRENT_SQL = f"nullif(current_setting('{SETTING}', true), '')::bigint"


class NoOrganization(AppError):
    code = "no_organization"
    http_status = 403


def current() -> int | None:
    """The organisation this code works for, or None."""
    return _organization.get()


def required() -> int:
    """The organisation this code works for; raises `NoOrganization` when nobody said."""
    organization_id = _organization.get()
    if organization_id is None:
        raise NoOrganization(
            "This work needs an organisation and none was set; call it inside tenancy.organization(id)."
        )
    return organization_id


@contextmanager
def organization(organization_id: int) -> Iterator[None]:
    """Work for one organisation inside the block: queries see its rows and new rows are its own. Nests."""
    previous = _organization.get()
    if previous == organization_id and _told.get() is connection.connection is not None:
        yield
        return
    token = _organization.set(int(organization_id))
    _tell_database(organization_id)
    try:
        yield
    finally:
        _organization.reset(token)
        _tell_database(previous, restoring=True)


@contextmanager
def nobody() -> Iterator[None]:
    """A block that starts and ends with no organisation, whatever `activate` does inside it."""
    previous = _organization.get()
    token = _organization.set(None)
    if previous is not None:
        _tell_database(None)
    try:
        yield
    finally:
        if previous is not None or _organization.get() is not None:
            _tell_database(previous, restoring=True)
        _organization.reset(token)


def activate(organization_id: int) -> None:
    """Work for an organisation until the surrounding `nobody()` block ends: for a request's authenticators."""
    _organization.set(int(organization_id))
    _tell_database(organization_id)


@contextmanager
def engine() -> Iterator[None]:
    """Work as the tables' owner, whom row security does not bind, inside the block.

    Row security keeps operators that are not leak-proof (jsonb, pattern matching) away from indexes, so
    generated set SQL runs here and names its organisation itself. Nests.
    """
    if _as_owner.get():
        yield
        return
    token = _as_owner.set(True)
    _set_role("RESET ROLE")
    try:
        yield
    finally:
        _as_owner.reset(token)
        _set_role(f"SET ROLE {settings.APPLICATION_ROLE}", restoring=True)


def _nothing_to_restore() -> bool:
    # A broken transaction takes no statement, and its rollback restores role and setting by itself;
    # a connection that is gone has neither.
    raw = connection.connection
    return raw is None or raw.closed or raw.info.transaction_status == TransactionStatus.INERROR


def _tell_database(organization_id: int | None, *, restoring: bool = False) -> None:
    if restoring and _nothing_to_restore():
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config(%s, %s, false)",
            [SETTING, "" if organization_id is None else str(organization_id)],
        )
    _told.set(connection.connection)


def _set_role(statement: str, *, restoring: bool = False) -> None:
    if restoring and _nothing_to_restore():
        return
    with connection.cursor() as cursor:
        cursor.execute(statement)


class CurrentOrganization(Func):
    """The organisation of the connection, as a database default."""

    template = CURRENT_SQL
    arity = 0
    output_field = models.BigIntegerField()

    def __init__(self) -> None:
        super().__init__()


class OrganizationScoped(models.Model):
    """A row that belongs to one organisation. The column fills itself, in Python and in SQL.

    It carries no foreign key: row security admits only the current organisation, and the check would cost
    a probe per row on tables that take thousands of rows a second.
    """

    organization_id = models.BigIntegerField(editable=False, default=current, db_default=CurrentOrganization())

    class Meta:
        abstract = True


# --- what `migrate` does around Django's own work --------------------------------------------------


def ensure_role() -> None:
    """Create the application role when it is missing and let the login role assume it.

    A statement of a worker that was killed would otherwise go on, and hold its locks, until its end.
    """
    parameters = connection.get_connection_params()
    for key in ("assume_role", "cursor_factory", "context"):
        parameters.pop(key, None)
    role = sql.Identifier(settings.APPLICATION_ROLE)
    with psycopg.connect(**parameters, autocommit=True) as owner:
        known = owner.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [settings.APPLICATION_ROLE]).fetchone()
        if not known:
            owner.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(role))
        member = owner.execute("SELECT pg_has_role(current_user, %s, 'SET')", [settings.APPLICATION_ROLE]).fetchone()
        if not (member and member[0]):
            owner.execute(sql.SQL("GRANT {} TO current_user").format(role))
        owner.execute(f"ALTER ROLE current_user SET client_connection_check_interval = '{LOST_CLIENT_SECONDS}s'")


PROTECT_SQL = """
DO $$
DECLARE
    target record;
BEGIN
    FOR target IN
        SELECT c.oid::regclass AS name, a.attname AS scope
        FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
          AND (a.attname = 'organization_id' OR (c.relname = 'accounts_organization' AND a.attname = 'id'))
          AND NOT EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = '%(policy)s')
    LOOP
        EXECUTE format('ALTER TABLE %%s ENABLE ROW LEVEL SECURITY', target.name);
        EXECUTE format('CREATE POLICY %(policy)s ON %%s USING (%%I = %(current)s)', target.name, target.scope);
    END LOOP;
END $$;
"""


def protect_tables() -> None:
    """Put row security on every table and partition that carries an organisation. Idempotent; as owner."""
    role = settings.APPLICATION_ROLE
    with engine(), connection.cursor() as cursor:
        cursor.execute(PROTECT_SQL % {"policy": POLICY, "current": CURRENT_SQL.replace("'", "''")})
        cursor.execute(
            f"GRANT USAGE ON SCHEMA public TO {role};"
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};"
            f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role};"
        )
