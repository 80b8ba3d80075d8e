"""Put the shim where a real Celery was, and put that back.

In a program's life: before it, at its installation. Plain files are moved inside one environment, so neither a network nor an
installer is needed. Each step looks at what is there and leaves alone what is done already: a run that was interrupted is
repeated. Does not know: the command line.

    site-packages/celery, celery-5.7.0.dist-info, bin/celery      the real one, or the shim
    site-packages/celeriac-aside/manifest.json, kept/...          what was put aside, and whence
"""

from __future__ import annotations

import csv
import json
import os
import re
import runpy
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import celeriac
from celeriac.cli.shim_record import Distribution, info_files, record, script_text
from celeriac.core.errors import CeleriacError

_INFO: Final = re.compile(r"celery-(?P<version>\d[^-]*)(-py[\d.]+)?\.(dist|egg)-info")
_OURS: Final = "+celeriac"
_MARK: Final = "_celeriac.py"
"""A file that the shim's package has and a real Celery has not."""


class ShimRefused(CeleriacError):
    """The environment cannot be changed as asked. The message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """An environment: where packages and commands go. Nothing outside ``prefix`` is touched."""

    prefix: Path
    packages: Path
    scripts: Path

    def check(self) -> None:
        """Make sure that it is all inside; some systems keep packages elsewhere.

        Raises:
            ShimRefused: it is not.
        """
        for folder in (self.packages, self.scripts):
            if not folder.is_relative_to(self.prefix):
                raise ShimRefused(f"{folder} is outside of the environment {self.prefix}: nothing there is touched")

    @property
    def aside(self) -> Path:
        """Where a real Celery is kept meanwhile; on the same file system, so that moving is renaming."""
        return self.packages / "celeriac-aside"

    @property
    def package(self) -> Path:
        """``import celery``."""
        return self.packages / "celery"

    @property
    def script(self) -> Path:
        """The command ``celery``."""
        return self.scripts / "celery"


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in an environment as ``celery``."""

    version: str | None
    """Of the distribution. ``None``: there is none."""
    ours: bool
    whole: bool
    """Both package and distribution are there; otherwise a run was interrupted."""
    aside: str | None
    """Version of the real Celery that is kept. ``None``: none is."""


def this_place() -> Place:
    """Return the environment of the interpreter that runs."""
    return Place(Path(sys.prefix), Path(sysconfig.get_path("purelib")), Path(sysconfig.get_path("scripts")))


def shim_source() -> Path:
    """Return the folder of the shim's package: inside an installed celeriac, or beside its source.

    Raises:
        ShimRefused: it is in neither place.
    """
    home = Path(celeriac.__file__).parent
    for folder in (home / "_shim" / "celery", home.parent.parent / "shim" / "src" / "celery"):
        if (folder / _MARK).is_file():
            return folder
    raise ShimRefused(f"this celeriac was packed without its shim (looked in {home / '_shim'}): install celeriac from its wheel")


def look(place: Place) -> Standing:
    """Say what stands there."""
    infos = _infos(place)
    package = place.package.is_dir()
    version = max(infos.values(), key=lambda version: (_OURS in version, version), default=None)
    ours = _is_ours(place.package) if package else version is not None and _OURS in version
    whole = package and version is not None and (_OURS in version) == ours
    return Standing(version, ours, whole or not (package or infos), _kept_version(place))


def install(place: Place, source: Path) -> Standing:
    """Put the shim there; a real Celery goes aside. Return what stood there before.

    Raises:
        ShimRefused: the place is not all inside of the environment.
    """
    place.check()
    before = look(place)
    if not _another_came(place):
        _put_aside(place, _kept_items(place))  # what an interrupted run left
    if real := _real_items(place):
        _forget_aside(place)  # of a Celery that has been replaced since
        _write_manifest(place, real)
        _put_aside(place, real)
    _write_shim(place, source)
    return before


def remove(place: Place) -> Standing:
    """Take the shim away and bring the real Celery back, if one was put aside. Return what stands there now.

    Raises:
        ShimRefused: the place is not all inside of the environment.
    """
    place.check()
    for path in [place.script, *_infos(place), place.package]:
        if os.path.lexists(path) and _is_ours(path):
            _delete(place, path)
    for item in () if _another_came(place) else _kept_items(place):
        kept = place.aside / "kept" / item
        if os.path.lexists(kept) and not os.path.lexists(place.prefix / item):
            _move(kept, place.prefix / item)
    _forget_aside(place)
    return look(place)


