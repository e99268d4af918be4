"""Programmes, codes, referrals and the rewards ledger."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from accounts.admin_base import OrganizationModelAdmin, ReadOnlyMixin, TabularInline
from common import money
from common.errors import AppError
from viral import services
from viral.models import Program, Referral, ReferralCode, Reward, RewardKind

REFERRAL_BADGES = {
    "invited": "info",
    "clicked": "info",
    "signed_up": "warning",
    "qualified": "primary",
    "rewarded": "success",
    "rejected": "danger",
}
REWARD_BADGES = {"pending": "warning", "approved": "success", "reversed": "danger"}


@admin.register(Program)
class ProgramAdmin(OrganizationModelAdmin):
    """Refer a friend: who earns what for what."""

    list_display = ["name", "is_active", "goal_event_name", "inviter_reward", "invitee_reward", "created_at"]
    list_filter = ["is_active"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    empty_hint = "Make a programme, then give contacts their codes by API or from your app."
    fieldsets = [
        (None, {"fields": ["name", "slug", "is_active", "landing_url", "link_base_url"]}),
        ("What counts", {"fields": [
            "sign_up_event_name", "goal_event_name", "refund_event_name", "only_new_customers",
        ]}),
        ("Rewards", {"fields": [
            ("inviter_reward_kind", "inviter_reward_amount"), ("invitee_reward_kind", "invitee_reward_amount"),
            "currency", "requires_approval",
        ]}),
        ("Words to share", {"fields": ["share_subject", "share_text"]}),
    ]  # fmt: skip

    @admin.display(description="Inviter earns")
    def inviter_reward(self, program: Program) -> str:
        return _amount(program.inviter_reward_kind, program.inviter_reward_amount, program.currency)

    @admin.display(description="Friend earns")
    def invitee_reward(self, program: Program) -> str:
        return _amount(program.invitee_reward_kind, program.invitee_reward_amount, program.currency)

    def save_model(self, request: HttpRequest, obj: Program, form: Any, change: bool) -> None:
        services.save_program(obj)

    def delete_model(self, request: HttpRequest, obj: Program) -> None:
        services.delete_program(obj)


@admin.register(ReferralCode)
class ReferralCodeAdmin(ReadOnlyMixin, OrganizationModelAdmin):
    """Contacts' codes with their share links."""

    list_display = ["code", "contact", "program", "link", "is_current", "created_at"]
    list_filter = ["program", "is_current"]
    list_select_related = ["contact", "program"]
    search_fields = ["=code", "=contact__email"]
    search_help_text = "Code or e-mail address, in full"
    ordering = ["-pk"]
    fields = ["code", "program", "contact", "link", "is_current", "created_at"]
    empty_hint = "Codes are made when your app asks for a contact's share link."

    @admin.display(description="Share link")
    def link(self, code: ReferralCode) -> str:
        return services.link_of(code)


class RewardInline(ReadOnlyMixin, TabularInline):
    model = Reward
    fields = readonly_fields = ["side", "contact", "kind", "amount", "currency", "status", "reason"]
    tab = False


@admin.register(Referral)
class ReferralAdmin(ReadOnlyMixin, OrganizationModelAdmin):
    """Who invited whom, how far it came, and why it was refused."""

    list_display = ["created_at", "inviter", "invitee", "program", "state", "reason", "qualified_at"]
    list_filter = ["status", "reason", "program"]
    list_select_related = ["inviter", "invitee", "program"]
    search_fields = ["=code__code", "=inviter__email", "=invitee__email"]
    search_help_text = "Code or e-mail address, in full"
    ordering = ["-pk"]
    inlines = [RewardInline]
    fields = [
        "program", "code", "inviter", "invitee", "state", "reason", "created_at", "clicked_at", "signed_up_at",
        "qualified_at", "rewarded_at", "rejected_at", "order_id", "worth",
    ]  # fmt: skip
    empty_hint = "Referrals appear when somebody follows a share link."

    @display(description="Status", ordering="status", label=REFERRAL_BADGES)
    def state(self, referral: Referral) -> tuple[str, str]:
        return referral.status, referral.get_status_display()

    @admin.display(description="Qualified by")
    def worth(self, referral: Referral) -> str:
        return money.show(referral.value_minor, referral.currency)


@admin.register(Reward)
class RewardAdmin(ReadOnlyMixin, OrganizationModelAdmin):
    """What referrals earned; waiting rewards are approved here."""

    list_display = ["created_at", "contact", "side", "earned", "state", "reason"]
    list_filter = ["status", "side", "kind", "referral__program"]
    list_select_related = ["contact"]
    search_fields = ["=contact__email"]
    search_help_text = "E-mail address, in full"
    ordering = ["-pk"]
    fields = ["referral", "contact", "side", "earned", "state", "reason", "created_at", "decided_at"]
    actions = ["approve_chosen", "reverse_chosen"]
    empty_hint = "Rewards appear when an invited friend qualifies, or when a workflow gives some."

    @admin.display(description="Reward")
    def earned(self, reward: Reward) -> str:
        return _amount(reward.kind, reward.amount, reward.currency)

    @display(description="Status", ordering="status", label=REWARD_BADGES)
    def state(self, reward: Reward) -> tuple[str, str]:
        return reward.status, reward.get_status_display()

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("viral.change_reward")

    @admin.action(description="Approve", permissions=["decide"])
    def approve_chosen(self, request: HttpRequest, queryset: QuerySet[Reward]) -> None:
        count = services.approve(list(queryset.values_list("pk", flat=True)))
        messages.success(request, f"{count:,} rewards are approved; the others were decided before.")

    @admin.action(description="Take back", permissions=["decide"])
    def reverse_chosen(self, request: HttpRequest, queryset: QuerySet[Reward]) -> None:
        taken, refused = 0, 0
        for reward in queryset:
            try:
                services.reverse(reward, f"Taken back by {request.user}.")
                taken += 1
            except AppError:
                refused += 1
        messages.success(request, f"{taken:,} rewards are taken back; {refused:,} were so before.")


def _amount(kind: str, amount: int, currency: str) -> str:
    if kind == RewardKind.NONE or not amount:
        return "–"
    if kind == RewardKind.POINTS:
        return f"{amount:,} points"
    return f"{money.show(amount, currency)} {RewardKind(kind).label.lower()}" if currency else f"{amount:,} {kind}"
