"""The shim is a package of aliases: what is patched is what runs, and what is not there says so."""

from __future__ import annotations

import importlib
import logging
import re
import subprocess
import sys
import tomllib
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

import pytest

import celeriac
import celery
from celeriac.cli.shim_record import BUILT_IN
from celery.app.task import extract_exec_options

ROOT = Path(__file__).parent.parent.parent
SHIM = ROOT / "shim" / "src" / "celery"
PROJECT = tomllib.loads((ROOT / "shim" / "pyproject.toml").read_text())["project"]


def modules() -> list[str]:
    paths = (path.relative_to(SHIM.parent).with_suffix("") for path in SHIM.rglob("*.py"))
    return sorted(".".join(path.parts).removesuffix(".__init__") for path in paths if path.name != "__main__")


def test_every_module_of_the_shim_can_be_imported_first() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(SHIM.parent)!r})\n"
        "from importlib import import_module\n"
        f"for name in {modules()!r}:\n"
        "    for loaded in [one for one in sys.modules if one.partition('.')[0] == 'celery']:\n"
        "        del sys.modules[loaded]\n"
        "    try:\n"
        "        import_module(name)\n"
        "    except Exception as error:\n"
        "        print(name, repr(error))"
    )

    answer = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)

    assert (answer.stdout, answer.stderr, answer.returncode) == ("", "", 0)


@pytest.mark.parametrize(
    ("path", "own"),
    [
        ("celery.Celery", "celeriac.Celery"),
        ("celery.app.base.Celery", "celeriac.Celery"),
        ("celery.Task", "celeriac.Task"),
        ("celery.app.task.Task", "celeriac.Task"),
        ("celery.app.task.Context", "celeriac.app.context.Context"),
        ("celery.result.AsyncResult", "celeriac.AsyncResult"),
        ("celery.canvas.Signature", "celeriac.Signature"),
        ("celery.exceptions.Retry", "celeriac.Retry"),
        ("celery.signals.task_prerun", "celeriac.app.signals.task_prerun"),
        ("celery.utils.dispatch.signal.Signal", "celeriac.app.dispatch.Signal"),
        ("celery.shared_task", "celeriac.shared_task"),
        ("celery.app.shared_task", "celeriac.shared_task"),
        ("celery.bin.celery.main", "celeriac.cli.main.main"),
        ("celery.app.utils.Settings", "celeriac.config.settings.Conf"),
    ],
)
def test_an_alias_is_celeriacs_own_object(path: str, own: str) -> None:
    def look_up(name: str) -> object:
        module, _, attribute = name.rpartition(".")
        return getattr(importlib.import_module(module), attribute)

    assert look_up(path) is look_up(own)


@pytest.mark.parametrize("name", ["signals", "states", "app.trace"])
def test_a_module_whose_names_are_replaced_by_others_is_the_very_module(name: str) -> None:
    own = {"signals": "app.signals", "states": "core.states"}.get(name, name)

    assert importlib.import_module(f"celery.{name}") is importlib.import_module(f"celeriac.{own}")


def test_a_tool_that_waits_for_an_import_patches_the_very_module() -> None:
    # Such tools wrap the loader: they hold the module object that the import system made, whatever it was replaced by.
    code = (
        f"import sys; sys.path.insert(0, {str(SHIM.parent)!r})\n"
        "from importlib.machinery import PathFinder\n"
        "class Hook:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name != 'celery.app.trace': return None\n"
        "        spec = PathFinder.find_spec(name, path)\n"
        "        load = spec.loader.exec_module\n"
        "        def exec_module(module):\n"
        "            load(module)\n"
        "            held.append(module)\n"
        "            module.kept = module.build_tracer\n"
        "            module.build_tracer = 'replaced'\n"
        "        spec.loader.exec_module = exec_module\n"
        "        return spec\n"
        "held = []\n"
        "sys.meta_path.insert(0, Hook())\n"
        "import celery.app.trace as theirs, celeriac.app.trace as ours\n"
        "del held[0].kept\n"
        "print(ours.build_tracer, theirs is ours, hasattr(ours, 'kept'), held[0].__name__)"
    )

    answer = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)

    assert answer.stdout.split() == ["replaced", "True", "False", "celery.app.trace"], answer.stderr


def test_a_module_that_celeriac_has_no_counterpart_of_says_so() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"celery\.bootsteps.*no boot steps in this version") as caught:
        importlib.import_module("celery.bootsteps")

    assert caught.value.name == "celery.bootsteps"