def _infos(place: Place) -> dict[Path, str]:
    """Return the metadata of distributions named celery, and their versions."""
    named = ((path, _INFO.fullmatch(path.name)) for path in place.packages.glob("celery-*-info"))
    return {path: match["version"] for path, match in named if match}


def _is_ours(path: Path) -> bool:
    if path.name.endswith("-info"):
        return _OURS in path.name
    if path.is_dir():
        return (path / _MARK).is_file()
    # Whoever wrote the command, pip or we: it says what it calls.
    return path.is_file() and b"from celeriac.cli.main import main" in path.read_bytes()


def _real_items(place: Place) -> list[Path]:
    """Return what belongs to a real Celery, relative to the prefix; its metadata last: until then it can be found."""
    infos = [path for path in _infos(place) if not _is_ours(path)]
    paths = [place.package, place.script, *(path for info in infos for path in _loose_files(info)), *infos]
    return [path.relative_to(place.prefix) for path in paths if os.path.lexists(path) and not _is_ours(path)]


def _loose_files(info: Path) -> Iterator[Path]:
    """Yield the files that lie openly in the folder of packages: of an editable installation."""
    listing = info / "RECORD"
    if listing.is_file():
        with listing.open(newline="") as lines:
            yield from (info.parent / row[0] for row in csv.reader(lines) if row and "/" not in row[0])


def _write_manifest(place: Place, items: list[Path]) -> None:
    version = next((version for path, version in _infos(place).items() if not _is_ours(path)), "unknown")
    place.aside.mkdir(exist_ok=True)
    new = place.aside / "manifest.new"
    new.write_text(json.dumps({"version": version, "items": [str(item) for item in items]}, indent=1))
    new.replace(place.aside / "manifest.json")


def _manifest(place: Place) -> dict[str, object]:
    path = place.aside / "manifest.json"
    return dict(json.loads(path.read_text())) if path.is_file() else {}


def _kept_version(place: Place) -> str | None:
    version = _manifest(place).get("version")
    return None if version is None else str(version)


def _kept_items(place: Place) -> list[Path]:
    items = _manifest(place).get("items", [])
    assert isinstance(items, list)
    return [Path(item) for item in items]


def _another_came(place: Place) -> bool:
    """Say whether an installer has put a real Celery over the shim; metadata of an interrupted run are in one place only."""
    kept = _kept_items(place)
    here = [path.relative_to(place.prefix) for path in _infos(place) if not _is_ours(path)]
    return bool(kept) and any(item not in kept or os.path.lexists(place.aside / "kept" / item) for item in here)


def _put_aside(place: Place, items: list[Path]) -> None:
    for item in items:
        here, there = place.prefix / item, place.aside / "kept" / item
        if os.path.lexists(here) and not os.path.lexists(there) and not _is_ours(here):
            _move(here, there)


def _forget_aside(place: Place) -> None:
    manifest = place.aside / "manifest.json"
    manifest.unlink(missing_ok=True)
    if place.aside.exists():
        shutil.rmtree(place.aside)


def _write_shim(place: Place, source: Path) -> None:
    """Build package and metadata beside, then put each in its place by one renaming; metadata last."""
    version = str(runpy.run_path(str(source / _MARK))["DISTRIBUTION_VERSION"])
    info = place.packages / f"celery-{version}.dist-info"
    new = place.aside / "new"
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(source, new / "celery", ignore=shutil.ignore_patterns("__pycache__"))
    distribution = Distribution(version, script_text(Path(sys.executable)), os.path.relpath(place.script, place.packages))
    (new / info.name).mkdir()
    for name, text in info_files(distribution).items():
        (new / info.name / name).write_text(text)
    (new / info.name / "RECORD").write_text(record(new, distribution))
    for old in [*(path for path in _infos(place) if _is_ours(path)), place.package]:
        if os.path.lexists(old):
            assert _is_ours(old), old
            _delete(place, old)
    (new / "celery").replace(place.package)
    _write_script(place.script, distribution.script)
    (new / info.name).replace(info)
    new.rmdir()
    if not any(place.aside.iterdir()):
        place.aside.rmdir()


def _write_script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def _move(here: Path, there: Path) -> None:
    there.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(here, there)


def _delete(place: Place, path: Path) -> None:
    """Delete what is ours. First out of sight by one renaming: half a package would not be known as ours any more."""
    old = place.aside / "old"
    shutil.rmtree(old, ignore_errors=True)
    _move(path, old / path.name)
    shutil.rmtree(old)
