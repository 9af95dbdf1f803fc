"""What a user's function is, as far as a version can tell: its own source text, without what changes no value.

Left out are decorators, the function's name, comments, its docstring, blank lines and how it is spaced and wrapped. In are parameters,
defaults, annotations and every other word. What it calls by a global name is not in it; what it closes over could not be, so closures are refused.
"""

from __future__ import annotations

import inspect
import io
import tokenize
from collections.abc import Iterator
from types import FunctionType
from typing import Any

from ..errors import Invalid, WrongType
from .expr import digest

_LEFT_OUT = {"COMMENT", "NL", "ENCODING", "ENDMARKER"}
_SPACING = {"NEWLINE": "\n", "INDENT": ">", "DEDENT": "<"}
Word = tuple[str, str]  # kind, text


def source_version(function: Any) -> str:
    """The digest of a function's source; `Invalid` where the source does not tell what it does."""
    checked_function(function)
    try:
        found = meant(inspect.getsource(function), function.__name__)
    except (OSError, tokenize.TokenError, SyntaxError) as error:
        raise Invalid(
            f"the source of function {function.__qualname__!r} cannot be read ({error}), and its version is made from it. Write it in a file or a notebook."
        ) from None
    return digest([text for _, text in found])


def checked_function(function: Any) -> None:
    """Refuse what is no plain function of columns, or has a part that its source does not show."""
    if not isinstance(function, FunctionType) or function.__name__ == "<lambda>":
        raise WrongType(f"nt.function decorates a function written with def, got {function!r}.")
    name = function.__qualname__
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise WrongType(f"function {name!r} is async or a generator; a function of columns returns a pl.Series.")
    if hasattr(function, "__wrapped__"):
        raise Invalid(
            f"function {name!r} is wrapped by another decorator, which its source does not show. Remove that decorator."
        )
    if function.__code__.co_freevars:
        free = ", ".join(function.__code__.co_freevars)
        raise Invalid(
            f"function {name!r} closes over {free}, which its version cannot see. Make it a keyword-only parameter, as in f(x, *, {free})."
        )


def check_parameters(body: Any) -> None:
    """Refuse parameters that are neither columns nor keyword-only."""
    parameters = inspect.signature(body).parameters.values()
    columns = [p for p in parameters if p.kind is not inspect.Parameter.KEYWORD_ONLY]
    for p in columns:
        if p.kind is inspect.Parameter.VAR_KEYWORD or p.default is not inspect.Parameter.empty:
            raise WrongType(
                f"function {body.__qualname__!r}: parameter {str(p)!r} is neither a column nor a keyword-only parameter. "
                "Columns are positional and have no default; write parameters after a star, as in f(x, *, rate=0.2)."
            )
    if not columns:
        raise WrongType(f"function {body.__qualname__!r} takes no column. Its positional parameters are the columns.")


def meant(source: str, name: str) -> list[Word]:
    r"""The words of a function definition that can change what it gives.

    >>> [text for _, text in meant("def f(x):  # twice\n    return 2 * x\n", "f")]
    ['def', '(', 'x', ')', ':', '\n', '>', 'return', '2', '*', 'x']
    """
    words = list(_words(f"if True:\n{source}" if source[:1].isspace() else source))
    begin = words.index(("NAME", "def"))
    if words[begin + 1] != ("NAME", name):
        raise OSError(f"its lines hold {words[begin + 1][1]!r} instead; they have changed since")
    words = [words[begin], *_without_docstring(words[begin + 2 :])]
    while words[-1][0] in _SPACING:
        words.pop()
    return words


def _words(source: str) -> Iterator[Word]:
    """The tokens of a text by kind and spelling. An f-string is one word, also where Python (from 3.12 on) gives it in parts."""
    lines = source.splitlines(keepends=True)
    depth, begin = 0, (0, 0)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        kind = tokenize.tok_name[token.type]
        if kind.endswith("STRING_START"):
            begin = begin if depth else token.start
            depth += 1
        elif kind.endswith("STRING_END"):
            depth -= 1
            if not depth:
                yield "FSTRING", _between(lines, begin, token.end)
        elif not depth and kind not in _LEFT_OUT:
            plain = kind == "STRING" and "f" in token.string[: token.string.find(token.string[-1])].lower()
            yield "FSTRING" if plain else kind, _SPACING.get(kind, token.string)


def _between(lines: list[str], begin: tuple[int, int], end: tuple[int, int]) -> str:
    """The text from one place to another; lines count from 1."""
    (first, left), (last, right) = begin, end
    if first == last:
        return lines[first - 1][left:right]
    return "".join([lines[first - 1][left:], *lines[first : last - 1], lines[last - 1][:right]])


def _without_docstring(words: list[Word]) -> list[Word]:
    """The words without a text that stands alone at the beginning of the body."""
    body = words.index(("INDENT", ">")) + 1 if ("INDENT", ">") in words else len(words)
    end = body
    while end < len(words) and words[end][0] == "STRING" and words[end][1][:1] not in "bB":
        end += 1
    alone = body < end < len(words) and words[end][0] == "NEWLINE"
    return words[:body] + words[end + 1 :] if alone else words
