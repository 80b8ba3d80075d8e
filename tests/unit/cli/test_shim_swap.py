"""The shim goes into an environment and out of it again, and a real Celery survives both, interrupted or not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import distributions
from pathlib import Path

import pytest

from celeriac.cli.shim import active_celery, changeable, told
from celeriac.cli.shim_record import script_text
from celeriac.cli.shim_swap import Place, ShimRefused, install, look, remove, shim_source

SHIM_VERSION = "5.7.0+celeriac.1"
SHEBANG = "#!/srv/celeriac/bin/python\n"  # a folder that bears our name makes no command ours


@pytest.fixture
def place(tmp_path: Path) -> Place:
    packages, scripts = tmp_path / "lib" / "site-packages", tmp_path / "bin"
    packages.mkdir(parents=True)
    scripts.mkdir()
    return Place(tmp_path, packages, scripts)


@pytest.fixture
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a shim of few files."""
    source = tmp_path_factory.mktemp("source")
    (source / "_celeriac.py").write_text((shim_source() / "_celeriac.py").read_text())
    (source / "app").mkdir()
    for name in ("__init__.py", "app/__init__.py"):
        (source / name).write_text("")
    return source


def put_real(place: Place, version: str = "5.6.2") -> None:
    """Do what pip does: take away what is there under the name, then write the package."""
    remove_files(place)
    place.scripts.mkdir(parents=True, exist_ok=True)
    info = place.packages / f"celery-{version}.dist-info"
    for folder in (place.package / "app", info):
        folder.mkdir(parents=True)
    (place.package / "__init__.py").write_text(f"__version__ = {version!r}\n")
    (place.package / "app" / "base.py").write_text("class Celery: ...\n")
    (place.packages / "__editable__.celery.pth").write_text("/src/celery\n")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: celery\nVersion: {version}\n")
    (info / "RECORD").write_text("celery/__init__.py,,\n__editable__.celery.pth,,\n../../bin/celery,,\n")
    place.script.write_text(f"{SHEBANG}from celery.__main__ import main\n")


def remove_files(place: Place) -> None:
    for folder in [*place.packages.glob("celery-*"), place.package]:
        shutil.rmtree(folder, ignore_errors=True)


def files(place: Place) -> dict[str, bytes]:
    return {str(path.relative_to(place.prefix)): path.read_bytes() for path in place.prefix.rglob("*") if path.is_file()}


def found(place: Place) -> list[str]:
    """Versions of celery that installers see."""
    return [one.version for one in distributions(name="celery", path=[str(place.packages)])]


def test_in_an_empty_environment_the_shim_comes_and_goes(place: Place) -> None:
    before = files(place)

    install(place, shim_source())
    there = look(place)
    remove(place)

    assert (there.version, there.ours, there.whole, there.aside) == (SHIM_VERSION, True, True, None)
    assert files(place) == before


def test_a_real_celery_comes_back_byte_by_byte(place: Place) -> None:
    put_real(place)
    before = files(place)

    install(place, shim_source())
    meanwhile, visible = look(place), found(place)
    remove(place)

    assert (meanwhile.ours, meanwhile.aside) == (True, "5.6.2")
    assert visible == [SHIM_VERSION]
    assert files(place) == before
    assert found(place) == ["5.6.2"]


def test_installing_and_removing_twice_is_the_same_as_once(place: Place) -> None:
    put_real(place)
    before = files(place)

    install(place, shim_source())
    once = files(place)
    install(place, shim_source())
    twice = files(place)
    remove(place)
    remove(place)

    assert twice == once
    assert files(place) == before


class PowerCut(BaseException):
    """Ends a run at some step, without any cleaning up."""


def cut_after(steps: int, action: Callable[[], object]) -> bool:
    """Run ``action`` until it has made ``steps`` changes to the file system; return whether it was cut."""
    left = steps

    def watch(event: str, args: tuple[object, ...]) -> None:
        nonlocal left
        if left >= 0 and event in {"os.rename", "os.remove", "os.rmdir", "os.mkdir"}:
            left -= 1
            if left < 0:
                raise PowerCut

    hooks.append(watch)
    try:
        action()
    except PowerCut:
        return True
    finally:
        hooks.remove(watch)
    return False


