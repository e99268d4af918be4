"""What a benchmark says: one table for people, one JSON file for machines."""

from __future__ import annotations

import json
import os
import resource
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

RESULTS = Path(__file__).with_name("results")


@dataclass(frozen=True)
class Figure:
    """One measured figure beside its yardstick from the same run. `goal` is met when `is_met`."""

    name: str
    ours: float
    unit: str
    yardstick_name: str = ""
    yardstick: float | None = None
    goal: str = ""
    is_met: bool | None = None

    @property
    def ratio(self) -> float | None:
        return self.ours / self.yardstick if self.yardstick else None


def peak_megabytes() -> float:
    """Peak resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def child_megabytes(pid: int) -> float:
    """Peak resident memory of a process and its descendants now, the largest single one."""
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return max(_peak(process.pid) for process in processes)


def _peak(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of the values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def publish(benchmark: str, figures: list[Figure], memory: dict[str, float]) -> None:
    """Print the table and keep it as JSON under benchmarks/results (not committed)."""
    print(f"\n{benchmark}  ({os.cpu_count()} cores)\n")
    print("| figure | ours | yardstick | ratio | goal | met |\n|---|---:|---:|---:|---|---|")
    for figure in figures:
        print(_row(figure))
    print("\npeak memory: " + ", ".join(f"{name} {value:,.0f} MB" for name, value in memory.items()) + "\n")
    RESULTS.mkdir(exist_ok=True)
    document = {
        "benchmark": benchmark,
        "cores": os.cpu_count(),
        "figures": [asdict(figure) | {"ratio": figure.ratio} for figure in figures],
        "peak_memory_mb": memory,
    }
    (RESULTS / f"{benchmark}.json").write_text(json.dumps(document, indent=2))


def told(figures: list[Figure]) -> list[Figure]:
    """The same figures, shown while a long benchmark goes on."""
    for figure in figures:
        print(_row(figure), file=sys.stderr, flush=True)
    return figures


def _row(figure: Figure) -> str:
    cells = (figure.name, f"{_number(figure.ours)} {figure.unit}", _yardstick(figure), _ratio(figure), figure.goal)
    return f"| {' | '.join(cells)} | {_met(figure)} |"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"


def _yardstick(figure: Figure) -> str:
    if figure.yardstick is None:
        return "–"
    return f"{figure.yardstick_name} {_number(figure.yardstick)} {figure.unit}"


def _ratio(figure: Figure) -> str:
    return f"{figure.ratio:.2f}" if figure.ratio is not None else "–"


def _met(figure: Figure) -> str:
    return "–" if figure.is_met is None else ("yes" if figure.is_met else "**no**")
