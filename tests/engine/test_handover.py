"""Ways out of a training set: the same rows, in order, whoever takes them."""

from __future__ import annotations

import pickle
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import nowthen as nt
from nowthen.engine.running import handover, tensors

from .shop import NOON, SHOP, sales, spine

BIG = 2**53 + 1  # no float holds it
VIEW = nt.feature_view(
    "shop_sales",
    entity=SHOP,
    features={
        "sold": nt.feature(sales().items.sum(), default=0),
        "amount_mean": nt.feature(sales().amount.mean(), default=0.0),
        "last_seller": sales().seller.last(),
        "last_time": sales().time.last(),
        "most": sales().items.max(),
        "risky": nt.feature(sales().fraud.last(), default=False),
    },
)
NUMBERS = VIEW.select("sold", "amount_mean", "risky")


def asked(features: Any = VIEW, **columns: Any) -> Any:
    """Four questions; the third is about a shop without sales, the last about none."""
    kinds = pl.Series(["x", "y", "x", None], dtype=pl.Categorical)
    given = {"shop_id": [1, 2, BIG, None], "seller": None, "asked": [NOON] * 4, "kind": kinds}
    return nt.training_set(spine(**(given | columns)), features, at="asked")


class Counted(nt.Frame):
    """Rows that count how often they are read."""

    reads = 0

    def read(self, columns: Any, bound: Any = None) -> pl.DataFrame:
        Counted.reads += 1
        return super().read(columns, bound)


def counted(**columns: Any) -> Any:
    """Questions whose readings are counted, from now on."""
    made = nt.training_set(Counted(spine(**columns)), VIEW, at="asked")
    Counted.reads = 0
    return made


def test_the_schema_is_that_of_the_rows_and_reads_none() -> None:
    assert list(asked().schema.items()) == list(asked().collect(engine="local").schema.items())


def test_a_feature_that_passes_a_column_through_stands_where_the_column_does() -> None:
    price = nt.feature_view("price", entity=[], features={"price": nt.Request({"price": pl.Float64}).price})
    training_set = nt.training_set(spine(price=[1.0, 2.0]), price, at="asked")
    assert list(training_set.schema) == training_set.collect(engine="local").columns


def test_batches_have_at_most_so_many_rows_and_all_of_them() -> None:
    found = list(asked().to_batches(3))
    assert [batch.num_rows for batch in found] == [3, 1]
    assert pl.DataFrame(pa.Table.from_batches(found)).equals(asked().collect(engine="local"))


def test_no_rows_make_one_empty_batch_of_the_right_types() -> None:
    training_set = nt.training_set(spine().clear(), VIEW, at="asked")
    assert [batch.schema for batch in training_set.to_batches()] == [training_set.to_arrow().schema]


def test_nothing_runs_before_a_batch_is_asked_for() -> None:
    stream = counted().to_batches()
    assert stream.schema.names[:4] == ["shop_id", "seller", "asked", "sold"]
    assert Counted.reads == 0
    assert stream.read_all().num_rows == 2


def test_a_training_set_shows_its_features_and_spine_and_reads_none() -> None:
    shown = repr(counted())
    assert "at=asked" in shown
    assert "sold = feature(sales.items.sum(), default=0)" in shown
    assert Counted.reads == 0


@pytest.mark.parametrize("rows", [0, -1, True, 2.0])
def test_batches_without_rows_are_refused(rows: Any) -> None:
    with pytest.raises(nt.Invalid, match="one row or more"):
        asked().to_batches(rows)


def test_an_error_of_a_run_comes_out_of_the_stream_as_it_is() -> None:
    with pytest.raises(nt.Invalid, match="null in row 0"):
        asked(asked=pl.Series([None] * 4, dtype=pl.Datetime("us"))).to_batches().read_all()


def test_polars_takes_the_training_set_itself() -> None:
    assert pl.DataFrame(asked()).equals(asked().collect(engine="local"))


def test_arrow_takes_the_training_set_itself() -> None:
    assert pa.table(asked()).equals(asked().to_arrow())
    assert pa.schema(asked()).equals(asked().to_arrow().schema)


def test_pandas_takes_the_training_set_itself() -> None:
    found = pd.DataFrame.from_arrow(asked(shop_id=[1, 2, BIG, 1]))
    assert found["shop_id"].tolist() == [1, 2, BIG, 1]


