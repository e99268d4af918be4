"""What a line of the health page says."""

from __future__ import annotations

from dataclasses import dataclass

HEALTHY, WARNING, CRITICAL = "healthy", "warning", "critical"
ORDER = [HEALTHY, WARNING, CRITICAL]
BADGES = {HEALTHY: "good", WARNING: "warning", CRITICAL: "critical"}


@dataclass(frozen=True)
class Check:
    """One line of the health page. `seconds` or a count stands behind `measured`."""

    title: str
    status: str
    measured: str
    target: str
    to_do: str = ""
    link: str = ""

    @property
    def badge(self) -> str:
        return BADGES[self.status]
