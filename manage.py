#!/usr/bin/env python3
"""Runs every command of Groundswell; without configuration it runs on a trial's own servers."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

# SQLSTATE of "role does not exist" in SET ROLE, and of "relation does not exist".
UNPREPARED = {"22023", "42P01"}


def interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """Leave by the same way as Ctrl-C, so that what was started is stopped."""
    raise KeyboardInterrupt


def main() -> int:
    """Prepare the environment, run the command, give the servers back; the exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketing_site.settings")
    try:
        from django.core.management import execute_from_command_line

        from common import trial
        from common.programs import EmbeddedError
    except ImportError as error:
        print(f"{error.name} is not installed here; `make run` installs everything into .venv.", file=sys.stderr)  # noqa: T201
        return 1
    from django.db import DatabaseError

    signal.signal(signal.SIGTERM, interrupt)
    try:
        trial.prepare(sys.argv[1:])
        execute_from_command_line(sys.argv)
    except EmbeddedError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", "") not in UNPREPARED:
            raise
        print(f"The database is not prepared ({error}); run `manage.py migrate` first.", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        # `up` runs until somebody ends it; for every other command an interruption is a failure.
        return 0 if sys.argv[1:2] == ["up"] else 130
    finally:
        trial.release()
    return 0


if __name__ == "__main__":
    sys.exit(main())