def test_duckdb_takes_the_training_set_itself_and_runs_it_once() -> None:
    counted().collect(engine="local")
    once = Counted.reads
    training_set = counted()  # noqa: F841 (DuckDB finds it by name)
    assert duckdb.connect().sql("select shop_id, sold from training_set").fetchall() == [(1, 7), (2, 3)]
    assert Counted.reads == once


def test_a_relation_of_duckdb_answers_again_and_again() -> None:
    relation = asked().to_duckdb(duckdb.connect()).select("shop_id, sold, kind, last_seller")
    rows = [(1, 7, "x", None), (2, 3, "y", "ann"), (BIG, 0, "x", None), (None, 0, None, None)]
    assert relation.fetchall() == rows
    assert relation.fetchall() == rows


def test_a_relation_is_on_the_connection_given_or_on_duckdbs_own() -> None:
    connection = duckdb.connect()
    connection.execute("create table names as select 1 as shop_id, 'one' as name")
    relation = asked().to_duckdb(connection)
    connection.register("asked", relation)
    assert connection.sql("select name, sold from asked join names using (shop_id)").fetchall() == [("one", 7)]
    assert asked().to_duckdb().count("*").fetchall() == [(4,)]


def test_what_is_no_connection_is_refused_before_anything_runs() -> None:
    training_set = counted()
    with pytest.raises(nt.WrongType, match=r"connection=':memory:' is not a DuckDB connection"):
        training_set.to_duckdb(":memory:")
    assert Counted.reads == 0


def test_integers_and_truth_values_with_nulls_stay_themselves_in_pandas() -> None:
    found = asked(label=[True, None, False, None]).to_pandas(engine="local")
    assert found["shop_id"].tolist() == [1, 2, BIG, pd.NA]
    assert [str(found.dtypes[name]) for name in ("shop_id", "label", "most", "sold")] == [
        "Int64",
        "boolean",
        "Int64",
        "int64",
    ]
    assert found["label"].tolist() == [True, pd.NA, False, pd.NA]


def test_a_pandas_frame_may_be_written_to() -> None:
    found = asked().to_pandas(engine="local")
    found.loc[3, "shop_id"] = 7
    assert found["shop_id"].tolist() == [1, 2, BIG, 7]


def test_a_type_that_arrow_has_not_is_named() -> None:
    with pytest.raises(nt.WrongType, match="'wide' is Int128"):
        asked(wide=pl.Series([1, 2, 3, 4], dtype=pl.Int128)).to_batches()


# -- what becomes a tensor ----------------------------------------------------------------------------------------------


def one(column: pl.Series, fill_null: float | None = None) -> Any:
    """The array of a column, given a row at a time."""
    frame = column.rename("x").to_frame()
    tensors.chosen(frame.schema, ["x"], None)
    parts = list(tensors.arrays((frame[row : row + 1] for row in range(len(frame))), ["x"], fill_null))
    return np.concatenate([part["x"] for part in parts])


ARRAYS: dict[str, tuple[pl.Series, np.ndarray[Any, Any]]] = {
    "integers": (pl.Series([1, BIG]), np.array([1, BIG], np.int64)),
    "small integers": (pl.Series([1, -2], dtype=pl.Int8), np.array([1, -2], np.int8)),
    "bytes": (pl.Series([1, 255], dtype=pl.UInt8), np.array([1, 255], np.uint8)),
    "unsigned integers of 16 bits": (pl.Series([65535], dtype=pl.UInt16), np.array([65535], np.int32)),
    "unsigned integers of 32 bits": (pl.Series([2**32 - 1], dtype=pl.UInt32), np.array([2**32 - 1], np.int64)),
    "unsigned integers of 64 bits": (pl.Series([2**63 - 1], dtype=pl.UInt64), np.array([2**63 - 1], np.int64)),
    "floats": (pl.Series([1.5, float("nan")]), np.array([1.5, np.nan])),
    "small floats": (pl.Series([1.5], dtype=pl.Float32), np.array([1.5], np.float32)),
    "truth values": (pl.Series([True, False]), np.array([True, False])),
    "vectors": (pl.Series([[1.0, 2.0], [3.0, 4.0]], dtype=pl.Array(pl.Float64, 2)), np.array([[1.0, 2], [3, 4]])),
}


@pytest.mark.parametrize("column, array", ARRAYS.values(), ids=ARRAYS.keys())
def test_numbers_become_arrays_of_equal_values(column: pl.Series, array: np.ndarray[Any, Any]) -> None:
    found = one(column)
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


