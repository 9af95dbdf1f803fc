"""Methods of expressions. Written by `make stubs` from the registry of operators; do not edit."""

# fmt: off
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from .expr import Expr

class DtMethods:
    def date(self) -> Expr:
        """The day as a Date."""
    def day(self) -> Expr:
        """Day of the month, 1 to 31."""
    def hour(self) -> Expr:
        """Hour of the day, 0 to 23."""
    def minute(self) -> Expr:
        """Minute of the hour, 0 to 59."""
    def month(self) -> Expr:
        """Month of the year, 1 to 12."""
    def ordinal_day(self) -> Expr:
        """Day of the year, 1 to 366."""
    def quarter(self) -> Expr:
        """Quarter of the year, 1 to 4."""
    def replace_time_zone(self, time_zone: str) -> Expr:
        """The instants at which clocks of a time zone show these naive times."""
    def second(self) -> Expr:
        """Second of the minute, 0 to 59."""
    def total_days(self) -> Expr:
        """Whole days of 24 hours."""
    def total_hours(self) -> Expr:
        """Whole hours."""
    def total_microseconds(self) -> Expr:
        """Microseconds."""
    def total_milliseconds(self) -> Expr:
        """Whole milliseconds."""
    def total_minutes(self) -> Expr:
        """Whole minutes."""
    def total_seconds(self) -> Expr:
        """Whole seconds."""
    def truncate(self, every: str) -> Expr:
        """The last multiple of `every` at or before the time, on the clock of the column's time zone; weeks start on Monday."""
    def weekday(self) -> Expr:
        """Day of the week, Monday is 1 and Sunday 7."""
    def year(self) -> Expr:
        """The year."""

