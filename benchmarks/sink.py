"""A null SMTP server: speaks the protocol, offers PIPELINING, throws mail away, counts it.

`python -m benchmarks.sink PORT` serves until it is stopped; `VRFY count` answers `252 <messages>`.
"""

from __future__ import annotations

import asyncio
import sys

COUNT = {"messages": 0}


class Sink(asyncio.Protocol):
    """One connection. Commands are answered in order, however many arrive in one packet."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.buffer = b""
        self.in_data = False
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        answers = []
        while True:
            if self.in_data:
                end = self.buffer.find(b"\r\n.\r\n")
                if end < 0:
                    break
                self.buffer, self.in_data = self.buffer[end + 5 :], False
                COUNT["messages"] += 1
                answers.append(b"250 taken\r\n")
                continue
            line, found, rest = self.buffer.partition(b"\r\n")
            if not found:
                break
            self.buffer = rest
            answers.append(self._command(line.upper()))
        self.transport.write(b"".join(answers))
        if answers and answers[-1].startswith(b"221"):
            self.transport.close()

    def _command(self, line: bytes) -> bytes:
        if line.startswith(b"EHLO"):
            return b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 10485760\r\n"
        if line.startswith(b"DATA"):
            self.in_data = True
            return b"354 go on\r\n"
        if line.startswith(b"VRFY COUNT"):
            return f"252 {COUNT['messages']}\r\n".encode()
        if line.startswith(b"QUIT"):
            return b"221 bye\r\n"
        return b"250 ok\r\n"


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
