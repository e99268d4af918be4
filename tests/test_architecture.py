"""The architecture, proven: what docs/architecture.md says about the code is checked here on every run."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection, models

from accounts.models import Organization
from common import doorbell, outbox, tenancy
from common.registry import CATALOGUE

ROOT = Path(settings.BASE_DIR)
LONGEST_TASK = 10
# Tables that belong to nobody in particular, each with its reason.
GLOBAL_MODELS = {
    "accounts.User": "a person signs in once and may be a member of several organisations",
}


def _sources() -> Iterator[tuple[Path, ast.Module]]:
    for room in [*settings.ROOMS, "marketing_site"]:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "tests" not in path.parts and "migrations" not in path.parts:
                yield path.relative_to(ROOT), ast.parse(path.read_text())


def _own_models() -> list[type[models.Model]]:
    return [
        model for room in settings.ROOMS for model in apps.get_app_config(room).get_models(include_auto_created=True)
    ]


def test_imports_go_down_only() -> None:
    contract = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([contract, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout


def test_foreign_keys_go_down_only() -> None:
    height = {room: index for index, room in enumerate(settings.ROOMS)}
    siblings = {"automations", "attribution", "viral", "integrations"}
    wrong = []
    for model in _own_models():
        for field in model._meta.get_fields():
            target = getattr(field, "related_model", None)
            if not field.concrete or target is None or target._meta.app_label not in height:
                continue
            here, there = model._meta.app_label, target._meta.app_label
            if here != there and (height[there] > height[here] or {here, there} <= siblings):
                wrong.append(f"{model._meta.label}.{field.name} → {target._meta.label}")

    assert wrong == []


def test_nobody_uses_django_signals() -> None:
    wrong = [
        f"{path}: {ast.unparse(node)}"
        for path, tree in _sources()
        for node in ast.walk(tree)
        # anymail's module of that name also holds the words it calls events by.
        if (
            isinstance(node, ast.ImportFrom)
            and node.module
            and "signals" in node.module.split(".")
            and (
                node.module != "anymail.signals" or {name.name for name in node.names} - {"EventType", "RejectReason"}
            )
        )
        or (isinstance(node, ast.ImportFrom) and node.module == "django.dispatch")
    ]

    assert wrong == []


def test_nobody_overrides_save_or_delete_of_a_model() -> None:
    wrong = [
        f"{model._meta.label}.{method}"
        for model in _own_models()
        for method in ("save", "delete")
        if method in model.__dict__
    ]

    assert wrong == []


def test_serializers_hold_no_logic() -> None:
    """Serializers shape data: they do not create, update or query."""
    banned = {"create", "update", "save"}
    wrong = [
        f"{path}: {node.name}.{item.name}"
        for path, tree in _sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any("Serializer" in ast.unparse(base) for base in node.bases)
        for item in node.body
        if isinstance(item, ast.FunctionDef) and item.name in banned
    ]

    assert wrong == []


def test_tasks_are_short() -> None:
    wrong = [
        f"{path}: {node.name} has {(node.end_lineno or 0) - node.lineno + 1} lines"
        for path, tree in _sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and any("shared_task" in ast.unparse(decorator) for decorator in node.decorator_list)
        and (node.end_lineno or 0) - node.lineno + 1 > LONGEST_TASK
    ]

    assert wrong == []


def test_the_present_comes_from_the_clock() -> None:
    banned = {"timezone.now", "datetime.now", "datetime.utcnow", "date.today", "datetime.today"}
    wrong = [
        f"{path}:{node.lineno}: {ast.unparse(node.func)}"
        for path, tree in _sources()
        if path != Path("common/clock.py")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in banned
    ]

    assert wrong == []


def test_every_package_file_is_of_a_readable_size() -> None:
    longest = 400
    wrong = [
        f"{path}: {lines} lines"
        for path, _ in _sources()
        if (lines := len((ROOT / path).read_text().splitlines())) > longest
    ]

    assert wrong == []


def test_every_room_says_what_it_owns() -> None:
    assert [room for room in settings.ROOMS if not (ROOT / room / "README.md").exists()] == []


def test_every_model_belongs_to_an_organisation_or_says_why_not() -> None:
    scoped = {
        model._meta.label
        for model in _own_models()
        if any(field.attname == "organization_id" for field in model._meta.concrete_fields)
    }
    unscoped = {model._meta.label for model in _own_models()} - scoped - {"accounts.Organization"}

    # The two many-to-many tables of Django's permission mixin hang on the user.
    assert unscoped == GLOBAL_MODELS.keys() | {"accounts.User_groups", "accounts.User_user_permissions"}


@pytest.mark.django_db
def test_every_scoped_table_and_partition_is_under_row_security() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.relname FROM pg_class c
               JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id'
               WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
                 AND (NOT c.relrowsecurity
                      OR NOT EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = %s))""",
            [tenancy.POLICY],
        )
        unprotected = [row[0] for row in cursor.fetchall()]

    assert unprotected == []


@pytest.mark.django_db
def test_the_application_role_cannot_step_around_row_security(organization: Organization) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, rolbypassrls, rolsuper FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (settings.APPLICATION_ROLE, False, False)
        cursor.execute("SELECT tableowner FROM pg_tables WHERE schemaname = 'public' GROUP BY 1")
        assert settings.APPLICATION_ROLE not in {row[0] for row in cursor.fetchall()}


def test_the_catalogue_names_every_kind_of_plug_in() -> None:
    kinds = {"operator", "trigger", "step", "provider", "attribution model", "card"}

    assert kinds <= CATALOGUE.keys()
    assert [kind for kind, registry in CATALOGUE.items() if not len(registry)] == []


def test_wiring_names_are_unique_and_every_work_has_a_known_queue() -> None:
    from marketing_site import wiring

    assert len({(item.subscriber, item.notice) for item in wiring.SUBSCRIPTIONS}) == len(wiring.SUBSCRIPTIONS)
    assert {work.queue for work in doorbell.WORK.values()} <= set(settings.QUEUES)
    assert outbox.MOST_ATTEMPTS > 1
