"""What is known: kinds of events and custom attributes, as they were learned."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from accounts.admin_base import OrganizationModelAdmin
from audience.models import AttributeDefinition, EventDefinition


class LearnedAdmin(OrganizationModelAdmin):
    """Learned from what arrives; people may only describe it."""

    search_fields = ["name"]
    ordering = ["name"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(EventDefinition)
class EventDefinitionAdmin(LearnedAdmin):
    """Kinds of events with the properties they were seen with."""

    list_display = ["name", "property_names", "description", "created_at"]
    fields = ["name", "description", "properties", "created_at"]
    readonly_fields = ["name", "properties", "created_at"]
    empty_hint = "Send a first event: see the API quick start."

    @admin.display(description="Properties")
    def property_names(self, definition: EventDefinition) -> str:
        return ", ".join(sorted(definition.properties)[:8])


@admin.register(AttributeDefinition)
class AttributeDefinitionAdmin(LearnedAdmin):
    """Custom attributes of contacts with the type they were first seen with."""

    list_display = ["name", "type", "description", "created_at"]
    list_filter = ["type"]
    fields = ["name", "type", "description", "created_at"]
    readonly_fields = ["name", "type", "created_at"]
    empty_hint = "Attributes are learned from the first contact that has them."
