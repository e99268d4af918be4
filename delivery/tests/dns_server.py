"""A small real DNS server for tests: answers over UDP and TCP from a table, fails or keeps silent when told to."""

from __future__ import annotations

import contextlib
import socketserver
import struct
import threading
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Records = dict[tuple[str, str], list[str]]


# What does not fit into a datagram is asked for again by TCP.
LARGEST_DATAGRAM = 1232


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
        servers = _both(self)
        threads = [threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True) for server in servers]
        for thread in threads:
            thread.start()
        try:
            yield f"127.0.0.1:{servers[0].server_address[1]}"
        finally:
            # Only who serves no more closes: a socket closed under a thread is an error in that thread.
            for server, thread in zip(servers, threads, strict=True):
                server.shutdown()
                thread.join()
                server.server_close()


def _both(dns_server: DnsServer) -> tuple[socketserver.UDPServer, socketserver.TCPServer]:
    """A server of each kind on one port that both of them found free."""

    class Datagram(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, answering = self.request
            reply = dns_server.answer(wire)
            if reply is None:
                return
            if len(reply) > LARGEST_DATAGRAM:
                reply = _asking_for_tcp(wire)
            answering.sendto(reply, self.client_address)

    class Stream(socketserver.StreamRequestHandler):
        timeout = 2

        def handle(self) -> None:
            (size,) = struct.unpack("!H", self.rfile.read(2))
            reply = dns_server.answer(self.rfile.read(size))
            if reply is not None:
                self.wfile.write(struct.pack("!H", len(reply)) + reply)

    while True:
        streams = socketserver.TCPServer(("127.0.0.1", 0), Stream)
        try:
            return socketserver.UDPServer(streams.server_address, Datagram), streams  # type: ignore[arg-type]
        except OSError:
            streams.server_close()


def _asking_for_tcp(wire: bytes) -> bytes:
    short = dns.message.make_response(dns.message.from_wire(wire))
    short.flags |= dns.flags.TC
    return short.to_wire()
