"""SMTP with connections that are kept and commands that are pipelined.

smtplib opens the connection (EHLO, STARTTLS, AUTH). Messages then go over its socket directly: with PIPELINING
(RFC 2920) the end of one message and MAIL, RCPT, DATA of the next travel together, one round trip per message.

What is certain (RFC 5321 §4.2.5): until the final dot has gone out the server has accepted nothing; after a
2xx it has; in between nobody knows, and such a message is `uncertain`.
"""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from common.errors import Invalid
from delivery.domain.outcomes import Envelope, Outcome, OutcomeKind
from delivery.providers import bounce_mail, hooks
from delivery.providers.contract import Connection, Field, Provider, ProviderUnavailable, Settings

TIMEOUT_SECONDS = 30
LONGEST_ANSWER = 10_000
SERVICE_CLOSING = 421
# 550–553 for a recipient mean the mailbox; 5.7.x codes speak of policy, not of the address.
ADDRESS_CODES = (550, 551, 553)
PORTS = {"none": 25, "starttls": 587, "ssl": 465}


class Reply(NamedTuple):
    code: int
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


class _Lost(Exception):
    """The connection is gone or talks nonsense."""


def parse(url: str) -> dict[str, object]:
    """`smtp://user:password@host:port?tls=starttls|ssl|none` as settings.

    Raises `Invalid` with what is wrong; the password is never in the message.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        raise Invalid("EMAIL_URL: the port is not a number between 1 and 65535.") from None
    is_ssl = parts.scheme == "smtps"
    tls = parse_qs(parts.query).get("tls", ["ssl" if is_ssl else "none"])[0]
    if not parts.hostname or tls not in PORTS:
        raise Invalid("EMAIL_URL looks like smtp://user:password@host:587?tls=starttls (or tls=ssl, tls=none).")
    return {
        "host": parts.hostname,
        "port": port or PORTS[tls],
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "tls": tls,
    }


def connect(settings: Settings) -> Connection:
    """Open, secure and sign in. Raises `ProviderUnavailable`."""
    host, tls, user = str(settings["host"]), str(settings["tls"]), str(settings.get("user") or "")
    port = int(settings.get("port") or PORTS[tls])
    try:
        if tls == "ssl":
            context = ssl.create_default_context()
            client: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=context)
        else:
            client = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
        client.ehlo_or_helo_if_needed()
        if tls == "starttls":
            client.starttls(context=ssl.create_default_context())
            client.ehlo_or_helo_if_needed()
        if user:
            client.login(user, str(settings.get("password") or ""))
    except (OSError, smtplib.SMTPException) as error:
        raise ProviderUnavailable(f"{host}:{port}: {error}") from error
    return SmtpConnection(client)


class SmtpConnection:
    """One signed-in connection."""

    def __init__(self, client: smtplib.SMTP) -> None:
        assert client.sock is not None
        self._client = client
        self._socket: socket.socket = client.sock
        # smtplib reads through a file of its own; whatever it holds must not be skipped.
        self._file = client.file or self._socket.makefile("rb")
        self._pipelining = client.has_extn("pipelining")
        self._utf8 = client.has_extn("smtputf8")
        self._open = True
        self._needs_reset = False
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def is_usable(self) -> bool:
        return self._open

    def is_alive(self) -> bool:
        """Ask an idle connection whether it still stands."""
        try:
            self._socket.sendall(b"NOOP\r\n")
            self._open = self._read().code == 250
        except (OSError, _Lost):
            self._drop()
        return self._open

    def close(self) -> None:
        with contextlib.suppress(OSError, smtplib.SMTPException):
            if self._open:
                self._client.quit()
        self._open = False
        self._client.close()

    def deliver(self, envelopes: Iterator[Envelope]) -> Iterator[tuple[Envelope, Outcome]]:
        """See contract.Connection."""
        waiting = deque(each for each in (next(envelopes, None), next(envelopes, None)) if each is not None)
        opened = False  # MAIL, RCPT, DATA of the first one are on their way

        def take() -> None:
            if (later := next(envelopes, None)) is not None:
                waiting.append(later)

        while waiting:
            current = waiting.popleft()
            if not self._open:
                yield current, Outcome(OutcomeKind.UNTRIED, "The connection to the mail server was lost.")
                continue
            outcome, opened = self._hand_over(current, waiting[0] if waiting else None, opened, take)
            yield current, outcome
            if not waiting and self._open:
                take()

    def _hand_over(
        self, envelope: Envelope, upcoming: Envelope | None, opened: bool, meanwhile: Callable[[], None]
    ) -> tuple[Outcome, bool]:
        """One message; with pipelining the commands of the upcoming one go along. Returns whether they did.

        `meanwhile` prepares another message while the server works on this one.
        """
        try:
            refusal = self._begin(envelope, opened)
        except (OSError, _Lost) as error:
            self._drop()
            return Outcome(OutcomeKind.RETRY, f"the connection was lost before the message was sent: {error}"), False
        if refusal is not None:
            return refusal, False
        try:
            ahead = self._commands(upcoming) if self._pipelining and upcoming is not None else b""
            self._socket.sendall(_dotted(envelope.data) + b".\r\n" + ahead)
            meanwhile()
            reply = self._read()
        except (OSError, _Lost) as error:
            self._drop()
            return Outcome(OutcomeKind.UNCERTAIN, f"no answer after the message was sent: {error}"), False
        return self._judge(reply), bool(ahead) and self._open

    def _begin(self, envelope: Envelope, opened: bool) -> Outcome | None:
        """MAIL, RCPT and DATA up to the server's 354; an outcome when it says no."""
        if self._pipelining:
            if not opened:
                self._socket.sendall(self._commands(envelope))
            if self._needs_reset:
                self._read()
                self._needs_reset = False
            mail, recipient, data = self._read(), self._read(), self._read()
        else:
            self._reset_if_needed()
            mail, recipient, data = self._one_by_one(envelope)
        refused = next((reply for reply in (mail, recipient, data) if reply.code >= 400 or reply.code < 200), None)
        if refused is None:
            return None
        if data.code == 354:
            # RFC 2920 §3.1: a server may take DATA although it took no recipient; then nothing is sent.
            self._socket.sendall(b".\r\n")
            self._read()
        self._needs_reset = True
        return self._refusal(refused, is_recipient=refused is recipient)

    def _commands(self, envelope: Envelope) -> bytes:
        reset = b"RSET\r\n" if self._needs_reset else b""
        return reset + b"".join(self._three(envelope))

    def _three(self, envelope: Envelope) -> tuple[bytes, bytes, bytes]:
        utf8 = " SMTPUTF8" if not (envelope.sender + envelope.recipient).isascii() and self._utf8 else ""
        return (
            f"MAIL FROM:<{envelope.sender}>{utf8}\r\n".encode(),
            f"RCPT TO:<{envelope.recipient}>\r\n".encode(),
            b"DATA\r\n",
        )

    def _one_by_one(self, envelope: Envelope) -> tuple[Reply, Reply, Reply]:
        """Each command after the answer to the one before; after a no the rest is not asked."""
        replies: list[Reply] = []
        for command in self._three(envelope):
            self._socket.sendall(command)
            replies.append(self._read())
            if replies[-1].code >= 400:
                break
        while len(replies) < 3:
            replies.append(Reply(503, "not asked"))
        return replies[0], replies[1], replies[2]

    def _reset_if_needed(self) -> None:
        if self._needs_reset:
            self._socket.sendall(b"RSET\r\n")
            self._read()
            self._needs_reset = False

    def _refusal(self, reply: Reply, *, is_recipient: bool) -> Outcome:
        if reply.code == SERVICE_CLOSING:
            self._drop()
        if reply.code < 500:
            return Outcome(OutcomeKind.RETRY, str(reply))
        is_bounce = is_recipient and reply.code in ADDRESS_CODES and not reply.text.startswith("5.7.")
        return Outcome(OutcomeKind.FAILED, str(reply), is_hard_bounce=is_bounce)

    def _judge(self, reply: Reply) -> Outcome:
        """The answer to a whole message."""
        if 200 <= reply.code < 300:
            return Outcome(OutcomeKind.SENT, reply.text)
        if reply.code == SERVICE_CLOSING:
            self._drop()
        kind = OutcomeKind.FAILED if reply.code >= 500 else OutcomeKind.RETRY
        return Outcome(kind, str(reply))

    def _read(self) -> Reply:
        """One reply, all its lines."""
        texts: list[str] = []
        size = 0
        while True:
            line = self._file.readline(LONGEST_ANSWER)
            size += len(line)
            if not line.endswith(b"\n") or size > LONGEST_ANSWER or not line[:3].isdigit():
                raise _Lost(f"the server said {line[:80]!r}" if line else "the server closed the connection")
            texts.append(line[4:].strip().decode("utf-8", "replace"))
            if line[3:4] != b"-":
                return Reply(int(line[:3]), " ".join(texts))

    def _drop(self) -> None:
        self._open = False
        self._client.close()


def _dotted(data: bytes) -> bytes:
    """RFC 5321 §4.5.2: a dot at the start of a line is doubled; the mail ends with CRLF."""
    if b"\n." in data:
        data = data.replace(b"\n.", b"\n..")
    return data if data.endswith(b"\r\n") else data + b"\r\n"


FIELDS = (
    Field("host", "Server", help="Such as smtp.example.com."),
    Field(
        "tls",
        "Encryption",
        "choice",
        choices=(("starttls", "STARTTLS (port 587)"), ("ssl", "TLS (port 465)"), ("none", "None (port 25)")),
        default="starttls",
    ),
    Field("port", "Port", "number", is_required=False, help="Empty: the usual one for the encryption."),
    Field("user", "User name", is_required=False),
    Field("password", "Password", "secret", is_required=False),
    hooks.PASSWORD,
)
PROVIDER = Provider(
    "smtp",
    "SMTP",
    ("email",),
    FIELDS,
    connect,
    wants_bytes=True,
    hooks=bounce_mail.HOOKS,
    help="Mails that come back are filed when they are posted, as they are, to the address below.",
)
