"""What each role may do: one table, read by the admin, the API and the pages.

A capability is `resource:read` or `resource:write`; a resource is a room, or a part of one that has its own
rule (`members`, `keys`, `tasks`).
"""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    MARKETER = "marketer"
    ANALYST = "analyst"
    AGENT = "agent"
    DEVELOPER = "developer"


ROOMS = ("audience", "segments", "experiments", "delivery", "campaigns", "automations", "attribution", "viral",
         "integrations", "dashboards")  # fmt: skip
RESOURCES = (*ROOMS, "inbox", "tasks", "keys", "members", "audit", "organization")


def _read(*resources: str) -> set[str]:
    return {f"{resource}:read" for resource in resources}


def _write(*resources: str) -> set[str]:
    return _read(*resources) | {f"{resource}:write" for resource in resources}


CAPABILITIES: dict[Role, frozenset[str]] = {
    Role.OWNER: frozenset(_write(*RESOURCES)),
    Role.ADMIN: frozenset(_write(*RESOURCES)),
    Role.MARKETER: frozenset(_write(*ROOMS, "tasks") | _read("audit", "organization")),
    Role.ANALYST: frozenset(_read(*ROOMS, "tasks", "organization")),
    Role.AGENT: frozenset(_write("tasks", "audience") | _read("segments", "dashboards", "automations")),
    Role.DEVELOPER: frozenset(_write("keys") | _read(*ROOMS, "audit", "organization")),
}

EVERYTHING = CAPABILITIES[Role.OWNER]


def may(role: Role, resource: str, *, write: bool) -> bool:
    """Whether a role covers reading or writing a resource."""
    return f"{resource}:{'write' if write else 'read'}" in CAPABILITIES[role]
