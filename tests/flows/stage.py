"""A stage for one person: real events over HTTP, the engine and delivery in this process, mail to a real SMTP server,
and a clock that the play moves."""

from __future__ import annotations

import json
import re
import uuid
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

from django.test import Client

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import ApiKeyKind, Member
from audience import services as audience
from audience.models import Contact
from automations import services as automations
from automations.models import Automation, AutomationRun, Notification, Task
from automations.services import recipes
from common import clock, doorbell, tenancy
from delivery.models import DeliveryPolicy, Sender
from delivery.tests.making import Sink

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
WORKED = ("ingest", "notices", "flips", "segment_builds", "automation_runs", "messages", "visits")


@dataclass
class Stage:
    """The play: who is there, what they do, and what came of it."""

    now: datetime
    sink: Sink
    clocks: ExitStack
    client: Client = field(default_factory=Client)
    write_key: str = ""

    def open(self) -> None:
        """An organisation that may write at any hour, with an agent and a manager."""
        self.clocks.enter_context(clock.freeze(self.now))
        DeliveryPolicy.objects.create(quiet_from=time(0), quiet_until=time(0), hours_between=0, most_per_day=100)
        Sender.objects.create(name="Acme", address="hello@acme.example", is_default=True)
        self.write_key = accounts.issue_key("flows", ApiKeyKind.WRITE)[1]
        self.agent = self._seat("ann@acme.example", Role.AGENT)
        self.manager = self._seat("max@acme.example", Role.MARKETER)

    def _seat(self, address: str, role: Role) -> Member:
        return accounts.add_member(accounts.ensure_user(address, name=address.split("@")[0].title()), role)

    def install(self, key: str, **answers: Any) -> Automation:
        """Install a recipe and switch it on."""
        done = recipes.install(key, answers)
        self.settle()  # segments are built
        return automations.activate(done.automation)

    # --- what people do -----------------------------------------------------------------------------------

    def arrives(self, name: str = "Ada", **traits: Any) -> Contact:
        """Somebody identifies themselves and agrees to e-mail."""
        user_id = name.lower()
        self._send(
            {"type": "identify", "userId": user_id, "traits": {"name": name, "email": mailbox(name), **traits}}
        )
        audience_contact = Contact.objects.get(user_id=user_id)
        audience.grant_consent([audience_contact.pk], "email", None, "flow")
        self.settle()
        return audience_contact

    def does(self, name: str, event: str, **properties: Any) -> None:
        """Somebody does something in the shop or app."""
        self._send({"type": "track", "userId": name.lower(), "event": event, "properties": properties})

    def clicks(self, mail: EmailMessage) -> None:
        """Somebody clicks the first tracked link of a mail, as a browser does."""
        body = mail.get_body(("html",))
        assert body is not None
        link = re.search(r'href="([^"]+/t/c/[^"]+)"', body.get_content())
        assert link is not None, body.get_content()
        parts = urlsplit(link[1].replace("&amp;", "&"))
        answer = self.client.get(f"{parts.path}?{parts.query}", headers={"user-agent": BROWSER})
        assert answer.status_code == 302
        self.settle()

    def _send(self, event: dict[str, Any]) -> None:
        at = clock.now().isoformat()
        batch = [{"messageId": str(uuid.uuid4()), "timestamp": at, **event}]
        answer = self.client.post(
            "/v1/batch",
            json.dumps({"batch": batch, "sentAt": at, "writeKey": self.write_key}),
            content_type="application/json",
        )
        assert answer.status_code == 200, answer.content
        self.settle()

    def later(self, **span: float) -> None:
        """Time passes; what is due is done."""
        self.now += timedelta(**span)
        self.clocks.enter_context(clock.freeze(self.now))
        self.settle()

    def settle(self) -> None:
        """Do what is due of the rows that a play touches, until nothing is."""
        while any(doorbell.WORK[name].run(tenancy.required()) for name in WORKED):
            pass

    # --- what came of it ----------------------------------------------------------------------------------

    def subjects(self, name: str = "Ada") -> list[str]:
        """Subjects of the mails that somebody got, in order."""
        return [str(mail["Subject"]) for mail in self.mails(name)]

    def mails(self, name: str = "Ada") -> list[EmailMessage]:
        return [mail for mail, to in zip(self.sink.mails, self.sink.recipients, strict=True) if to == mailbox(name)]

    def open_tasks(self) -> list[tuple[str, str]]:
        """Title and assignee of what is to do."""
        rows = Task.objects.filter(status="open").order_by("pk").values_list("title", "assignee__user__email")
        return [(title, (address or "nobody").split("@")[0]) for title, address in rows]

    def finish(self, title: str, outcome: str, about: Contact | None = None) -> None:
        """A colleague does a task and says what came of it."""
        tasks = Task.objects.filter(title=title, status="open")
        automations.finish(tasks.get(contact=about) if about else tasks.get(), outcome)
        self.settle()

    def told(self, member: Member) -> list[str]:
        return list(Notification.objects.filter(member=member).order_by("pk").values_list("message", flat=True))

    def ends(self) -> list[tuple[str, str]]:
        """How every run stands: status and why it left."""
        return list(AutomationRun.objects.order_by("pk").values_list("status", "exit_reason"))


def mailbox(name: str) -> str:
    return f"{name.lower()}@example.com"
