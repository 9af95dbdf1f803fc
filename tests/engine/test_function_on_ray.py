"""The user's functions on Ray: the same table as here, by path where workers can import them and by value where they cannot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import polars as pl
import pytest

import nowthen as nt

from .functions import failing, initial, is_large, scaled, taxed
from .functions_elsewhere import scaled as scaled_elsewhere
from .shop import SHOP, sales, spine

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_cluster")]

tx = sales()


def both(features: dict[str, Any], **columns: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The same features on Ray and here, with their statuses."""
    view = nt.feature_view("view", entity=SHOP, features=features)
    train = nt.training_set(spine(**columns), view, at="asked")
    return train.collect(engine="ray", status=True), train.collect(engine="local", status=True)


def test_ray_and_this_process_give_the_same_table() -> None:
    kept = tx.filter(is_large(tx.amount))
    there, here = both(
        {"f": taxed(kept.amount).sum(), "g": initial(tx.seller.last(), tx.seller.first()), "h": kept.count()}
    )
    assert there.equals(here)


def test_functions_of_equal_source_stay_apart_on_ray() -> None:
    there, here = both({"f": scaled(tx.amount).sum(), "g": scaled_elsewhere(tx.amount).sum()})
    assert there.equals(here)
    assert there.row(0)[-4::2] == (300.0, 30_000.0)


def test_a_function_of_a_function_travels_by_value() -> None:
    @nt.function(returns=pl.Float64)
    def local(x: pl.Series, *, by: float = 3.0) -> pl.Series:
        return x * by

    there, here = both({"f": local(tx.amount).sum()})
    assert there.equals(here)


def test_an_error_inside_is_raised_here_as_it_is() -> None:
    with pytest.raises(
        nt.FunctionFailed, match=r"functions:failing failed on .* ZeroDivisionError: .* of functions\.py"
    ):
        both({"f": failing(tx.amount).sum()})


def test_a_module_that_workers_do_not_have_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "only_here.py").write_text(
        "import nowthen as nt\nimport polars as pl\n\n@nt.function(returns=pl.Float64)\ndef twice(x):\n    return x * 2\n"
    )
    import only_here  # type: ignore[import-not-found]

    with pytest.raises(
        nt.NotFound, match=r"'only_here:twice' needs module 'only_here', which is not installed here.*runtime_env"
    ):
        both({"f": only_here.twice(tx.amount).sum()})


def test_a_function_of_a_script_travels_by_value_with_what_it_calls(tmp_path: Path) -> None:
    script = """
        from datetime import datetime

        import nowthen as nt
        import polars as pl
        import ray

        FACTOR = 7.0


        def factor():
            return FACTOR


        @nt.function(returns=pl.Float64)
        def times(x):
            return x * factor()


        if __name__ == "__main__":
            ray.init("local", num_cpus=1, include_dashboard=False, log_to_driver=False)
            shop = nt.Entity("shop", keys={"shop_id": pl.Int64})
            rows = pl.DataFrame({"shop_id": [1, 1], "time": [datetime(2026, 1, 1)] * 2, "x": [1.0, 2.0]})
            tx = nt.Source("tx", nt.Frame(rows), event_time="time", entities=[shop])
            view = nt.feature_view("view", entity=shop, features={"f": times(tx.x).sum()})
            print(nt.training_set(rows, view, at="time").collect(engine="ray")["f"].to_list())
    """
    (tmp_path / "script.py").write_text(dedent(script))
    ran = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False
    )
    assert ran.stdout.strip() == "[21.0, 21.0]", ran.stderr
