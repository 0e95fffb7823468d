"""Results of a campaign, in `out/mutants/ROOM-SEED.json`: what became of each mutant, and the share that was killed."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from files.replace import replace_file
from mutation.mutant import Mutant

KILLED = ("killed", "timeout")
ALIVE = ("survived", "unreached")


@dataclass
class Result:
    """status is killed, timeout (a test hangs: it is seen), survived, unreached (no test runs the line), or gone."""

    mutant: Mutant
    status: str
    test: str = ""
    reason: str = ""
    seconds: float = 0.0
    tests: int = 0
    of: int = 0
    earlier: list[str] = field(default_factory=list)


@dataclass
class Campaign:
    room: str
    seed: str
    digest: str
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    results: list[Result] = field(default_factory=list)

    def count(self, *statuses: str) -> int:
        counts = Counter(result.status for result in self.results)
        return sum(counts[status] for status in statuses)

    def survivors(self) -> list[Result]:
        alive = [result for result in self.results if result.status in ALIVE]
        return sorted(alive, key=lambda result: (result.mutant.path, result.mutant.line))

    def save(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file, (json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n").encode())

    def summary(self) -> dict[str, Any]:
        killed, alive = self.count(*KILLED), self.count(*ALIVE)
        low, high = wilson(killed, killed + alive)
        return {
            "room": self.room,
            "seed": self.seed,
            "mutants": killed + alive,
            "killed": killed,
            "timeouts": self.count("timeout"),
            "survived": self.count("survived"),
            "unreached": self.count("unreached"),
            "gone": self.count("gone"),
            "share": round(killed / (killed + alive), 4) if killed + alive else None,
            "low": round(low, 4),
            "high": round(high, 4),
            "wall_s": round(self.wall_seconds),
            "cpu_s": round(self.cpu_seconds),
        }


def load(file: Path) -> Campaign | None:
    if not file.is_file():
        return None
    record = json.loads(file.read_text("utf-8"))
    results = [Result(**{**each, "mutant": Mutant(**each["mutant"])}) for each in record.pop("results")]
    return Campaign(**record, results=results)


def wilson(hits: int, of: int, z: float = 1.959964) -> tuple[float, float]:
    """Return the 95 % interval of a share, after Wilson: it holds for small samples and near 100 %, too."""
    if of == 0:
        return (0.0, 1.0)
    share, square = hits / of, z * z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = z * math.sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return (max(0.0, middle - half), min(1.0, middle + half))
