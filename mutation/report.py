"""The report of a campaign: a table, the survivors with their changes, and a last line of JSON."""

from __future__ import annotations

import json
from collections import defaultdict

from mutation.results import KILLED, Campaign


def report(campaign: Campaign) -> str:
    lines = []
    for result in campaign.survivors():
        mutant = result.mutant
        reached = "no test reaches it" if result.status == "unreached" else f"{result.tests} of {result.of} tests ran"
        lines += [
            f"{mutant.path}:{mutant.line}: {mutant.operator} ({reached})",
            f"    - {mutant.line_text}",
            f"    + {mutant.changed_line()}",
        ]
    if lines:
        lines = ["Survivors:", "", *lines, ""]
    by_file: dict[str, list[bool]] = defaultdict(list)
    for result in campaign.results:
        if result.status != "gone":
            by_file[result.mutant.path].append(result.status in KILLED)
    lines += [f"{'file':48}{'mutants':>8}{'killed':>8}", "-" * 64]
    lines += [f"{path:48}{len(each):8}{sum(each):8}" for path, each in sorted(by_file.items())]
    summary = campaign.summary()
    share = "no mutant" if summary["share"] is None else f"{summary['share']:.1%}"
    lines += [
        "-" * 64,
        f"{campaign.room:48}{summary['mutants']:8}{summary['killed']:8}",
        "",
        f"{share} killed (95 %: {summary['low']:.1%} to {summary['high']:.1%}), {summary['timeouts']} by timeouts;"
        f" {summary['survived']} survived, {summary['unreached']} no test reaches, {summary['gone']} no longer exist;"
        f" {summary['wall_s'] / 60:.1f} min, {summary['cpu_s'] / 60:.1f} min of CPU time; seed {campaign.seed!r}",
        json.dumps(summary),
    ]
    return "\n".join(lines)
