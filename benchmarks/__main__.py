"""`python -m benchmarks [NAME …] [--smoke]`: run benchmarks, each on servers of its own.

Each prints one table: our figure, the yardstick of the same run, their ratio, peak memory.
`--smoke` runs the same code on small data, to prove that the scripts work; its figures mean nothing.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys

from benchmarks import ground

NAMES = [
    "accept",
    "process",
    "latency",
    "segments",
    "campaign",
    "campaigns",
    "reads",
    "live",
    "behaviours",
    "send",
    "tracking",
    "blocks",
    "science",
    "read_out",
    "forecast",
    "copy",
    "analysis",
    "simulate",
    "automations",
    "clocks",
]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one or more of {', '.join(NAMES)}; none: all")
    parser.add_argument("--smoke", action="store_true", help="small data")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        with ground.servers():
            importlib.import_module(f"benchmarks.{options.inside}").run(smoke=options.smoke)
        return
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"unknown benchmark {', '.join(sorted(unknown))}; known: {', '.join(NAMES)}")
    # A process for each: peak memory and settings of one do not colour the next.
    flags = ["--smoke"] if options.smoke else []
    codes = [
        subprocess.run([sys.executable, "-m", "benchmarks", "--inside", name, *flags], check=False).returncode
        for name in options.names or NAMES
    ]
    sys.exit(max(codes))


if __name__ == "__main__":
    main()
