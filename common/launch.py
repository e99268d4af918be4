"""Becomes another program that cannot outlive its starter and, for root, is no longer root.

Run by file name in a bare interpreter: `python -I -S launch.py SIGNAL PARENT USER -- PROGRAM ARGUMENT…`.
SIGNAL is sent to the program when process PARENT dies, by whatever death. USER is a user id to become,
or -1 to stay. PostgreSQL refuses root, so root's embedded server runs as an ordinary user who keeps one
right of root: to walk through folders such as /root that bar others. No folder's mode is loosened for it.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import sys

# linux/prctl.h and linux/capability.h
PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
CAPABILITY_VERSION_3 = 0x20080522


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _keep_walking_right() -> None:
    """Keep the weakest capability that walks through closed folders; containers often lack the first."""
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    for capability in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):
        mask = 1 << capability
        data = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
        if _libc().capset(header, data) == 0:
            _libc().prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0)
            return


def become(user_id: int) -> None:
    """Give up root for good, except for the right to walk through folders."""
    if sys.platform == "linux":
        _libc().prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(pwd.getpwuid(user_id).pw_gid)
    os.setuid(user_id)
    if sys.platform == "linux":
        _keep_walking_right()


def die_with(parent: int, signal_number: int) -> None:
    """Ask the kernel to signal this process when its parent dies. Elsewhere than Linux: nothing."""
    if sys.platform == "linux":
        # Set after setuid, which clears it (prctl(2)).
        _libc().prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)


def main(arguments: list[str]) -> None:
    signal_number, parent, user_id = (int(word) for word in arguments[:3])
    command = arguments[4:]
    if user_id >= 0:
        become(user_id)
    die_with(parent, signal_number)
    try:
        os.execv(command[0], command)  # noqa: S606
    except OSError as error:
        sys.exit(f"{command[0]} cannot be started: {error.strerror}.")


if __name__ == "__main__":
    main(sys.argv[1:])
