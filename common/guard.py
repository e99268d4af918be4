"""Ends process groups whose supervisor died without ending them (a `kill -9`, an out-of-memory kill).

Run by file name in a bare interpreter with a pipe as its input. Lines `+123` and `-123` name groups that
started and ended. The end of the pipe means that the supervisor is gone: what is left is asked to stop,
and after a while made to.
"""

from __future__ import annotations

import os
import signal
import sys
import time

GRACE_SECONDS = 5.0


def end_groups(groups: set[int], grace_seconds: float) -> None:
    """SIGTERM every group, and SIGKILL what is still there after the grace."""
    deadline = time.monotonic() + grace_seconds
    for group in groups:
        send(group, signal.SIGTERM)
    while groups and time.monotonic() < deadline:
        time.sleep(0.05)
        groups = {group for group in groups if send(group, 0)}
    for group in groups:
        send(group, signal.SIGKILL)


def send(group: int, number: int) -> bool:
    """Signal a group; False when nobody is in it any more."""
    try:
        os.killpg(group, number)
        return True
    except (ProcessLookupError, PermissionError):
        return False


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line[0] == "+":
            groups.add(group)
        else:
            groups.discard(group)
    end_groups(groups, GRACE_SECONDS)


if __name__ == "__main__":
    main()
