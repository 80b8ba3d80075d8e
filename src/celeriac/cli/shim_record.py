"""What an installer writes beside a package: so that pip, uv and others see a distribution named celery.

In a program's life: before it, at its installation. Pure but for reading the files that it lists. Does not know: where they go.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Final

SHEBANG_LIMIT: Final = 127
"""Characters that every kernel reads of a script's first line."""
BUILT_IN: Final = ("msgpack",)
"""Extras of Celery that are part of every celeriac."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """The shim, as installers know it."""

    version: str
    script: str
    """Text of the command ``celery``."""
    script_path: str
    """Where it goes, relative to the packages."""


def script_text(python: Path) -> str:
    """Return the command ``celery`` for this interpreter."""
    first = f"#!{python}"
    if " " in first or len(first) > SHEBANG_LIMIT:
        # The kernel cuts such a line. To a shell the next two are a command, to Python they are a text.
        first = f"""#!/bin/sh\n'''exec' "{python}" "$0" "$@"\n' '''"""
    return f"{first}\nimport sys\n\nfrom celeriac.cli.main import main\n\nif __name__ == '__main__':\n    sys.exit(main())\n"


def extras() -> list[str]:
    """Return the extras of the celeriac that is installed: ``celery[redis]`` then asks for ``celeriac[redis]``."""
    try:
        return sorted(metadata("celeriac").get_all("Provides-Extra") or ())
    except PackageNotFoundError:
        return []


def _metadata(distribution: Distribution) -> str:
    lines = [
        "Metadata-Version: 2.1",
        "Name: celery",
        f"Version: {distribution.version}",
        "Summary: celeriac under Celery's import paths.",
        "Requires-Python: >=3.11",
        "Requires-Dist: celeriac",
    ]
    lines += [f"Provides-Extra: {extra}" for extra in BUILT_IN]
    for extra in extras():
        lines += [f"Provides-Extra: {extra}", f'Requires-Dist: celeriac[{extra}]; extra == "{extra}"']
    return "\n".join(lines) + "\n"


def info_files(distribution: Distribution) -> dict[str, str]:
    """Return the files of its metadata, name -> text; ``RECORD`` comes from ``record``, which lists these."""
    return {
        "METADATA": _metadata(distribution),
        "WHEEL": "Wheel-Version: 1.0\nGenerator: celeriac\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "INSTALLER": "celeriac\n",
        "REQUESTED": "",
        "top_level.txt": "celery\n",
        "entry_points.txt": "[console_scripts]\ncelery = celeriac.cli.main:main\n",
    }


def record(folder: Path, distribution: Distribution) -> str:
    """Return the ``RECORD`` of everything in ``folder``, and of the command."""
    return "\n".join(_rows(folder, distribution)) + "\n"


def _rows(folder: Path, distribution: Distribution) -> Iterator[str]:
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        yield _row(str(path.relative_to(folder)), path.read_bytes())
    yield _row(distribution.script_path, distribution.script.encode())
    yield f"celery-{distribution.version}.dist-info/RECORD,,"


def _row(name: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(content)}"
