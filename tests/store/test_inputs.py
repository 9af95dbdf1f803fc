"""Ways into NowThen: whatever holds rows gives the same rows, each value as it was, or one clear error."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import nowthen as nt
from nowthen.engine.running.handover import pandas_frame
from nowthen.store.sources.frame import as_frame
from nowthen.store.store import Store

from . import shop

BIG = 2**53 + 1  # no float holds it
EPOCH = datetime(1970, 1, 1)


class Streaming:
    """An object of which nothing is known but that it gives an Arrow stream."""

    def __init__(self, rows: pl.DataFrame) -> None:
        self.rows = rows

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.rows.__arrow_c_stream__(requested_schema)


class Polished:
    """An object of which nothing is known but that it becomes a Polars frame, as datasets of Hugging Face do."""

    def __init__(self, rows: pl.DataFrame) -> None:
        self.rows = rows

    def to_polars(self) -> pl.DataFrame:
        return self.rows


def of_duckdb(rows: pl.DataFrame) -> Any:
    return duckdb.connect().from_arrow(rows.to_arrow())


FORMS: dict[str, Callable[[pl.DataFrame], Any]] = {
    "a Polars frame": lambda rows: rows,
    "a lazy frame": lambda rows: rows.lazy(),
    "pandas": pandas_frame,
    "pandas over Arrow": lambda rows: rows.to_pandas(use_pyarrow_extension_array=True),
    "pandas with an index": lambda rows: pandas_frame(rows).set_index(np.arange(100, 100 + len(rows))),
    "an Arrow table": lambda rows: rows.to_arrow(),
    "an Arrow table in pieces": lambda rows: pa.concat_tables([rows[:7].to_arrow(), rows[7:].to_arrow()]),
    "an Arrow batch": lambda rows: rows.to_arrow().combine_chunks().to_batches()[0],
    "an Arrow stream": lambda rows: rows.to_arrow().to_reader(7),
    "a list of batches": lambda rows: rows.to_arrow().to_batches(7),
    "a generator of batches": lambda rows: (batch for batch in rows.to_arrow().to_batches(7)),
    "a generator of frames": lambda rows: (rows[place : place + 7] for place in range(0, len(rows), 7)),
    "a generator of rows": lambda rows: iter(rows.to_dicts()),
    "whatever streams": Streaming,
    "whatever becomes a Polars frame": Polished,
    "a relation of DuckDB": of_duckdb,
    "arrays of numpy": lambda rows: (
        {one.name: one.to_numpy() for one in rows if not one.null_count()}
        | {one.name: one for one in rows if one.null_count()}
    ),
    "columns of Arrow": lambda rows: {one.name: one.to_arrow() for one in rows},
    "columns of pandas": lambda rows: (
        {one.name: one.to_pandas() for one in rows if not one.null_count()}
        | {one.name: one for one in rows if one.null_count()}
    ),
}


def same(found: pl.DataFrame, rows: pl.DataFrame) -> bool:
    """Whether rows are equal; a naive time is one of UTC, which numpy's all are."""
    when = pl.col("when").dt.replace_time_zone("UTC").dt.cast_time_unit("us")
    return found.select(rows.columns).with_columns(when).equals(rows)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_every_form_of_rows_gives_the_same_rows(form: Callable[[pl.DataFrame], Any]) -> None:
    rows = shop.sales()
    assert same(as_frame(form(rows)), rows)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_every_form_is_labels_and_replaces_the_data_of_a_source(form: Callable[[pl.DataFrame], Any]) -> None:
    tx = shop.source(shop.sales())
    features = shop.service(tx)
    usual = nt.training_set(shop.labels(), features, at="t").collect(engine="local")
    labels, rows = form(shop.labels().rename({"t": "when"})), form(shop.sales())
    found = nt.training_set(labels, features, at="when", sources={"sales": rows}).collect(engine="local")
    assert found.select(list(features.features)).equals(usual.select(list(features.features)))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_every_form_is_ingested_and_ingested_again(store: Store, form: Callable[[pl.DataFrame], Any]) -> None:
    tx = shop.source(nt.Frame(form(shop.sales())), time_zone="UTC")
    assert (store.ingest(tx).new, store.ingest(tx).new) == (60, 0)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_every_form_is_pushed(store: Store, form: Callable[[pl.DataFrame], Any]) -> None:
    tx = shop.source(None, schema=dict(shop.sales().schema))
    store.push(tx, form(shop.sales()))
    assert store.events(tx).read(shop.sales().columns).equals(shop.sales())


