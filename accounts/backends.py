"""Django's permission questions answered from the role in the current organisation."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.db.models import Model

from accounts import selectors
from accounts.domain import roles
from accounts.models import User
from common import tenancy

# Models whose rule is not their room's.
RESOURCE_BY_MODEL = {
    "accounts.member": "members",
    "accounts.apikey": "keys",
    "accounts.auditentry": "audit",
    "accounts.organization": "organization",
    "automations.task": "tasks",
    "common.noticedelivery": "organization",
}


def resource_of(app_label: str, model_name: str) -> str:
    return RESOURCE_BY_MODEL.get(f"{app_label}.{model_name}", app_label)


class RoleBackend(ModelBackend):
    """Signs in by e-mail and password; `app.change_model` is granted by the table of roles."""

    def has_perm(self, user_obj: Any, perm: str, obj: Model | None = None) -> bool:
        if not user_obj.is_active:
            return False
        if user_obj.is_superuser:
            return True
        role = current_role(user_obj)
        if role is None or "." not in perm or "_" not in perm:
            return False
        app_label, codename = perm.split(".", 1)
        action, model_name = codename.split("_", 1)
        return roles.may(role, resource_of(app_label, model_name), write=action != "view")

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        role = current_role(user_obj)
        if user_obj.is_superuser:
            return True
        resources = {app_label} | {
            value for key, value in RESOURCE_BY_MODEL.items() if key.startswith(app_label + ".")
        }
        return role is not None and any(roles.may(role, resource, write=False) for resource in resources)


def current_role(user: User) -> roles.Role | None:
    """The user's role in the organisation this request works for; remembered on the user object."""
    organization_id = tenancy.current()
    if organization_id is None:
        return None
    remembered: dict[int, roles.Role | None] = user.__dict__.setdefault("_roles", {})
    if organization_id not in remembered:
        place = selectors.seat(user, organization_id)
        remembered[organization_id] = place.role if place else None
    return remembered[organization_id]


def allowed(user: Any, resource: str, *, write: bool = False) -> bool:
    """Whether a signed-in person may read (or write) a resource of the current organisation."""
    if not user.is_authenticated or not user.is_active:
        return False
    if user.is_superuser:
        return True
    role = current_role(user)
    return role is not None and roles.may(role, resource, write=write)
