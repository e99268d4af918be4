"""What `manage.py up` prints: one stream, a coloured name before each line of a child."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TextIO

COLOURS = {"web": 36, "river": 32, "delivery": 33, "beat": 35, "mail": 34, "demo": 96}
NAME_WIDTH = 8


class Console:
    """Writes lines; colours only on a terminal that wants them (https://no-color.org)."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self.has_colours = self.stream.isatty() and not os.environ.get("NO_COLOR")

    def line(self, name: str, text: str) -> None:
        """A line that a child wrote; empty ones are left out."""
        if text.strip():
            self._write(f"{self._painted(name.ljust(NAME_WIDTH), COLOURS.get(name, 37))} │ {text}")

    def say(self, text: str) -> None:
        """A line of our own."""
        self._write(self._painted(text, 1))

    def _painted(self, text: str, colour: int) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self.has_colours else text

    def _write(self, text: str) -> None:
        # A closed terminal must not keep us from stopping what we started.
        with contextlib.suppress(OSError, ValueError):
            self.stream.write(text + "\n")
            self.stream.flush()