class Methods:
    def abs(self) -> Expr:
        """The value without its sign."""
    def add(self, b: object) -> Expr:
        """The sum. Strings are joined; a time and a Duration give the later time (a Date stays a Date)."""
    def all(self, *, where: Expr | None = ...) -> Expr:
        """True where every value in the window is true; null for an empty window."""
    def and_(self, b: object) -> Expr:
        """True where both are true; false where either is false, whatever the other is."""
    def any(self, *, where: Expr | None = ...) -> Expr:
        """True where some value in the window is true; null for an empty window."""
    def bottom_k(self, k: int, *, where: Expr | None = ...) -> Expr:
        """A list of the k least values in the window, least first, fewer where there are fewer; null for an empty window."""
    def cast(self, dtype: pl.DataType | type[pl.DataType], strict: bool = ...) -> Expr:
        """The values as another type, as Polars converts them. Null stays null."""
    def ceil(self) -> Expr:
        """The least whole number not below the value."""
    def clip(self, lower_bound: float | None = ..., upper_bound: float | None = ...) -> Expr:
        """The value, or the nearest bound where it lies outside; a bound of None is open. NaN stays NaN."""
    def coalesce(self, *columns: object) -> Expr:
        """The first value, from left to right, that is not null."""
    def count(self, *, where: Expr | None = ...) -> Expr:
        """The number of rows, or of values that are not null: `tx.count()`, `tx.amount.count()`. Int64, 0 for an empty window."""
    def eq(self, b: object) -> Expr:
        """True where the two are equal."""
    def exp(self) -> Expr:
        """The exponential, Euler's number to the power of x."""
    def fill_nan(self, value: object) -> Expr:
        """The entries, with `value` (None for null) where they are NaN."""
    def fill_null(self, value: object) -> Expr:
        """The entries, with `value` where they are null. A float column keeps its type."""
    def first(self, ignore_nulls: bool = ..., *, where: Expr | None = ...) -> Expr:
        """The earliest value in the window. A null counts as a value unless `ignore_nulls`; null for an empty window."""
    def first_k(self, k: int, ignore_nulls: bool = ..., *, where: Expr | None = ...) -> Expr:
        """A list of the earliest k values in the window, earliest first, fewer where there are fewer; null for an empty window."""
    def floor(self) -> Expr:
        """The greatest whole number not above the value."""
    def floordiv(self, b: object) -> Expr:
        """The quotient rounded down; null where an integer is divided by zero."""
    def ge(self, b: object) -> Expr:
        """True where the first is greater than the second or equal to it."""
    def gt(self, b: object) -> Expr:
        """True where the first is greater than the second."""
    def is_between(self, lower: object, upper: object, closed: str = ...) -> Expr:
        """True where the value lies between the bounds; `closed` says which bounds belong to it. A null bound is unknown."""
    def is_finite(self) -> Expr:
        """True where the value is neither infinite nor NaN."""
    def is_in(self, values: Iterable[Any]) -> Expr:
        """True where the value is one of `values`. Null stays null; None among `values` is ignored; NaN is NaN."""
    def is_nan(self) -> Expr:
        """True where the value is NaN."""
    def is_not_null(self) -> Expr:
        """True where there is a value; NaN is one."""
    def is_null(self) -> Expr:
        """True where there is no value."""
    def last(self, ignore_nulls: bool = ..., *, where: Expr | None = ...) -> Expr:
        """The latest value in the window. A null counts as a value unless `ignore_nulls`; null for an empty window."""
    def last_k(self, k: int, ignore_nulls: bool = ..., *, where: Expr | None = ...) -> Expr:
        """A list of the latest k values in the window, latest first, fewer where there are fewer; null for an empty window."""
    def le(self, b: object) -> Expr:
        """True where the first is less than the second or equal to it."""
    def log(self, base: float = ...) -> Expr:
        """The logarithm to `base`, by default the natural one."""
    def log1p(self) -> Expr:
        """log(1 + x), exact even where x is tiny."""
    def lt(self, b: object) -> Expr:
        """True where the first is less than the second."""
    def max(self, *, where: Expr | None = ...) -> Expr:
        """The greatest value (of Strings the last by code point); NaN if one is in the window, null for an empty window."""
    def mean(self, *, where: Expr | None = ...) -> Expr:
        """The mean, a Float64; null for an empty window. For Booleans, the share that is true."""
    def median(self, *, where: Expr | None = ...) -> Expr:
        """The value in the middle, or the mean of the two there, a Float64; null for an empty window, NaN where one is NaN."""
    def min(self, *, where: Expr | None = ...) -> Expr:
        """The least value (of Strings the first by code point); NaN if one is in the window, null for an empty window."""
    def mod(self, b: object) -> Expr:
        """What is left of a // b, with the sign of b; null where an integer is divided by zero."""
    def mul(self, b: object) -> Expr:
        """The product; a Duration times a float is cut to whole microseconds."""
    def n_unique(self, *, where: Expr | None = ...) -> Expr:
        """The number of different values, exactly; nulls do not count. Int64, 0 for an empty window. NaN is one value, -0.0 equals 0.0."""
    def ne(self, b: object) -> Expr:
        """True where the two differ."""
    def neg(self) -> Expr:
        """The value with its sign reversed."""
    def not_(self) -> Expr:
        """True where the value is false."""
    def or_(self, b: object) -> Expr:
        """True where either is true, whatever the other is; false where both are false."""
    def pow(self, b: object) -> Expr:
        """The base to the power of the exponent; null where an integer is raised to a negative integer (cast the base to Float64 for a fraction)."""
    def quantile(self, q: float, interpolation: str = ..., *, where: Expr | None = ...) -> Expr:
        """The value below which a share q of the others lies, a Float64; null for an empty window, NaN where one is NaN."""
    def round(self, decimals: int = ...) -> Expr:
        """The nearest value with `decimals` decimals; a half goes to the even neighbour."""
    def sign(self) -> Expr:
        """-1, 0 or 1 in the type of the column; NaN stays NaN."""
    def sqrt(self) -> Expr:
        """The square root."""
    def std(self, ddof: int = ..., *, where: Expr | None = ...) -> Expr:
        """The standard deviation, a Float64; null for ddof values or fewer (by default below two), NaN where one is NaN or infinite."""
    def sub(self, b: object) -> Expr:
        """The difference; two times give a Duration."""
    def sum(self, *, where: Expr | None = ...) -> Expr:
        """The sum; 0 for an empty window. Exact for integers (Int64, UInt64 for UInt64), Booleans and Durations; floats as Float64."""
    def top_k(self, k: int, *, where: Expr | None = ...) -> Expr:
        """A list of the k greatest values in the window, greatest first, fewer where there are fewer; null for an empty window."""
    def truediv(self, b: object) -> Expr:
        """The quotient as a float; division by zero gives infinity or NaN. A Duration by a number gives a Duration, null by zero."""
    def var(self, ddof: int = ..., *, where: Expr | None = ...) -> Expr:
        """The variance, a Float64, never negative; null for ddof values or fewer (by default below two), NaN where one is NaN or infinite."""
    def when(self, then: object, otherwise: object) -> Expr:
        """The entry of `then` where the condition is true, that of `otherwise` where it is false or null."""
    def xor(self, b: object) -> Expr:
        """True where exactly one is true."""
    @property
    def dt(self) -> DtMethods: ...
    def __neg__(self) -> Expr: ...
    def __invert__(self) -> Expr: ...
    def __abs__(self) -> Expr: ...
    def __add__(self, other: object) -> Expr: ...
    def __radd__(self, other: object) -> Expr: ...
    def __sub__(self, other: object) -> Expr: ...
    def __rsub__(self, other: object) -> Expr: ...
    def __mul__(self, other: object) -> Expr: ...
    def __rmul__(self, other: object) -> Expr: ...
    def __truediv__(self, other: object) -> Expr: ...
    def __rtruediv__(self, other: object) -> Expr: ...
    def __floordiv__(self, other: object) -> Expr: ...
    def __rfloordiv__(self, other: object) -> Expr: ...
    def __mod__(self, other: object) -> Expr: ...
    def __rmod__(self, other: object) -> Expr: ...
    def __pow__(self, other: object) -> Expr: ...
    def __rpow__(self, other: object) -> Expr: ...
    def __and__(self, other: object) -> Expr: ...
    def __rand__(self, other: object) -> Expr: ...
    def __or__(self, other: object) -> Expr: ...
    def __ror__(self, other: object) -> Expr: ...
    def __xor__(self, other: object) -> Expr: ...
    def __rxor__(self, other: object) -> Expr: ...
    def __lt__(self, other: object) -> Expr: ...
    def __le__(self, other: object) -> Expr: ...
    def __gt__(self, other: object) -> Expr: ...
    def __ge__(self, other: object) -> Expr: ...
