"""What a worker of the Ray executor does around a step, in this process."""

from __future__ import annotations

from typing import Any

import pytest

from nowthen.engine.folds import memory
from nowthen.engine.running import ray_fetching
from nowthen.engine.running.meter import Meter
from nowthen.engine.running.ray_worker import Worker
from nowthen.engine.running.work import Cut


@pytest.mark.parametrize("share, given_back", [(0, 1), (1 << 50, 0)])
def test_a_worker_gives_memory_back_where_it_holds_more_than_its_share(
    share: int, given_back: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[None] = []
    monkeypatch.setattr(memory, "give_back", lambda: calls.append(None))
    monkeypatch.setattr(ray_fetching, "fetched", lambda needs: needs)
    plain: Any = Worker
    worker = object.__new__(plain.__ray_metadata__.modified_class)
    worker._meter, worker.place = Meter(), lambda: "a place"
    report, settled = worker.run(share, Cut(), [])
    assert (len(calls), settled.kept, report.place[:8]) == (given_back, None, "a place:")
