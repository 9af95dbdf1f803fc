"""The tools that are asked: adapter, what its environment installs, and which versions are worth naming."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tool:
    """A tool, or one way of using it. Without `installs` it runs in the environment of the runner."""

    name: str
    about: str
    adapter: str
    variant: str = ""
    environment: str = ""
    installs: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()


_FEAST = (
    "feast[duckdb]==0.67.0",
    "pandas==2.3.3",
    "pyarrow==26.0.1",
    "dask==2026.8.0",
    "duckdb==2.0.1",
    "ibis-framework==12.0.0",
)
_FEAST_RAY = ("feast[ray]==0.67.0", "ray==2.58.0", "pandas==2.3.3", "pyarrow==26.0.1")

_ALL = (
    Tool("nowthen", "NowThen, in this process", "with_nowthen", "local", versions=("nowthen", "polars")),
    Tool("nowthen-store", "NowThen, from a store", "with_nowthen", "store", versions=("nowthen", "pylance")),
    Tool("nowthen-ray", "NowThen on Ray", "with_nowthen", "ray", versions=("nowthen", "ray")),
    Tool("feast-dask", "Feast, Dask (its default)", "with_feast", "dask", "feast", _FEAST, ("feast", "dask", "pandas")),
    Tool(
        "feast-duckdb", "Feast, DuckDB", "with_feast", "duckdb", "feast", _FEAST, ("feast", "duckdb", "ibis-framework")
    ),
    Tool("feast-ray", "Feast, Ray", "with_feast", "ray", "feast-ray", _FEAST_RAY, ("feast", "ray", "pandas")),
    Tool(
        "feast-ray-distributed",
        "Feast, Ray, a table beyond the broadcast threshold",
        "with_feast",
        "ray-distributed",
        "feast-ray",
        _FEAST_RAY,
        ("feast", "ray", "pandas"),
    ),
    Tool(
        "pandas",
        "pandas, merge_asof and rolling",
        "with_pandas",
        environment="pandas",
        installs=("pandas==3.1.1", "pyarrow==26.0.1"),
        versions=("pandas", "pyarrow"),
    ),
    Tool(
        "polars",
        "Polars, join_asof and rolling",
        "with_polars",
        environment="polars",
        installs=("polars==2.1.0", "pyarrow==26.0.1"),
        versions=("polars",),
    ),
    Tool(
        "duckdb",
        "DuckDB, ASOF and range frames",
        "with_duckdb",
        environment="duckdb",
        installs=("duckdb==2.0.1", "pyarrow==26.0.1"),
        versions=("duckdb",),
    ),
)
TOOLS: dict[str, Tool] = {tool.name: tool for tool in _ALL}
