"""A small real DNS server for tests: answers over UDP and TCP from a table, fails or keeps silent when told to."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Records = dict[tuple[str, str], list[str]]


def _both() -> tuple[socket.socket, socket.socket]:
    """A socket of each kind on one port that both of them found free."""
    while True:
        streams = socket.create_server(("127.0.0.1", 0))
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            datagrams.bind(streams.getsockname())
        except OSError:
            streams.close()
            datagrams.close()
        else:
            return datagrams, streams


class DnsServer:
    """`records[("example.com", "TXT")] = ['"v=spf1 -all"']`; `failing` names answer SERVFAIL."""

    def __init__(self, records: Records | None = None) -> None:
        self.records: Records = dict(records or {})
        self.failing: set[str] = set()
        self.silent: set[str] = set()
        self.asked: list[tuple[str, str]] = []

    def txt(self, name: str, *texts: str) -> None:
        """TXT records; long ones are cut into strings of 255 as zones do."""
        self.records[(name, "TXT")] = [
            " ".join(f'"{text[start : start + 255]}"' for start in range(0, len(text), 255)) for text in texts
        ]

    def answer(self, wire: bytes) -> bytes | None:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        if name in self.silent:
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        found = self.records.get((name, kind))
        if name in self.failing:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif found:
            response.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *found))
        elif not any(known == name for known, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response.to_wire()

    @contextlib.contextmanager
    def listening(self) -> Iterator[str]:
        """Serve until the block ends; gives `host:port`."""
        datagrams, streams = _both()
        port = datagrams.getsockname()[1]
        stop = threading.Event()
        workers = [
            threading.Thread(target=self._datagrams, args=(datagrams, stop), daemon=True),
            threading.Thread(target=self._streams, args=(streams, stop), daemon=True),
        ]
        for worker in workers:
            worker.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            stop.set()
            datagrams.close()
            streams.close()
            for worker in workers:
                worker.join(5)

    def _datagrams(self, server: socket.socket, stop: threading.Event) -> None:
        server.settimeout(0.1)
        while not stop.is_set():
            try:
                wire, sender = server.recvfrom(4096)
            except TimeoutError:
                continue
            except OSError:
                return
            reply = self.answer(wire)
            if reply is not None:
                # What does not fit into a datagram is asked for again by TCP.
                if len(reply) > 1232:
                    short = dns.message.make_response(dns.message.from_wire(wire))
                    short.flags |= dns.flags.TC
                    reply = short.to_wire()
                server.sendto(reply, sender)

    def _streams(self, server: socket.socket, stop: threading.Event) -> None:
        server.settimeout(0.1)
        while not stop.is_set():
            try:
                client, _ = server.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            with client:
                client.settimeout(2)
                size = struct.unpack("!H", client.recv(2))[0]
                reply = self.answer(client.recv(size))
                if reply is not None:
                    client.sendall(struct.pack("!H", len(reply)) + reply)
