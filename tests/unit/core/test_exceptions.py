"""Exceptions are stored as Celery stores them, and rebuilt without calling anything but exceptions."""

from __future__ import annotations

import json
import sys
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celeriac.core import exceptions
from celeriac.core.errors import (
    BrokerUnreachable,
    MaxRetriesExceededError,
    NotRegistered,
    RemoteError,
    Retry,
    SoftTimeLimitExceeded,
    TaskRevokedError,
    TimeLimitExceeded,
    WorkerLostError,
)

HERE = __name__
CALLS: list[object] = []


class Shop:
    class SoldOutError(Exception):
        """Nested in a class."""


class PickyError(Exception):
    """Wants other arguments than it keeps."""

    def __init__(self, a: int, b: int) -> None:
        super().__init__(f"{a} and {b}")


class ElsewhereError(Exception):
    """Makes something else of itself."""

    def __new__(cls, *args: object) -> Any:
        return "no exception"


class Canary:
    """Is no exception, and must never be called."""

    def __init__(self, *args: object) -> None:
        CALLS.append(args)


def canary(*args: object) -> None:
    CALLS.append(args)


@pytest.fixture(autouse=True)
def this_module_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    # Tests are imported in a way that does not always register them.
    module = ModuleType("shop_errors")
    module.__dict__.update(globals())
    monkeypatch.setitem(sys.modules, "shop_errors", module)
    CALLS.clear()


def stored(type: object, message: object = (), module: object = "shop_errors") -> dict[str, object]:
    return {"exc_type": type, "exc_message": message, "exc_module": module}


@pytest.mark.parametrize(
    ("error", "module", "name", "args"),
    [
        (ValueError("bad", 42), "builtins", "ValueError", ["bad", 42]),
        (Shop.SoldOutError("x"), HERE, "Shop.SoldOutError", ["x"]),
        (NotRegistered("shop.add", ("shop.sub",)), "celery.exceptions", "NotRegistered", ["shop.add"]),
        (TaskRevokedError("expired"), "celery.exceptions", "TaskRevokedError", ["expired"]),
        (MaxRetriesExceededError("no"), "celery.exceptions", "MaxRetriesExceededError", ["no"]),
        (Retry("later"), "celery.exceptions", "Retry", ["later", None, None]),
        (WorkerLostError("signal 9"), "billiard.exceptions", "WorkerLostError", ["signal 9"]),
        (TimeLimitExceeded(3), "billiard.exceptions", "TimeLimitExceeded", [3]),
        (SoftTimeLimitExceeded(), "billiard.exceptions", "SoftTimeLimitExceeded", []),
        (BrokerUnreachable("away"), "kombu.exceptions", "OperationalError", ["away"]),
    ],
)
def test_an_exception_is_stored_under_the_name_that_celery_knows(
    error: Exception, module: str, name: str, args: list[object]
) -> None:
    assert exceptions.describe(error) == {"exc_type": name, "exc_message": args, "exc_module": module}


def test_an_argument_that_cannot_be_written_is_replaced_by_its_repr() -> None:
    described = exceptions.describe(ValueError(1, {2}, "x"))

    assert described["exc_message"] == [1, "{2}", "x"]


def test_what_was_stored_is_rebuilt() -> None:
    error = exceptions.rebuild(exceptions.describe(KeyError("missing", 5)))

    assert type(error) is KeyError
    assert error.args == ("missing", 5)


def test_a_class_nested_in_a_class_is_found() -> None:
    error = exceptions.rebuild(stored("Shop.SoldOutError", ["x"]))

    assert isinstance(error, Shop.SoldOutError)


@pytest.mark.parametrize(
    ("module", "name", "kind"),
    [
        ("celery.exceptions", "WorkerLostError", WorkerLostError),
        ("billiard.exceptions", "WorkerLostError", WorkerLostError),
        ("billiard.exceptions", "SoftTimeLimitExceeded", SoftTimeLimitExceeded),
        ("celeriac.core.errors", "TaskRevokedError", TaskRevokedError),
    ],
)
def test_celerys_exceptions_are_rebuilt_as_ours(module: str, name: str, kind: type[Exception]) -> None:
    assert type(exceptions.rebuild(stored(name, ["x"], module))) is kind


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("builtins", "eval"),
        ("builtins", "print"),
        ("builtins", "SystemExit"),
        ("builtins", "KeyboardInterrupt"),
        ("builtins", "BaseException"),
        ("builtins", "type"),
        ("shop_errors", "canary"),
        ("shop_errors", "Canary"),
        ("shop_errors", "Shop"),
        ("shop_errors", "pytest.exit"),
        ("shop_errors", "sys.exit"),
        ("no.such.module", "Error"),
        ("celery.exceptions", "NoSuchError"),
        ("", ""),
        (None, "ValueError"),
    ],
)
def test_what_is_no_loaded_exception_is_told_by_name_and_never_called(module: str | None, name: str) -> None:
    error = exceptions.rebuild(stored(name, ["rm -rf"], module))

    assert type(error) is RemoteError
    assert name in str(error)
    assert not CALLS


def test_a_module_that_is_not_loaded_is_not_imported() -> None:
    exceptions.rebuild(stored("Error", [], "wave"))

    assert "wave" not in sys.modules


def test_a_module_that_loads_its_names_lazily_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    lazy = ModuleType("lazy")
    lazy.__dict__["__getattr__"] = canary
    monkeypatch.setitem(sys.modules, "lazy", lazy)

    exceptions.rebuild(stored("Error", [], "lazy"))

    assert not CALLS


@pytest.mark.parametrize("name", ["PickyError", "ElsewhereError"])
def test_a_class_that_cannot_be_made_from_its_arguments_is_told_by_name(name: str) -> None:
    error = exceptions.rebuild(stored(name, ["1 and 2"]))

    assert type(error) is RemoteError
    assert str(error) == f"shop_errors.{name}('1 and 2')"


def test_a_message_that_is_plain_text_is_the_one_argument() -> None:
    assert exceptions.rebuild(stored("ValueError", "bad", "builtins")).args == ("bad",)


def test_a_remote_error_is_passed_on_under_its_own_name() -> None:
    error = exceptions.rebuild(stored("SoldOut", ["x"], "far.away"))

    assert exceptions.describe(error)["exc_module"] == "far.away"
    assert exceptions.describe(error)["exc_type"] == "SoldOut"


def test_one_line_of_text_says_class_and_message() -> None:
    assert exceptions.text(ValueError("bad")) == "ValueError: bad"
    assert exceptions.text(ValueError()) == "ValueError"


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["canary", "Canary", "ValueError", "Shop.SoldOutError", "PickyError", "ExceptionGroup", "a.b"]) | st.text(
    max_size=8
)


@settings(deadline=None, max_examples=300)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "exc_type": NAMES | JSON_VALUES,
            "exc_message": JSON_VALUES,
            "exc_module": st.sampled_from(["builtins", "shop_errors", "os"]) | JSON_VALUES,
        },
    )
    | JSON_VALUES
)
def test_whatever_is_stored_an_exception_comes_out_and_nothing_else_is_called(document: object) -> None:
    error = exceptions.rebuild(json.loads(json.dumps(document)))

    assert isinstance(error, Exception)
    assert not CALLS
