"""Who may sign in, for which organisation, with which role; keys for programs; and what was changed by whom."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models

from accounts.domain.roles import Role
from common import clock
from common.tenancy import OrganizationScoped


class Organization(models.Model):
    """A company that uses Groundswell. Row security shows a connection only its own."""

    name = models.CharField(max_length=200)
    slug = models.SlugField(unique=True)
    timezone = models.CharField(max_length=64, default="UTC")
    currency = models.CharField(max_length=3, default="USD")
    is_demo = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)

    def create_superuser(self, email: str, password: str | None = None) -> User:
        """For `manage.py createsuperuser`."""
        user = self.model(email=email.lower(), is_superuser=True)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in. Global: one person may be a member of several organisations."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.name or self.email.split("@")[0]

    @property
    def is_staff(self) -> bool:
        """Everybody with an account works in the admin; roles decide what they see there."""
        return self.is_active


class Member(OrganizationScoped):
    """A colleague's place in an organisation."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=[(role.value, role.value.title()) for role in Role])
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization_id", "user"], name="one_membership_per_user")]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"


class ApiKeyKind(models.TextChoices):
    WRITE = "write", "Write key (public, ingest only)"
    SECRET = "secret", "Secret key (server, scoped)"


class ApiKey(OrganizationScoped):
    """A program's key. Write keys are public and only ingest; secret keys are kept as a hash."""

    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=ApiKeyKind)
    prefix = models.CharField(max_length=16, editable=False)
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    public_key = models.CharField(max_length=80, blank=True, editable=False, help_text="Shown for write keys only.")
    scopes = models.JSONField(default=list, blank=True, help_text='Capabilities such as "segments:read".')
    created_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class AuditEntry(OrganizationScoped):
    """One change to a marketing object: who, when, what it was, what it became, from where."""

    happened_at = models.DateTimeField(default=clock.now)
    actor = models.CharField(max_length=200)
    address = models.CharField(max_length=64, blank=True)
    action = models.CharField(max_length=40)
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=40)
    object_name = models.CharField(max_length=300)
    before: models.JSONField[Any, Any] = models.JSONField(null=True)
    after: models.JSONField[Any, Any] = models.JSONField(null=True)

    class Meta:
        verbose_name_plural = "audit entries"
        ordering = ["-id"]
        indexes = [models.Index(fields=["organization_id", "object_type", "object_id"], name="audit_by_object")]

    def __str__(self) -> str:
        return f"{self.action} {self.object_type} {self.object_name}"

    @property
    def changes(self) -> list[dict[str, Any]]:
        """Field by field: what it was, what it became."""
        before, after = self.before or {}, self.after or {}
        return [
            {"field": field, "before": before.get(field, "–"), "after": after.get(field, "–")}
            for field in sorted(before.keys() | after.keys())
        ]
