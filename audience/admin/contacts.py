"""Contacts: the list, the form; everything about one of them is on the page it links to."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from accounts.admin_base import OrganizationModelAdmin, ReadOnlyMixin, TabularInline
from audience import selectors, services
from audience.domain.attributes import TEXT_FIELDS
from audience.models import Contact, Identity

EDITABLE = [*TEXT_FIELDS, "user_id", "priority", "value_minor", "currency"]


class ContactForm(forms.ModelForm):  # type: ignore[type-arg]
    tag_list = forms.CharField(
        label="Tags", required=False, widget=UnfoldAdminTextInputWidget, help_text="Separated by commas."
    )

    class Meta:
        model = Contact
        fields = [*EDITABLE, "assignee", "attributes"]
        widgets = {"attributes": UnfoldAdminTextareaWidget(attrs={"rows": 8})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tag_list"].initial = ", ".join(self.instance.tags or [])

    def clean_attributes(self) -> dict[str, Any]:
        value = self.cleaned_data["attributes"]
        if not isinstance(value, dict):
            raise forms.ValidationError('Write an object such as {"plan": "pro"}.')
        return value

    def values(self) -> dict[str, Any]:
        """What was changed, as the service takes it; an attribute that was deleted from the text is taken away."""
        said = self.cleaned_data
        values: dict[str, Any] = {name: said[name] for name in EDITABLE if name in self.changed_data}
        if "assignee" in self.changed_data:
            values["assignee"] = said["assignee"].pk if said["assignee"] else None
        if "tag_list" in self.changed_data:
            values["tags"] = [tag.strip() for tag in said["tag_list"].split(",") if tag.strip()]
        if "attributes" in self.changed_data:
            before = self.initial.get("attributes") or {}
            values["attributes"] = {**dict.fromkeys(before), **said["attributes"]}
        return values


class IdentityInline(ReadOnlyMixin, TabularInline):
    model = Identity
    fields = ["kind", "value", "created_at"]
    readonly_fields = fields
    verbose_name_plural = "Known as"


@admin.register(Contact)
class ContactAdmin(OrganizationModelAdmin):
    """People we know."""

    form = ContactForm
    inlines = [IdentityInline]
    list_display = ["who", "email", "status", "priority", "city", "country", "tag_words", "last_seen_at"]
    list_display_links = None  # `who` leads to the contact's page, which leads on to the form
    list_filter = ["status", "priority", "source", "country"]
    list_select_related = False
    search_fields = ["name"]  # shows the box; get_search_results answers it
    search_help_text = "Begins with: a name, an e-mail address, a phone number or any id."
    ordering = ["-pk"]
    autocomplete_fields: list[str] = []
    empty_hint = "People appear with the first event of your app, or with manage.py import_contacts people.csv."
    change_form_outer_before_template = "audience/contact_top.html"
    readonly_fields = ["first_seen_at", "last_seen_at", "created_at", "updated_at"]
    fieldsets = [
        (None, {"fields": ["name", "email", "phone", "user_id", "status", "priority", "assignee", "tag_list"]}),
        ("Where", {"fields": ["city", "region", "country", "timezone", "locale"]}),
        ("Worth", {"fields": ["source", "value_minor", "currency"]}),
        ("Custom attributes", {"fields": ["attributes"]}),
        ("Times", {"fields": ["first_seen_at", "last_seen_at", "created_at", "updated_at"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        return selectors.living()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Contact], search_term: str
    ) -> tuple[QuerySet[Contact], bool]:
        return selectors.search(queryset, search_term), False

    @admin.display(description="Contact", ordering="name")
    def who(self, contact: Contact) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("dashboards:contact", args=[contact.pk]), str(contact))

    @admin.display(description="Tags")
    def tag_words(self, contact: Contact) -> str:
        return ", ".join(contact.tags)

    def save_model(self, request: HttpRequest, obj: Contact, form: ContactForm, change: bool) -> None:
        if change:
            stored = services.update_contact(Contact.objects.get(pk=obj.pk), **form.values())
        else:
            stored = services.create_contact(**form.values())
        obj.pk = stored.pk

    def delete_model(self, request: HttpRequest, obj: Contact) -> None:
        services.delete_contact(obj)