@pytest.mark.parametrize("keys", [np.array([1, 2]), pd.Series([1, 2]), pa.array([1, 2]), range(1, 3), (1, 2)])
def test_a_preview_takes_keys_as_they_come(keys: Any) -> None:
    count = nt.feature_view("count", entity=shop.CUSTOMER, features={"count": shop.source(shop.sales()).count()})
    found = nt.preview(count, {"customer_id": keys}, at=shop.START + timedelta(days=1))
    assert found.select("customer_id", "count").rows() == [(1, 4), (2, 4)]


def test_a_training_set_is_rows_too() -> None:
    tx = shop.source(shop.sales())
    once = nt.training_set(shop.labels(), shop.service(tx), at="t")
    assert as_frame(once).equals(once.collect(engine="local"))


# -- streams that are read once ------------------------------------------------------------------------------------------

ONCE: dict[str, Callable[[], Any]] = {
    "an Arrow stream": lambda: pa.table({"a": [1, 2]}).to_reader(),
    "a stream of DuckDB": lambda: duckdb.connect().sql("select 1 as a").to_arrow_reader(),
    "a generator": lambda: (part for part in [pl.DataFrame({"a": [1, 2]})]),
    "an iterator of rows": lambda: iter([{"a": 1}]),
}


@pytest.mark.parametrize("stream", ONCE.values(), ids=ONCE.keys())
def test_a_stream_is_never_silently_empty_at_a_second_read(stream: Callable[[], Any]) -> None:
    given = stream()
    assert as_frame(given).height
    with pytest.raises(nt.Invalid, match=r"nothing to read.*only once.*nt\.Frame"):
        as_frame(given)


def test_a_frame_keeps_what_a_stream_had() -> None:
    frame = nt.Frame(pa.table({"a": [1, 2]}).to_reader())
    assert [frame.read(["a"])["a"].to_list() for _ in range(2)] == [[1, 2], [1, 2]]


def test_tables_without_rows_are_no_error() -> None:
    nothing = [pa.table({"a": pa.array([], pa.int64())}), duckdb.connect().sql("select 1::bigint as a where false")]
    assert [as_frame(given).schema for given in nothing] == [{"a": pl.Int64()}] * 2


def test_a_stream_that_breaks_off_is_refused_with_its_reason() -> None:
    def breaking() -> Any:
        yield pa.record_batch({"a": [1]})
        raise pa.ArrowInvalid("the cable was cut")

    with pytest.raises(nt.Invalid, match=r"cannot be read to its end: .*the cable was cut"):
        as_frame(pa.RecordBatchReader.from_batches(pa.schema({"a": pa.int64()}), breaking()))


def test_an_error_of_duckdb_is_raised_as_it_is() -> None:
    bad = duckdb.connect().sql("select cast(range::varchar || 'x' as int) as a from range(3)")
    with pytest.raises(duckdb.ConversionException):
        as_frame(bad)


# -- types that make trouble ---------------------------------------------------------------------------------------------


def arrow(values: Any, kind: Any = None) -> Any:
    return pa.table({"x": pa.array(values, kind)})


def cell(value: Any, kind: str) -> Any:
    return duckdb.connect().sql(f"select {value}::{kind} as x union all select null")


