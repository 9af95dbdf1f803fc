"""The figures of a race: as a table to look at, and as JSON to keep."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from measure import Cost
from rich.table import Table


@dataclass(frozen=True)
class Outcome:
    """What came of one engine: its cost and how many values are wrong, or that it took too long, or why it failed."""

    engine: str
    cost: Cost | None = None
    wrong_in_sample: int | None = None
    unlike_reference: int | None = None
    over_limit_s: float | None = None
    failure: str | None = None

    @property
    def right(self) -> bool:
        """Whether it finished with the expected values, or was not given the time to."""
        return self.failure is None and not self.wrong_in_sample and not self.unlike_reference


def baseline_of(outcomes: list[Outcome]) -> Outcome | None:
    """The outcome that ratios are to: NowThen where it ran, else the first that did."""
    done = [outcome for outcome in outcomes if outcome.cost]
    return next((outcome for outcome in done if outcome.engine == "nowthen"), done[0] if done else None)


def table(outcomes: list[Outcome], title: str, load: float, *, cold: bool) -> Table:
    """The figures to look at."""
    baseline = baseline_of(outcomes)
    named = baseline.engine if baseline else "?"
    drawn = Table(title=f"{title}: medians of {'cold processes' if cold else 'warm runs'}")
    drawn.caption = f"{os.cpu_count()} cores; load average before the start {load:.2f}"
    drawn.add_column("engine")
    ratios = (f"wall / {named}", f"CPU / {named}")
    for heading in ("wall s", "CPU s", "peak MB", *ratios, "wrong in sample", "unlike reference"):
        drawn.add_column(heading, justify="right")
    for outcome in outcomes:
        version = f" {outcome.cost.version}" if outcome.cost else ""
        drawn.add_row(f"{outcome.engine}{version}", *cells(outcome, baseline))
    return drawn


def cells(outcome: Outcome, baseline: Outcome | None) -> list[str]:
    """The figures of one row of the table."""
    cost = outcome.cost
    if outcome.over_limit_s:
        return [f"> {outcome.over_limit_s:g}"]
    if not cost or outcome.failure or not baseline or not baseline.cost:
        return ["failed"]
    return [
        f"{cost.wall_median_s:.3f}",
        f"{cost.cpu_median_s:.2f}",
        f"{cost.peak_bytes / 1e6:,.0f}",
        f"{cost.wall_median_s / baseline.cost.wall_median_s:.2f}",
        f"{cost.cpu_median_s / baseline.cost.cpu_median_s:.2f}",
        f"{outcome.wrong_in_sample:,}",
        f"{outcome.unlike_reference:,}",
    ]


def report(outcomes: list[Outcome], load: float) -> dict[str, object]:
    """The figures to keep, with what is needed to judge them."""
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cores": os.cpu_count(),
            "processor": platform.machine(),
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "load_average_before": load,
        "engines": [figures(outcome, baseline_of(outcomes)) for outcome in outcomes],
    }


def figures(outcome: Outcome, baseline: Outcome | None) -> dict[str, object]:
    """One engine's figures."""
    kept = asdict(outcome)
    if outcome.cost and baseline and baseline.cost:
        kept["cost"] |= {"wall_median_s": outcome.cost.wall_median_s, "cpu_median_s": outcome.cost.cpu_median_s}
        kept["ratio_to"] = baseline.engine
        kept["wall_ratio"] = outcome.cost.wall_median_s / baseline.cost.wall_median_s
        kept["cpu_ratio"] = outcome.cost.cpu_median_s / baseline.cost.cpu_median_s
    return kept
