"""Every setting is described once, and described well."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil

import msgspec
import pytest

from celeriac.config import sections
from celeriac.config.aliases import OLD_NAMES, modern_name, old_names
from celeriac.config.catalog import FALLS_BACK, NAMES, PLACES, default_of, kind_of, mark_of, option
from celeriac.config.checking import checked
from celeriac.config.sections import SECTIONS
from celeriac.config.settings import Conf


def documented() -> dict[str, str]:
    """Return the docstring below each field of each section, by the setting's name."""
    docs: dict[str, str] = {}
    modules = [importlib.import_module(f"{sections.__name__}.{found.name}") for found in pkgutil.iter_modules(sections.__path__)]
    prefixes = {kind.__name__: prefix for prefix, kind in SECTIONS.values()}
    for module in modules:
        for body in ast.parse(inspect.getsource(module)).body:
            if isinstance(body, ast.ClassDef) and body.name in prefixes:
                for field, doc in zip(body.body, [*body.body[1:], None], strict=False):
                    if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                        text = ast.literal_eval(doc.value) if isinstance(doc, ast.Expr) else ""
                        docs[prefixes[body.name] + field.target.id] = text
    return docs


def test_every_setting_has_a_meaning_that_begins_with_its_name() -> None:
    docs = documented()

    unclear = [name for name in NAMES if not docs.get(name, "").startswith(f"``{name}``: ")]

    assert unclear == []


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_default_is_a_value_that_its_setting_can_have(name: str) -> None:
    default = default_of(name)

    assert checked(name, default) == default


def test_a_setting_is_described_with_its_place_type_and_state() -> None:
    honoured, later, plain = option("task_time_limit"), option("beat_sync_every"), option("timezone")

    assert (honoured.section, honoured.key, honoured.default, honoured.mark) == ("task", "time_limit", None, None)
    assert (later.section, later.key, later.default) == ("beat", "sync_every", 0)
    assert (later.mark, plain.section) == (mark_of("beat_sync_every"), "")
    assert msgspec.convert(3, kind_of("beat_sync_every")) == 3


def test_every_setting_can_be_set_and_read_back() -> None:
    conf = Conf()

    conf.update({name: default_of(name) for name in NAMES})

    assert all(conf.explicit(name) for name in NAMES)
    assert all(conf[name] == default_of(name) for name in NAMES - FALLS_BACK.keys())


def test_every_old_name_leads_to_its_setting_and_back() -> None:
    assert set(OLD_NAMES.values()) <= NAMES
    assert [name for name in NAMES if not old_names(name)] == []
    assert [(old, name) for name in NAMES for old in old_names(name) if modern_name(old, NAMES) != name] == []
    assert [name for name in NAMES if modern_name(name, NAMES) != name] == []


def test_no_name_is_in_two_sections() -> None:
    places = [prefix + field for prefix, kind in SECTIONS.values() for field in kind.__struct_fields__]

    assert sorted(places) == sorted(PLACES) == sorted(NAMES)
    assert all(name == name.lower() for name in NAMES)