CASES: dict[str, tuple[Callable[[], Any], pl.DataType, list[Any]]] = {
    "Arrow categories": (lambda: pa.table({"x": pa.array(["a", None]).dictionary_encode()}), pl.Categorical(), ["a", None]),
    "Arrow categories in pieces": (
        lambda: pa.table({"x": pa.chunked_array([pa.array(part).dictionary_encode() for part in (["a", "b"], ["c", "a"])])}),
        pl.Categorical(), ["a", "b", "c", "a"]),
    "Arrow categories that are numbers": (lambda: pa.table({"x": pa.array([5, None, 5]).dictionary_encode()}), pl.Int64(), [5, None, 5]),
    "Arrow decimals": (lambda: arrow([Decimal("1.25"), None]), pl.Decimal(3, 2), [Decimal("1.25"), None]),
    "Arrow decimals of 256 bits": (lambda: arrow([Decimal("1.25"), None], pa.decimal256(50, 2)), pl.Decimal(38, 2), [Decimal("1.25"), None]),
    "Arrow large strings": (lambda: arrow(["a", None], pa.large_string()), pl.String(), ["a", None]),
    "Arrow string views": (lambda: arrow(["a" * 20, None], pa.string_view()), pl.String(), ["a" * 20, None]),
    "Arrow lists": (lambda: arrow([[1], None, []]), pl.List(pl.Int64()), [[1], None, []]),
    "Arrow lists of fixed size": (lambda: arrow([[1, 2], None], pa.list_(pa.int64(), 2)), pl.Array(pl.Int64(), 2), [[1, 2], None]),
    "Arrow structs": (lambda: arrow([{"a": 1}, None]), pl.Struct({"a": pl.Int64()}), [{"a": 1}, None]),
    "Arrow nulls": (lambda: arrow([None, None]), pl.Null(), [None, None]),
    "Arrow run ends": (lambda: pa.table({"x": pa.RunEndEncodedArray.from_arrays([2, 3], [1, None])}), pl.Int64(), [1, 1, None]),
    "Arrow JSON": (lambda: pa.table({"x": pa.array(["{}", None]).cast(pa.json_())}), pl.String(), ["{}", None]),
    "Arrow truth values of 8 bits": (
        lambda: pa.table({"x": pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, 0, None], pa.int8()))}), pl.Boolean(), [True, False, None]),
    "Arrow seconds": (lambda: arrow([1, None], pa.timestamp("s")), pl.Datetime("ms"), [EPOCH.replace(second=1), None]),
    "Arrow durations in seconds": (lambda: arrow([1, None], pa.duration("s")), pl.Duration("ms"), [timedelta(seconds=1), None]),
    "Arrow times of a zone": (
        lambda: arrow([0], pa.timestamp("us", "Europe/Berlin")), pl.Datetime("us", "Europe/Berlin"), [datetime(1970, 1, 1, tzinfo=UTC)]),
    "Arrow times of whole hours": (lambda: arrow([0], pa.timestamp("us", "+02:00")), pl.Datetime("us", "Etc/GMT-2"), [datetime(1970, 1, 1, tzinfo=UTC)]),
    "Arrow times of an offset": (lambda: arrow([0], pa.timestamp("us", "+05:30")), pl.Datetime("us", "UTC"), [datetime(1970, 1, 1, tzinfo=UTC)]),
    "Arrow dates": (lambda: arrow([date(2020, 1, 1), None]), pl.Date(), [date(2020, 1, 1), None]),
    "Arrow dates of 64 bits": (lambda: arrow([0, None], pa.date64()), pl.Datetime("ms"), [EPOCH, None]),
    "pandas nullable integers": (lambda: pd.DataFrame({"x": pd.array([BIG, None], "Int64")}), pl.Int64(), [BIG, None]),
    "pandas nullable truth values": (lambda: pd.DataFrame({"x": pd.array([True, None], "boolean")}), pl.Boolean(), [True, None]),
    "pandas NaN, its null": (lambda: pd.DataFrame({"x": [1.5, float("nan")]}), pl.Float64(), [1.5, None]),
    "pandas text": (lambda: pd.DataFrame({"x": ["a", None]}), pl.String(), ["a", None]),
    "pandas text of old": (lambda: pd.DataFrame({"x": pd.Series(["a", None, np.nan], dtype=object)}), pl.String(), ["a", None, None]),
    "pandas categories": (lambda: pd.DataFrame({"x": pd.Categorical(["a", None])}), pl.Categorical(), ["a", None]),
    "pandas categories that are numbers": (lambda: pd.DataFrame({"x": pd.Categorical([1, 2, 1])}), pl.Int64(), [1, 2, 1]),
    "pandas times of a zone": (
        lambda: pd.DataFrame({"x": pd.to_datetime(["1970-01-01 01:00"]).tz_localize("Europe/Berlin")}),
        pl.Datetime("us", "Europe/Berlin"), [datetime(1970, 1, 1, tzinfo=UTC)]),
    "pandas times of an offset": (
        lambda: pd.DataFrame({"x": pd.to_datetime(["1970-01-01T05:30+05:30"])}), pl.Datetime("us", "UTC"), [datetime(1970, 1, 1, tzinfo=UTC)]),
    "pandas not-a-time": (lambda: pd.DataFrame({"x": [pd.Timestamp(0), pd.NaT]}), pl.Datetime("ns"), [EPOCH, None]),
    "pandas names that are numbers": (lambda: pd.DataFrame({0: [1]}).rename(columns={0: 5}).rename(columns=lambda name: "x"), pl.Int64(), [1]),
    "pandas decimals": (lambda: pd.DataFrame({"x": [Decimal("1.5"), None]}), pl.Decimal(2, 1), [Decimal("1.5"), None]),
    "pandas lists": (lambda: pd.DataFrame({"x": [[1], [2, 3], None]}), pl.List(pl.Int64()), [[1], [2, 3], None]),
    "DuckDB decimals": (lambda: cell("1.25", "decimal(5, 2)"), pl.Decimal(5, 2), [Decimal("1.25"), None]),
    "DuckDB categories": (lambda: cell("'a'", "enum('a', 'b')"), pl.Categorical(), ["a", None]),
    "DuckDB UUIDs": (lambda: cell(f"'{'0' * 31}1'", "uuid"), pl.String(), ["00000000-0000-0000-0000-000000000001", None]),
    "DuckDB wide integers": (lambda: cell(BIG, "hugeint"), pl.Decimal(38, 0), [Decimal(BIG), None]),
    "numpy small integers": (lambda: {"x": np.array([1, -1], np.int8)}, pl.Int8(), [1, -1]),
    "numpy NaN, a value": (lambda: {"x": np.array([1.5, np.inf])}, pl.Float64(), [1.5, float("inf")]),
    "numpy masks": (lambda: {"x": np.ma.array([1, 2], mask=[False, True])}, pl.Int64(), [1, None]),
    "numpy text": (lambda: {"x": np.array(["a", "bc"])}, pl.String(), ["a", "bc"]),
    "numpy seconds": (lambda: {"x": np.array([1, "NaT"], "datetime64[s]")}, pl.Datetime("us"), [EPOCH.replace(second=1), None]),
    "numpy days": (lambda: {"x": np.array(["2020-01-01", "NaT"], "datetime64[D]")}, pl.Date(), [date(2020, 1, 1), None]),
    "numpy months": (lambda: {"x": np.array(["2020-02"], "datetime64[M]")}, pl.Date(), [date(2020, 2, 1)]),
    "numpy durations in days": (lambda: {"x": np.array([1], "timedelta64[D]")}, pl.Duration("us"), [timedelta(days=1)]),
    "numpy matrices": (lambda: {"x": np.array([[1, 2], [3, 4]])}, pl.Array(pl.Int64(), 2), [[1, 2], [3, 4]]),
    "numpy views": (lambda: {"x": np.arange(6)[::-2]}, pl.Int64(), [5, 3, 1]),
    "numpy bytes the other way round": (lambda: {"x": np.array([1, 2], ">i8")}, pl.Int64(), [1, 2]),
    "single times of numpy": (lambda: {"x": [np.datetime64(1_000, "ns"), None]}, pl.Datetime("us"), [EPOCH.replace(microsecond=1), None]),
    "single days of numpy": (lambda: {"x": [np.datetime64("2020-01-01")]}, pl.Date(), [date(2020, 1, 1)]),
    "single durations of numpy": (lambda: [{"x": np.timedelta64(1, "s")}], pl.Duration("us"), [timedelta(seconds=1)]),
    "single truth values of numpy": (lambda: [{"x": np.bool_(True)}], pl.Boolean(), [True]),
    "single times of pandas": (lambda: [{"x": pd.Timestamp(1, unit="us")}, {"x": pd.NaT}], pl.Datetime("us"), [EPOCH.replace(microsecond=1), None]),
    "one row of numpy's values": (lambda: {"x": np.int64(BIG)}, pl.Int64(), [BIG]),
    "an array of one value": (lambda: {"x": np.array(5)}, pl.Int64(), [5]),
    "a range": (lambda: {"x": range(3)}, pl.Int64(), [0, 1, 2]),
}  # fmt: skip