VECTOR = pl.Array(pl.Float64, 2)
NO_ARRAYS: dict[str, tuple[pl.Series, float | None, type[nt.NowThenError], str]] = {
    "a null": (pl.Series([1, None]), None, nt.Invalid, "'x' is null in row 1, and tensors have no nulls. Give it a default"),
    "a null float": (pl.Series([0.5, None]), None, nt.Invalid, "'x' is null in row 1"),
    "a null vector": (pl.Series([[1.0, 2.0], None], dtype=VECTOR), 0.0, nt.Invalid, "'x' is null in row 1"),
    "a null in a vector": (pl.Series([[1.0, 2.0], [0, None]], dtype=VECTOR), None, nt.Invalid, "'x' is null in row 1"),
    "a filling that is no integer": (pl.Series([1, None]), 0.5, nt.WrongType, "fill_null=0.5 is not a value of column 'x'"),
    "NaN among integers": (pl.Series([1, None]), float("nan"), nt.WrongType, "fill_null=nan is not a value"),
    "a filling that is no truth value": (pl.Series([True, None]), 2, nt.WrongType, "fill_null=2 is not a value"),
    "an integer that is too large": (
        pl.Series([1, 2**63], dtype=pl.UInt64),
        None,
        nt.Invalid,
        "'x' row 1: 9223372036854775808 does not fit Int64",
    ),
    "text": (pl.Series(["a"]), None, nt.WrongType, "'x' is String, which is not a number. Encode it"),
    "categories": (pl.Series(["a"], dtype=pl.Categorical), None, nt.WrongType, "which is not a number. Encode it"),
    "times": (pl.Series([NOON]), None, nt.WrongType, "which is not a number. Define a feature such as the time passed"),
    "lists": (pl.Series([[1]]), None, nt.WrongType, "'x' is List(Int64), which makes no tensor, as lists differ"),
    "decimals": (pl.Series([1], dtype=pl.Decimal(5, 2)), None, nt.WrongType, "which makes no tensor. Cast it"),
}  # fmt: skip


@pytest.mark.parametrize("case", NO_ARRAYS.values(), ids=NO_ARRAYS.keys())
def test_what_makes_no_array_is_refused_with_its_column(
    case: tuple[pl.Series, float | None, type[nt.NowThenError], str],
) -> None:
    column, fill_null, error, message = case
    with pytest.raises(error) as refused:
        one(column, fill_null)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    "column, fill_null, filled",
    [
        (pl.Series([1, None]), -1, [1, -1]),
        (pl.Series([0.5, None]), 0, [0.5, 0.0]),
        (pl.Series([True, None]), False, [True, False]),
    ],
)
def test_nulls_are_what_is_said(column: pl.Series, fill_null: float, filled: list[object]) -> None:
    assert one(column, fill_null).tolist() == filled


def test_without_columns_all_features_and_the_numbers_of_the_spine_are_taken() -> None:
    training_set = asked(NUMBERS, label=[1.0, 0.0, 1.0, 0.0], shop_id=[1, 2, 3, 4])
    names = tensors.chosen(training_set.schema, training_set.features, None)
    assert names == ["shop_id", "label", "sold", "amount_mean", "risky"]


@pytest.mark.parametrize(
    "columns, error, message",
    [
        (None, nt.WrongType, "'last_seller' is String"),
        (["sodl"], nt.UnknownColumn, "no column 'sodl'. Did you mean 'sold'"),
        ("sold", nt.WrongType, "columns='sold'; give a list"),
        (["kind"], nt.WrongType, "'kind' is Categorical"),
    ],
)
def test_columns_that_cannot_be_chosen_are_refused_before_anything_runs(columns: Any, error: Any, message: str) -> None:
    training_set = counted(kind=pl.Series(["x"] * 2, dtype=pl.Categorical))
    with pytest.raises(error) as refused:
        training_set.to_torch(columns)
    assert message in str(refused.value)
    assert Counted.reads == 0


def test_a_library_that_is_missing_is_named_with_the_way_to_get_it() -> None:
    with pytest.raises(
        nt.NotFound, match=r"to_x\(\) needs no_such_library, .* pip install 'nowthen\[no_such_library\]'"
    ):
        handover.library("no_such_library", "to_x()")


# -- torch ---------------------------------------------------------------------------------------------------------------


def tensor_batches(*args: Any, **options: Any) -> Any:
    """The numbers of the questions as tensors; skips where torch is missing."""
    pytest.importorskip("torch", reason="torch is an extra: pip install 'nowthen[torch]'")
    return asked(NUMBERS, shop_id=[1, 2, 3, 4]).to_torch(*args, **options)


