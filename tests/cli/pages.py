"""The examples of a page, as its readers have them: blocks of code, and what each line says that it comes to."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
_RAISES = "raises "


def blocks(page: Path, language: str) -> list[str]:
    """Return the code blocks of a language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


def checked(example: str) -> str:
    """Return an example that fails where a line does not come to what the comment behind it says.

    ``# 16`` and ``# 16: because ...`` say what the value is, ``# raises ValueError`` which exception it is.
    """
    return "\n".join(_checked(example)) + "\n"


def _checked(example: str) -> Iterator[str]:
    lines, begun = example.splitlines(), 0
    for step in ast.parse(example).body:
        assert step.end_lineno is not None
        last = lines[step.end_lineno - 1]
        said = _said(last[step.end_col_offset or 0 :]) if isinstance(step, ast.Expr) else None
        source = ast.get_source_segment(example, step)
        if said is None:
            yield from lines[begun : step.end_lineno]  # with its comments and decorators
        elif said.startswith(_RAISES):
            error = said.removeprefix(_RAISES)
            yield f"try:\n    {source}\nexcept Exception as _error:\n    assert type(_error).__name__ == {error!r}, repr(_error)"
            yield f"else:\n    raise AssertionError({source!r} + ' did not raise')"
        else:
            yield f"_found = {source}\nassert _found == {said}, ({source!r}, _found)"
        begun = step.end_lineno


def _said(behind: str) -> str | None:
    """Return what a comment says that a line comes to; ``None``: it says something else, or there is none."""
    comment = behind.partition("#")[2].strip().partition(": ")[0]
    if comment.startswith(_RAISES):
        return comment
    try:
        ast.literal_eval(comment)
    except (ValueError, SyntaxError):
        return None
    return comment