@pytest.mark.parametrize("give, dtype, values", CASES.values(), ids=CASES.keys())
def test_a_type_comes_in_with_equal_values(give: Callable[[], Any], dtype: pl.DataType, values: list[Any]) -> None:
    found = as_frame(give())
    assert (found.schema, found["x"].to_list()) == ({"x": dtype}, values)


def test_pandas_over_arrow_tells_nan_from_null() -> None:
    column = pd.Series(pd.arrays.ArrowExtensionArray(pa.array([1.5, float("nan"), None])))
    found = as_frame(pd.DataFrame({"x": column}))["x"]
    assert (found.is_nan().to_list(), found.is_null().to_list()) == ([False, True, None], [False, False, True])


REFUSED: dict[str, tuple[Callable[[], Any], type[nt.NowThenError], str]] = {
    "Arrow intervals": (lambda: arrow([(1, 2, 3)], pa.month_day_nano_interval()), nt.WrongType, "'x' is month_day_nano_interval, a type that"),
    "intervals in lists": (lambda: arrow([[(1, 2, 3)]], pa.list_(pa.month_day_nano_interval())), nt.WrongType, "a type that Polars does not support"),
    "Arrow unions": (
        lambda: pa.table({"x": pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])])}), nt.WrongType, "a type that Polars does not support"),
    "Arrow list views": (lambda: arrow([[1], None], pa.list_view(pa.int64())), nt.WrongType, "a type that Polars does not support"),
    "decimals that are too wide": (lambda: arrow([Decimal("1" * 45)], pa.decimal256(50, 0)), nt.Invalid, "'x' is decimal256(50, 0), and a value does not fit"),
    "seconds beyond all times": (lambda: arrow([2**55], pa.timestamp("s")), nt.Invalid, "'x' is timestamp[s], and a value does not fit"),
    "a zone that is none": (lambda: arrow([0], pa.timestamp("us", "Mars/Phobos")), nt.WrongType, "there is no such time zone. Convert the column to UTC"),
    "types of other libraries": (
        lambda: pa.table({"x": pa.ExtensionArray.from_storage(pa.opaque(pa.int64(), "t", "v"), pa.array([1]))}), nt.WrongType, "a type of another library"),
    "two Arrow columns of one name": (lambda: pa.table([pa.array([1]), pa.array([2])], ["x", "x"]), nt.Invalid, "two columns are named 'x'"),
    "two pandas columns of one name": (lambda: pd.DataFrame([[1, 2]], columns=["x", "x"]), nt.Invalid, "two columns are named 'x'"),
    "pandas names that are equal as text": (lambda: pd.DataFrame({0: [1], "0": [2]}), nt.Invalid, "two columns are named '0'"),
    "pandas objects of several types": (lambda: pd.DataFrame({"x": ["a", 1]}), nt.WrongType, "column 'x' of pandas (object) cannot be read"),
    "pandas integers among floats that are not exact": (
        lambda: pd.DataFrame({"x": pd.Series([BIG, 0.5], dtype=object)}), nt.WrongType, "column 'x' of pandas (object) cannot be read"),
    "pandas sparse columns": (lambda: pd.DataFrame({"x": pd.arrays.SparseArray([0, 1])}), nt.WrongType, "column 'x' of pandas (Sparse[int64, 0])"),
    "pandas periods": (lambda: pd.DataFrame({"x": pd.period_range("2020", periods=1, freq="M")}), nt.WrongType, "a type of another library"),
    "pandas complex numbers": (lambda: pd.DataFrame({"x": [1j]}), nt.WrongType, "column 'x' of pandas (complex128)"),
    "a pandas series": (lambda: pd.Series([1]), nt.WrongType, "this Series has no rows to read"),
    "a Polars series": (lambda: pl.Series([1]), nt.WrongType, "this Series has no rows to read"),
    "DuckDB intervals": (lambda: cell("'1 day'", "interval"), nt.WrongType, "'x' is month_day_nano_interval"),
    "numpy complex numbers": (lambda: {"x": np.array([1j])}, nt.WrongType, "'x' is an array of complex128"),
    "numpy records": (lambda: {"x": np.array([(1, 2.0)], dtype="i8,f8")}, nt.WrongType, "a type that Polars does not support"),
    "numpy objects of several types": (lambda: {"x": np.array([1, "a"], object)}, nt.WrongType, "column 'x' has values that are not all of one"),
    "numpy picoseconds": (lambda: {"x": np.array([1], "datetime64[ps]")}, nt.WrongType, "Give times in ms, us or ns"),
    "numpy steps of several units": (lambda: {"x": np.array([1], "datetime64[10us]")}, nt.WrongType, "Give times in ms, us or ns"),
    "numpy durations of months": (lambda: {"x": np.array([1], "timedelta64[M]")}, nt.WrongType, "Give times in ms, us or ns"),
    "numpy seconds beyond all times": (lambda: {"x": np.array([2**60], "datetime64[s]")}, nt.Invalid, "a value is beyond all times in us"),
    "a single time of numpy that is not exact": (lambda: {"x": [None, np.datetime64(1, "ns")]}, nt.Invalid, "column 'x' row 1: 1970-01-01T00:00:00.000000001"),
    "a single time of pandas that is not exact": (lambda: [{"x": pd.Timestamp(1)}], nt.Invalid, "column 'x' row 0: 1970-01-01 00:00:00.000000001"),
    "a single duration of pandas that is not exact": (lambda: [{"x": pd.Timedelta(1)}], nt.Invalid, "not exact in microseconds"),
    "values of several types": (lambda: {"x": [1, "a"]}, nt.WrongType, "these rows make no table"),
    "names that are no text": (lambda: {1: [1]}, nt.WrongType, "these rows make no table"),
    "frames that do not fit together": (lambda: iter([pl.DataFrame({"x": [1]}), pl.DataFrame({"x": ["a"]})]), nt.Invalid, "these rows make no table"),
    "a matrix": (lambda: np.ones((2, 2)), nt.WrongType, "ndarray is not a dataframe"),
    "a number": (lambda: 5, nt.WrongType, "int is not a dataframe"),
    "a lazy frame that cannot be": (lambda: pl.LazyFrame({"a": [1]}).select("b"), nt.Invalid, "these rows make no table"),
}  # fmt: skip