def test_tensors_have_the_values_and_types_of_the_columns() -> None:
    (found,) = tensor_batches()
    assert {name: (str(tensor.dtype), tensor.tolist()) for name, tensor in found.items()} == {
        "shop_id": ("torch.int64", [1, 2, 3, 4]),
        "sold": ("torch.int64", [7, 3, 0, 0]),
        "amount_mean": ("torch.float64", [15.0, 5.0, 0.0, 0.0]),
        "risky": ("torch.bool", [True, False, False, False]),
    }


def test_a_dataset_gives_its_batches_at_every_epoch() -> None:
    dataset = tensor_batches(["sold"], batch_size=3)
    for _ in range(2):
        assert [batch["sold"].tolist() for batch in dataset] == [[7, 3, 0], [0]]
    assert len(dataset) == 2


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forking where threads run, which torch chooses
def test_a_data_loader_takes_every_batch_once(workers: int) -> None:
    dataset = tensor_batches(["shop_id"], batch_size=1)
    import torch

    loader = torch.utils.data.DataLoader(dataset, batch_size=None, num_workers=workers)
    assert sorted(batch["shop_id"].tolist() for batch in loader) == [[1], [2], [3], [4]]


def test_tensors_take_the_type_asked_for() -> None:
    dataset = tensor_batches(batch_size=2)
    import torch

    (floats,) = tensor_batches(dtype=torch.float32)
    assert {str(tensor.dtype) for tensor in floats.values()} == {"torch.float32"}
    (mixed,) = tensor_batches(["sold", "risky"], dtype={"risky": torch.int8})
    assert [str(tensor.dtype) for tensor in mixed.values()] == ["torch.int64", "torch.int8"]
    assert isinstance(dataset, torch.utils.data.IterableDataset)


def test_types_that_lose_values_or_are_none_are_refused() -> None:
    tensor_batches()
    import torch

    halves = nt.feature_view(
        "halves", entity=SHOP, features={"half": nt.feature(sales().amount.mean() / 4, default=0.0)}
    )
    with pytest.raises(nt.WrongType, match=r"'half' has values that torch\.int64 does not hold"):
        asked(halves, shop_id=[1] * 4).to_torch(["half"], dtype=torch.int64)
    with pytest.raises(nt.WrongType, match="dtype='float32'; give a type of torch"):
        tensor_batches(dtype="float32")
    with pytest.raises(nt.UnknownColumn, match="dtype= names 'sodl'"):
        tensor_batches(dtype={"sodl": torch.float32})


def test_a_batch_without_rows_is_refused() -> None:
    with pytest.raises(nt.Invalid, match="batch_size=0; a batch holds one row or more"):
        tensor_batches(batch_size=0)


def test_no_rows_make_empty_tensors() -> None:
    pytest.importorskip("torch", reason="torch is an extra: pip install 'nowthen[torch]'")
    (found,) = nt.training_set(spine().clear(), NUMBERS, at="asked").to_torch()
    assert [tuple(tensor.shape) for tensor in found.values()] == [(0,)] * 4
    assert list(nt.training_set(spine().clear(), NUMBERS, at="asked").to_torch(batch_size=2)) == []


def test_a_dataset_travels_to_another_process() -> None:
    dataset = pickle.loads(pickle.dumps(tensor_batches(["sold"])))
    assert [batch["sold"].tolist() for batch in dataset] == [[7, 3, 0, 0]]


# -- Ray Data ------------------------------------------------------------------------------------------------------------


# Ray Data warns of settings of its own that nobody changed.
RAYS_OWN = pytest.mark.filterwarnings("ignore::DeprecationWarning:ray")


@pytest.mark.ray
@pytest.mark.usefixtures("ray_cluster")
@RAYS_OWN
def test_a_dataset_of_ray_has_the_rows_in_order_a_block_for_so_many() -> None:
    dataset = asked().to_ray(3, engine="local")
    assert dataset.num_blocks() == 2
    blocks = list(dataset.iter_batches(batch_size=None, batch_format="pyarrow"))
    assert pl.DataFrame(pl.from_arrow(pa.concat_tables(blocks))).equals(asked().collect(engine="local"))


@pytest.mark.ray
@pytest.mark.usefixtures("ray_cluster")
@RAYS_OWN
def test_no_rows_make_a_dataset_of_ray_without_rows() -> None:
    assert nt.training_set(spine().clear(), VIEW, at="asked").to_ray(engine="local").count() == 0