hooks: list[Callable[[str, tuple[object, ...]], None]] = []
sys.addaudithook(lambda event, args: [hook(event, args) for hook in hooks] and None)


@pytest.mark.parametrize("again", ["install", "remove"])
@pytest.mark.parametrize("cut", ["install", "remove"])
def test_a_run_that_was_cut_at_any_step_is_repeated_and_nothing_is_lost(place: Place, small: Path, cut: str, again: str) -> None:
    put_real(place)
    before = files(place)
    actions: dict[str, Callable[[], object]] = {"install": lambda: install(place, small), "remove": lambda: remove(place)}
    step = 0
    was_cut = True

    while was_cut:
        if cut == "remove":
            install(place, small)
        was_cut = cut_after(step, actions[cut])
        actions[again]()
        meanwhile = look(place)
        remove(place)
        assert (meanwhile.ours, meanwhile.whole) == (again == "install", True), step
        assert files(place) == before, f"cut after step {step}"
        step += 1

    assert step > 10


def test_a_celery_that_was_installed_over_the_shim_is_the_one_that_comes_back(place: Place) -> None:
    put_real(place, "5.6.2")
    install(place, shim_source())
    put_real(place, "5.7.0")
    newer = files(place)

    install(place, shim_source())
    kept = look(place).aside
    remove(place)

    assert kept == "5.7.0"
    assert found(place) == ["5.7.0"]
    assert {name: text for name, text in newer.items() if "celeriac-aside" not in name} == files(place)


def test_removing_leaves_alone_a_celery_that_was_installed_over_the_shim(place: Place) -> None:
    put_real(place, "5.6.2")
    install(place, shim_source())
    put_real(place, "5.6.2")
    (place.package / "newer.py").write_text("")

    remove(place)

    assert (place.package / "newer.py").exists()
    assert (look(place).version, look(place).aside) == ("5.6.2", None)


def test_packages_whose_names_only_begin_with_celery_are_left_alone(place: Place) -> None:
    other = place.packages / "celery_batches-0.9.dist-info"
    other.mkdir()

    install(place, shim_source())

    assert look(place).aside is None
    assert other.exists()


@pytest.mark.parametrize("change", [lambda place: install(place, shim_source()), remove])
def test_nothing_outside_of_the_environment_is_touched(tmp_path: Path, change: Callable[[Place], object]) -> None:
    place = Place(tmp_path / "env", tmp_path / "elsewhere", tmp_path / "env" / "bin")
    put_real(place)
    before = files(place)

    with pytest.raises(ShimRefused, match="outside of the environment"):
        change(place)

    assert (place.package / "__init__.py").exists()
    assert files(place) == before
    assert look(place).version == "5.6.2"


def test_the_systems_own_environment_is_refused_unless_forced() -> None:
    with pytest.raises(ShimRefused, match="no virtual environment"):
        changeable(False, prefix="/usr", base="/usr")

    assert changeable(True, prefix="/usr", base="/usr").prefix == Path(sys.prefix)


def test_what_stands_there_is_told_in_a_sentence(place: Place) -> None:
    nothing = told(look(place), place)
    put_real(place)
    real = told(look(place), place)
    install(place, shim_source())
    shim = told(look(place), place)
    (place.packages / f"celery-{SHIM_VERSION}.dist-info" / "METADATA").parent.rename(place.packages / "away")
    broken = told(look(place), place)

    assert nothing == f"There is no celery in {place.prefix}."
    assert real == f"`celery` is Celery 5.6.2 in {place.prefix}."
    assert "is celeriac" in shim
    assert "Celery 5.6.2 is kept aside" in shim
    assert "not complete" in broken
    assert active_celery()


def test_the_command_starts_though_its_interpreter_is_in_a_folder_with_a_blank(tmp_path: Path) -> None:
    folder = tmp_path / "with a blank"
    folder.mkdir()
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    script = folder / "celery"
    script.write_text(script_text(python))
    script.chmod(0o755)

    answer = subprocess.run([script, "--help"], env={**os.environ, "COLUMNS": "100"}, capture_output=True, text=True)

    assert "Commands:" in answer.stdout, answer.stderr