@pytest.mark.parametrize("give, error, message", REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_come_in_is_refused_by_name(give: Callable[[], Any], error: Any, message: str) -> None:
    with pytest.raises(error) as refused:
        as_frame(give())
    assert message in str(refused.value)


def test_nanoseconds_of_pandas_are_exact_or_refused_where_they_are_used() -> None:
    labels = shop.labels(1).to_pandas()
    features = shop.service(shop.source(shop.sales()))
    labels["t"] = labels["t"].astype("datetime64[ns, UTC]") + pd.Timedelta(1_000)
    assert nt.training_set(labels, features, at="t").collect(engine="local").height == 1
    labels["t"] += pd.Timedelta(1)
    with pytest.raises(nt.Invalid, match=r"'t' row 0: .* has nanoseconds"):
        nt.training_set(labels, features, at="t").collect(engine="local")


# -- torch and Ray Data --------------------------------------------------------------------------------------------------


def test_tensors_are_columns() -> None:
    torch = pytest.importorskip("torch", reason="torch is an extra: pip install 'nowthen[torch]'")
    found = as_frame(
        {
            "key": torch.tensor([1, BIG]),
            "weight": torch.tensor([0.5, float("nan")], requires_grad=True),
            "good": torch.tensor([True, False]),
            "place": torch.ones(2, 3)[:, ::2],
        }
    )
    assert found.schema == {
        "key": pl.Int64(),
        "weight": pl.Float32(),
        "good": pl.Boolean(),
        "place": pl.Array(pl.Float32(), 2),
    }
    assert found["key"].to_list() == [1, BIG]


def test_tensors_that_numpy_cannot_hold_are_refused() -> None:
    torch = pytest.importorskip("torch", reason="torch is an extra: pip install 'nowthen[torch]'")
    for tensor in (torch.tensor([1.0]).bfloat16(), torch.eye(2).to_sparse()):
        with pytest.raises(nt.WrongType, match=r"'x' is a tensor of torch.* that numpy cannot hold"):
            as_frame({"x": tensor})


# Ray Data warns of settings of its own that nobody changed.
RAYS_OWN = pytest.mark.filterwarnings("ignore::DeprecationWarning:ray", "ignore:Use 'expr' instead of 'fn':UserWarning")


@pytest.mark.ray
@pytest.mark.usefixtures("ray_cluster")
@RAYS_OWN
def test_a_dataset_of_ray_gives_its_rows_in_order() -> None:
    import ray.data

    rows = shop.sales()
    blocks: list[Any] = [ray.put(rows[place : place + 7].to_arrow()) for place in range(0, len(rows), 7)]
    dataset = ray.data.from_arrow_refs(blocks).map_batches(lambda batch: batch, batch_format="pyarrow")
    assert as_frame(dataset).equals(rows)
    assert dataset.context.execution_options.preserve_order is False


@pytest.mark.ray
@pytest.mark.usefixtures("ray_cluster")
@RAYS_OWN
def test_a_dataset_of_ray_without_rows_keeps_its_columns_or_is_refused() -> None:
    import ray.data

    nothing = ray.data.range(10).filter(lambda row: False)
    assert as_frame(nothing).schema == {"id": pl.Int64()}
    with pytest.raises(nt.Invalid, match="no rows and so no columns"):
        as_frame(ray.data.range(0))
