"""The one task of the example: what a Python file contains."""

from __future__ import annotations

import ast
import warnings
from pathlib import Path
from typing import TypedDict

from celeriac import Celery

app = Celery("index_stdlib")


class Contents(TypedDict):
    """What was counted in one file."""

    path: str
    lines: int
    classes: int
    functions: int
    imports: int
    parsed: bool
    """False: not Python that this interpreter reads, such as the broken files that test the parser itself."""


@app.task
def index_file(path: str) -> Contents:
    """Read one file and count what it defines."""
    source = Path(path).read_bytes()
    nodes: list[ast.AST] = []
    parsed = True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            nodes.extend(ast.walk(ast.parse(source)))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            parsed = False
    return Contents(
        path=path,
        lines=len(source.splitlines()),
        classes=sum(isinstance(node, ast.ClassDef) for node in nodes),
        functions=sum(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in nodes),
        imports=sum(isinstance(node, ast.Import | ast.ImportFrom) for node in nodes),
        parsed=parsed,
    )
