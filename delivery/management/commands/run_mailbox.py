"""The built-in mailbox: a mail server on this machine that keeps what it gets and sends nothing on."""

from __future__ import annotations

import asyncio
import errno
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, close_old_connections

from delivery.services import mailbox

HOST = "127.0.0.1"
MOST_BYTES = 20 * 1024 * 1024


class Handler:
    """Hands what comes over SMTP to the mailbox; one thread keeps one database connection."""

    def __init__(self) -> None:
        self.writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mailbox")

    async def handle_EHLO(  # noqa: N802 — aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        # aiosmtpd reads commands one by one from a buffer, which is all that pipelining asks for.
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.writer, self._keep, envelope)

    def _keep(self, envelope: Envelope) -> str:
        close_old_connections()
        body = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        try:
            is_kept = mailbox.take(envelope.mail_from or "", envelope.rcpt_tos, body)
        except DatabaseError as error:
            return f"451 4.3.0 The mailbox cannot write: {type(error).__name__}"
        if not is_kept:
            return f"550 5.7.1 No organisation is named by {mailbox.ORGANIZATION_HEADER}"
        return "250 2.0.0 Kept"


class Command(BaseCommand):
    help = (
        "Run the built-in mailbox, a mail server on this machine whose mail is read at /mailbox/.\n"
        "  manage.py run_mailbox              listen on MAILBOX_PORT\n"
        "  manage.py run_mailbox --port 2525  listen there"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=settings.MAILBOX_PORT)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            asyncio.run(self._serve(options["port"]))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise CommandError(f"Port {options['port']} is busy; choose another with MAILBOX_PORT.") from None
            raise CommandError(f"The mailbox cannot listen on port {options['port']}: {error}.") from None

    async def _serve(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        handler = Handler()
        server = await loop.create_server(
            lambda: SMTP(handler, data_size_limit=MOST_BYTES, enable_SMTPUTF8=True, hostname="mailbox", loop=loop),
            HOST,
            port,
        )
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stopped.set)
        self.stdout.write(f"The mailbox listens on {HOST}:{port}.")
        self.stdout.flush()
        await stopped.wait()
        server.close()
        handler.writer.shutdown()
