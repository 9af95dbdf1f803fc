"""A Ray cluster on this machine for NowThen to run on, started before the clock does."""

from __future__ import annotations

import os

import ray

os.environ.setdefault("RAY_free_objects_period_milliseconds", "10")  # as where NowThen starts Ray (docs/adr/0014)


def start_ray(workers: int | None = None, attempts: int = 3) -> None:
    """A cluster of so many workers, else of this machine's cores, without the dashboard, whose processes would count as ours.

    On a busy machine Ray gives up after 30 seconds (2.60), and a second attempt succeeds.
    """
    for attempt in range(1, attempts + 1):
        try:
            ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False)
            return
        except Exception:  # Ray raises nothing more precise
            ray.shutdown()
            if attempt == attempts:
                raise
