"""pandas: merge_asof for last values, rolling for windows.

Both frames are sorted by time first, stably, because merge_asof refuses others, and the spine's order is put back afterwards. Numbers have nullable
Arrow types, so that a missing one does not turn integers into floats.

* merge_asof: https://pandas.pydata.org/docs/reference/api/pandas.merge_asof.html
* rolling: https://pandas.pydata.org/docs/user_guide/window.html
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa

from .wire import Case, arrow, duration, serve

LACKS = {
    "known": "merge_asof compares one pair of times",
    "row": "merge_asof knows no versions of a row",
    "online": "pandas serves nothing",
}


def answer(case: Case) -> pa.Table:
    """The spine with the column `found`."""
    spine, events = frame(arrow(case["spine"])), frame(arrow(case["events"]))
    found = windowed(case, spine, events) if case["ask"]["window"] else joined(case, spine, events)
    return arrow(case["spine"]).append_column("found", pa.array(found.sort_index()["found"]))


def frame(table: pa.Table) -> pd.DataFrame:
    """The rows with Arrow's types, but times as pandas has them, in UTC, as merge_asof wants both of one type."""
    made = table.to_pandas(types_mapper=pd.ArrowDtype)
    return made.assign(time=pd.to_datetime(made["time"].astype(object), utc=True).astype("datetime64[us, UTC]"))


def joined(case: Case, spine: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """The last value at or before each time, by the index of the spine."""
    ask = case["ask"]
    keys = ask["keys"]
    left = spine.assign(place=spine.index).astype(dict(events.dtypes[keys])).sort_values("time", kind="stable")
    right = events.assign(found=events["value"])[[*keys, "time", "found"]].sort_values("time", kind="stable")
    tolerance = pd.Timedelta(duration(ask["ttl"])) if ask["ttl"] else None
    return pd.merge_asof(left, right, on="time", by=keys or None, tolerance=tolerance).set_index("place")


def windowed(case: Case, spine: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """The fold over the window at each time, by the index of the spine.

    A row sees rows of its own time only as far as they stand before it, so questions stand behind the events of their time, or before them where the window
    leaves out its end.
    """
    ask = case["ask"]
    late = pd.Timedelta(duration(ask["delay"] or "0s"))
    happened = events.assign(time=events["time"] + late, place=-1)
    questions = spine.assign(place=spine.index, value=pd.Series(pd.NA, spine.index, events.dtypes["value"]))
    parts = [happened, questions] if ask["closed"] == "right" else [questions, happened]
    rows = pd.concat([part[[*ask["keys"], "time", "place", "value"]] for part in parts]).sort_values(
        "time", kind="stable"
    )
    rows = rows.assign(value=rows["value"].to_numpy("float64", na_value=float("nan"))).set_index("time")
    least: Any = 1 if ask["fold"] == "mean" else 0
    rolled = rows.groupby(ask["keys"])[["place", "value"]].rolling(
        pd.Timedelta(duration(ask["window"])), min_periods=least, closed=ask["closed"]
    )
    folded = getattr(rolled["value"], ask["fold"])()
    grouped = rows.sort_values(ask["keys"], kind="stable")
    out = pd.DataFrame({"place": grouped["place"].to_numpy(), "found": folded.to_numpy()}).query("place >= 0")
    return out.set_index("place")


if __name__ == "__main__":
    serve(answer, LACKS)
