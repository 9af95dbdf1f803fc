"""The store from the shell: each command says what it did, in words and as JSON, and exits by it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

import nowthen as nt
from nowthen.serve.cli import main

from . import bank
from .test_cli import define, folder, run  # noqa: F401 - the fixture

GRID = ("--from", "2024-03-05", "--to", "2024-03-07")


@pytest.fixture
def filled(folder: Path) -> Path:  # noqa: F811
    """A folder whose store has rows, a snapshot, a backfill and a saved training set."""
    for command in (("apply",), ("ingest",), ("snapshot",), ("backfill", "spend", *GRID)):
        run(*command)
    labels = bank.transactions()[:20].select("customer_id", pl.col("time").alias("t"))
    nt.connect("store").training_set(labels, "spend", at="t").save("first")
    return folder


def said(*args: str, code: int = 0) -> str:
    """What a command says to people."""
    result = CliRunner().invoke(main, list(args))
    assert result.exit_code == code, result.output
    return result.output


def test_every_command_tells_what_it_is_and_has_json() -> None:
    listed = said("--help")
    commands = [
        "plan", "apply", "ingest", "backfill", "snapshot", "versions", "rollback", "verify",
        "compact", "cleanup", "backup", "restore", "forget", "export", "import", "scan",
        "history", "training", "lineage", "rename", "deprecate", "remove", "tag",
    ]  # fmt: skip
    for command in commands:
        assert re.search(rf"│ {command} +[A-Z]", listed)
        assert "--json" in re.sub(r"\x1b\[[0-9;]*m", "", said(command, "--help"))


def test_apply_refuses_what_would_hurt_and_can_be_forced(filled: Path) -> None:
    define(filled, "")
    changes = run("plan", code=3)
    assert {change["state"] for change in changes if change["users"]} == {"breaking"}
    assert run("apply", code=1)["error"] == "Conflict"
    assert "mean_7d is removed, but it is used by" in said("apply", code=1)
    run("apply", "--force")
    assert {change["state"] for change in run("plan")} == {"unchanged"}


def test_versions_and_rollback(filled: Path) -> None:
    define(filled, 'mean_7d = tx.amount.mean().over("8d")')
    run("apply")
    first, second = run("versions", "view/spend")
    assert run("rollback", "view/spend", "--to", first["version"][:8])[0]["state"] == "changed"
    assert [one["version"] for one in run("versions", "view/spend")] == [
        one["version"] for one in (first, second, first)
    ]
    assert {one["kind"] for one in run("versions")} == {"source", "view", "service"}


def test_tables_can_be_opened_by_lance_by_the_numbers_told(filled: Path) -> None:
    from nowthen.store.tables.lance_library import lance

    for table in run("versions", "--tables"):
        assert (
            lance.dataset(str(filled / "store" / table["path"]), version=int(table["version"])).count_rows()
            == table["rows"]
        )


def test_history_names_what_each_version_did(filled: Path) -> None:
    run("tag", "before")
    assert [one["kind"] for one in run("history")] == ["apply", "ingest", "snapshot", "backfill", "save", "tag"]
    assert [one["version"] for one in run("history", "--limit", "2")] == [5, 6]
    assert "save training set first  [before]" in said("history")
    run("tag", "before", "--remove")
    assert "[before]" not in said("history")


def test_what_was_backfilled_is_shown_or_written(filled: Path) -> None:
    shown = run("scan", "spend", *GRID, "--limit", "3")
    assert [len(values) for values in shown.values()] == [3] * 4
    run("scan", "spend", *GRID, "--out", "values.parquet")
    assert pl.read_parquet("values.parquet").columns == list(shown)
    assert run("scan", "spend", "--from", "2024-03-05", "--to", "2024-03-20", code=1)["error"] == "Conflict"


def test_people_see_all_rows_and_columns_within_the_width_of_the_terminal(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = said("scan", "tx", "--limit", "14").splitlines()
    assert max(map(len, lines)) <= 60
    assert "…" not in "".join(lines)
    names = bank.transactions().columns
    assert [name for name in names if any(f" {name} " in line for line in lines)] == names
    assert sum(line.startswith("│") for line in lines) == 2 * (14 + 2)


def test_training_sets_are_listed_shown_written_and_compared(filled: Path) -> None:
    assert [one["name"] for one in run("training")] == ["first"]
    assert run("training", "first")["rows"] == 20
    assert run("training", "first", "--out", "first.parquet")["rows"] == 20
    assert pl.read_parquet("first.parquet").height == 20
    labels = bank.transactions()[:5].select("customer_id", pl.col("time").alias("t"))
    nt.connect("store").training_set(labels, "spend", at="t").save("second")
    assert "5 in both, 15 gone, 0 new" in said("training", "first", "--diff", "second")
    assert run("training", "frist", code=1)["message"].endswith("There are: first, second.")


@pytest.mark.parametrize(
    "args", [("--out", "z.parquet"), ("--diff", "first"), ("first", "--diff", "first", "--out", "z.parquet")]
)
def test_an_option_of_training_is_never_ignored(filled: Path, args: tuple[str, ...]) -> None:
    assert run("training", *args, code=1)["error"] == "Invalid"
    assert not Path("z.parquet").exists()


@pytest.mark.parametrize("command", [("scan", "spend"), ("training", "first")])
@pytest.mark.parametrize("out, said", [("x.csv", "must name a .parquet file"), ("gone/x.parquet", "no folder 'gone'")])
def test_a_file_that_cannot_be_written_is_refused(filled: Path, command: tuple[str, ...], out: str, said: str) -> None:
    assert said in run(*command, "--out", out, code=1)["message"]
    assert not Path(out).exists()


@pytest.mark.parametrize("command", [("scan", "tx"), ("history",)])
def test_a_limit_below_one_is_refused(filled: Path, command: tuple[str, ...]) -> None:
    assert run(*command, "--limit", "-1", code=1)["message"] == "--limit -1: give at least one."


def test_definitions_go_out_to_files_and_come_back(filled: Path) -> None:
    assert len(run("export", "defs")["files"]) == 3
    assert {change["state"] for change in run("import", "defs", "--dry-run", "--store", "other", code=2)} == {"new"}
    run("import", "defs", "--store", "other")
    assert {change["state"] for change in run("import", "defs", "--dry-run", "--store", "other")} == {"unchanged"}


def test_verify_exits_by_what_it_finds_and_repairs_from_a_backup(filled: Path) -> None:
    assert run("verify")["whole"]
    run("backup", "bk")
    file = max((filled / "store" / "training").glob("*.parquet"))
    file.write_bytes(file.read_bytes()[:-3])
    assert [one["path"] for one in run("verify", code=1)["damaged"]] == [file.relative_to(filled / "store").as_posix()]
    assert file.name in said("verify", code=1)
    assert run("verify", "--repair", "--backup", "bk")["mended"]
    assert run("verify")["whole"]


def test_verify_mends_rows_from_the_source_that_the_definitions_name(filled: Path) -> None:
    rows = run("scan", "tx", "--limit", "100000")
    file = min((filled / "store" / "tables").rglob("*.lance"))
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 1
    file.write_bytes(data)
    assert run("verify", code=1)["damaged"]
    assert run("verify", "--repair")["mended"]
    assert run("scan", "tx", "--limit", "100000") == rows


def test_a_backup_is_restored_where_no_store_is(filled: Path) -> None:
    run("backup", "bk")
    run("restore", "bk", "again")
    assert run("verify", "--store", "again")["whole"]
    assert run("training", "--store", "again") == run("training")
    assert run("restore", "bk", "again", code=1)["error"] == "Invalid"


def test_cleanup_says_what_it_would_remove_first(filled: Path) -> None:
    define(filled, 'mean_7d = tx.amount.mean().over("8d")')
    run("apply")
    would = run("cleanup", "--keep", "0s", "--versions", "1", "--dry-run")
    assert would["dry_run"]
    assert run("cleanup", "--keep", "0s", "--versions", "1")["versions"] == would["versions"] > 0
    assert run("verify")["whole"]
    assert run("compact")[0]["rows"] == bank.transactions().height


def test_compaction_tells_of_sources_and_views(filled: Path) -> None:
    run("backfill", "spend", "--from", "2024-03-07", "--to", "2024-03-08")
    before = run("scan", "spend", "--from", "2024-03-05", "--to", "2024-03-08")
    rows, values = run("compact")
    assert (rows["kind"], rows["name"], values["kind"], values["name"]) == ("source", "tx", "view", "spend")
    assert values["after"] < values["before"]
    assert run("compact", "spend")[0] | {"seconds": 0} == values | {"before": values["after"], "seconds": 0}
    assert run("scan", "spend", "--from", "2024-03-05", "--to", "2024-03-08") == before
    assert re.match(r"compacted view spend: \d+ files are \d+ now", said("compact", "spend"))


def test_forgetting_asks_to_be_sure(filled: Path) -> None:
    ask = ("forget", "customer", '{"customer_id": [3]}')
    assert "Pass --yes" in run(*ask, code=1)["message"]
    done = run(*ask, "--yes")
    assert done["rows"]["source/tx"] == bank.transactions().filter(pl.col("customer_id") == 3).height
    assert run("forget", "custmer", "{}", "--yes", code=1)["message"].endswith(
        "Did you mean 'customer'? There are: customer."
    )
    assert run("verify")["whole"]


def test_names_change_end_and_lead_somewhere(filled: Path) -> None:
    assert run("rename", "view/spend", "spending")["name"] == "spending"
    assert run("deprecate", "spending", "--because", "Slow.")["deprecated"] == {"because": "Slow.", "instead": None}
    assert "deprecated: Slow." in said("versions", "spending")
    assert run("remove", "spending", code=1)["error"] == "Conflict"
    graph = run("lineage", "tx.amount")
    assert {"kind": "training set", "name": "first"} in graph["nodes"]
    assert said("lineage", "tx.amount", "--mermaid").startswith("flowchart LR")


@pytest.mark.parametrize(
    "args",
    [
        ("versions", "nope"),
        ("rollback", "spend", "--to", "zzz"),
        ("scan", "nope"),
        ("scan", "spend", "--as-of", "soon"),
        ("scan", "spend", "--from", "2024-03-07", "--to", "2024-03-05"),
        ("scan", "spend", "--from", "soon", "--to", "2024-03-05"),
        ("scan", "spend", "--out", "x" * 300 + ".parquet"),
        ("training", "first", "--out", "x" * 300 + ".parquet"),
        ("compact", "nope"),
        ("lineage", "nope"),
        ("import", "nowhere"),
        ("tag", "", "--version", "1"),
        ("backup", "no/such/folder"),
        ("restore", "nowhere", "other"),
        ("forget", "customer", "{", "--yes"),
        ("verify", "--backup", "bk"),
        ("cleanup", "--keep", "soon"),
    ],
)
def test_an_error_is_typed_and_exits_with_1(filled: Path, args: tuple[str, ...]) -> None:
    assert run(*args, code=1)["error"] in ("NotFound", "Invalid", "MissingFile")
    assert len(said(*args, code=1).splitlines()) == 1


@pytest.mark.parametrize(
    "args",
    [
        ("training",), ("scan", "spend"), ("history",), ("versions",), ("verify",), ("backup", "bk"), ("export", "defs"),
        ("tag", "now"), ("compact",), ("cleanup",), ("lineage", "spend"), ("remove", "spend"),
    ],
)  # fmt: skip
def test_a_mistyped_store_is_not_taken_for_an_empty_one(filled: Path, args: tuple[str, ...]) -> None:
    refused = run(*args, "--store", "stroe", code=1)
    assert refused["error"] == "NotFound"
    assert "there is no store at" in refused["message"]
    assert not (filled / "stroe").exists()


def test_explain_names_a_mistyped_store(filled: Path) -> None:
    (filled / "pyproject.toml").unlink()
    assert "there is no store at" in run("explain", "spend", "--store", "stroe", code=1)["message"]


def test_a_store_of_another_format_is_one_line(folder: Path) -> None:  # noqa: F811
    (folder / "store").mkdir()
    (folder / "store" / "store.json").write_text('{"format": 1, "hash": 1}')
    assert json.loads(json.dumps(run("history", code=1)))["message"].startswith(
        f"{folder / 'store'} is a store of format 1"
    )
