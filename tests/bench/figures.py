"""What a benchmark prints: the conditions, each figure beside its bar, and whether the bar was met."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Figures:
    """Lines of one benchmark. `missed` names the bars that were not met."""

    missed: list[str] = field(default_factory=list)

    def title(self, words: str) -> None:
        """A heading."""
        print(f"\n{words}", flush=True)  # noqa: T201

    def say(self, name: str, value: str) -> None:
        """A figure without a bar."""
        print(f"  {name:<58} {value:>12}", flush=True)  # noqa: T201

    def at_most(self, name: str, value: float, bar: float, unit: str = "") -> None:
        """A figure that must not exceed its bar."""
        self._judged(name, value, f"<= {bar:g}{unit}", value <= bar, unit)

    def at_least(self, name: str, value: float, bar: float, unit: str = "") -> None:
        """A figure that must reach its bar."""
        self._judged(name, value, f">= {bar:g}{unit}", value >= bar, unit)

    def _judged(self, name: str, value: float, bar: str, met: bool, unit: str) -> None:
        print(f"  {name:<58} {value:>10.2f}{unit:<4} {bar:<12} {'ok' if met else 'MISSED'}", flush=True)  # noqa: T201
        if not met:
            self.missed.append(name)


def machine() -> str:
    """Processor, cores, memory, Python."""
    information = Path("/proc/cpuinfo").read_text(errors="replace") if Path("/proc/cpuinfo").exists() else ""
    model = next((line.partition(":")[2].strip() for line in information.splitlines() if line.startswith("model name")), platform.machine())
    load = os.getloadavg()[0]
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores ({model}), {gigabytes:.0f} GB, Python {platform.python_version()}, load {load:.1f} at the start"


def resident() -> float:
    """Megabytes that this process holds in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