def test_a_module_that_nobody_has_is_missing_as_ever() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'celery\.nonsense'$"):
        importlib.import_module("celery.nonsense")


def test_import_celery_gives_its_modules() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(SHIM.parent)!r})\n"
        "import celery\n"
        "assert 'celery.signals' not in sys.modules\n"
        "names = [celery.signals.task_success.name, celery.exceptions.Retry.__name__, celery.states.SUCCESS,\n"
        "    celery.utils.log.get_task_logger('x').name, celery.result.AsyncResult.__name__, celery.app.task.Task.__name__]\n"
        "print(*names, hasattr(celery, 'nonsense'))"
    )

    answer = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)

    assert answer.stdout.split() == ["task_success", "Retry", "SUCCESS", "x", "AsyncResult", "Task", "False"], answer.stderr


def test_paths_of_old_lead_to_the_current_app() -> None:
    app = celeriac.Celery("paths", broker="memory://paths")
    app.task(name="paths.add")(lambda x: x)

    registry, execute, log = (importlib.import_module(f"celery.{name}") for name in ("registry", "execute", "log"))

    assert "paths.add" in registry.tasks
    assert execute.send_task("paths.add", (1,)).id
    assert isinstance(log.get_default_logger(), logging.Logger)
    assert not hasattr(registry, "anything_else")


def test_extensions_ask_a_task_by_celerys_inner_names() -> None:
    app = celeriac.Celery("inner", broker="memory://inner", set_as_current=False)

    @app.task(name="inner.add", bind=True, queue="q", priority=3)
    def add(self: Any) -> Any:
        return self._get_request().id, self._get_app() is app

    assert add.apply(task_id="x").get() == ("x", True)
    options = extract_exec_options(add)
    assert options == add._get_exec_options()
    assert (options["queue"], options["priority"], options["immediate"]) == ("q", 3, None)


def test_the_version_is_that_of_the_names() -> None:
    assert celery.__version__ == "5.7.0"
    assert celery.VERSION[:3] == (5, 7, 0)
    assert celery.VERSION.minor == 7


def test_the_distribution_offers_the_extras_that_celeriac_has() -> None:
    own = set(metadata("celeriac").get_all("Provides-Extra") or ())

    offered = set(PROJECT["optional-dependencies"])

    assert offered == own | set(BUILT_IN)
    assert all(PROJECT["optional-dependencies"][extra] == [f"celeriac[{extra}]"] for extra in own)


def test_the_shim_travels_inside_of_celeriacs_wheel() -> None:
    own = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]

    assert own["wheel"]["force-include"] == {"shim/src/celery": "celeriac/_shim/celery"}
    assert "shim" in own["sdist"]["include"]


def test_its_distribution_says_which_celery_it_stands_for_and_that_it_is_none() -> None:
    where = tomllib.loads((ROOT / "shim" / "pyproject.toml").read_text())["tool"]["hatch"]["version"]

    found = re.search(where["pattern"], (ROOT / "shim" / where["path"]).read_text())

    assert found is not None
    assert found["version"] == f"{celery.__version__}+celeriac.1"


def test_importing_the_shim_loads_no_client_and_no_command_line() -> None:
    code = f"import sys; sys.path.insert(0, {str(SHIM.parent)!r}); import celery; print(*sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()

    assert {"redis", "kombu", "sqlite3", "click", "rich", "asyncio", "pydantic"} & set(loaded) == set()


def test_a_task_that_is_patched_under_celerys_path_is_patched_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    app = celeriac.Celery("patched", broker="memory://patched", backend="memory://patched", set_as_current=False)
    sent: list[str] = []

    @app.task(name="patched.add")
    def add(x: int, y: int) -> int:
        return x + y

    original = celery.Task.apply_async

    def apply_async(self: Any, *args: Any, **kwargs: Any) -> Any:
        sent.append(self.name)
        return original(self, *args, **kwargs)

    # A tracer's way: this is the one place of ours that tests replace, since others do.
    monkeypatch.setattr("celery.app.task.Task.apply_async", apply_async)
    add.delay(1, 1)
    add.apply_async((1, 2))

    assert sent == ["patched.add", "patched.add"]


def test_what_a_program_sets_for_the_logger_celery_holds_for_our_lines() -> None:
    heard: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    handler = Ear()
    theirs = logging.getLogger("celery")
    theirs.addHandler(handler)

    logging.getLogger("celeriac.some.part").warning("heard")
    theirs.removeHandler(handler)

    assert heard == ["heard"]
