"""Exceptions are stored as Celery stores them, and rebuilt without calling anything but exceptions."""

from __future__ import annotations

import json
import sys
from importlib.machinery import ModuleSpec
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


class SpeechlessError(Exception):
    """Says what only its constructor knows."""

    def __init__(self, a: int, b: int) -> None:
        super().__init__(f"{a} and {b}")
        self.a = a

    def __str__(self) -> str:
        return f"a was {self.a}"


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


def test_a_class_that_cannot_be_made_from_its_arguments_can_be_caught_and_says_what_it_said() -> None:
    error = exceptions.rebuild(stored("PickyError", ["1 and 2"]))

    assert type(error) is PickyError
    assert (str(error), error.args) == ("1 and 2", ("1 and 2",))
    assert "attributes may be missing" in error.__notes__[0]


@pytest.mark.parametrize("name", ["ElsewhereError", "SpeechlessError"])
def test_a_class_that_makes_something_else_or_cannot_speak_without_its_constructor_is_told_by_name(name: str) -> None:
    error = exceptions.rebuild(stored(name, ["1 and 2"]))

    assert type(error) is RemoteError
    assert str(error) == f"shop_errors.{name}('1 and 2')"


def test_what_an_exception_was_raised_from_comes_back_with_it() -> None:
    error = ValueError("outer")
    error.__cause__ = KeyError("inner")
    error.__cause__.__cause__ = error
    error.add_note("a note")

    twin = exceptions.rebuild(json.loads(json.dumps(exceptions.describe(error))))

    assert (type(twin.__cause__), twin.__cause__ and twin.__cause__.args) == (KeyError, ("inner",))
    assert twin.__notes__ == ["a note"]


def test_a_group_comes_back_with_its_members() -> None:
    inner = ExceptionGroup("inner", [KeyError("k")])
    error = BaseExceptionGroup("several", [ValueError(1), inner, SystemExit(3)])

    twin = exceptions.rebuild(json.loads(json.dumps(exceptions.describe(error))))

    assert isinstance(twin, ExceptionGroup)
    assert (twin.message, [type(each) for each in twin.exceptions]) == ("several", [ValueError, ExceptionGroup, RemoteError])
    assert twin.subgroup(KeyError) is not None


def test_a_group_of_very_many_and_an_endless_chain_are_kept_in_part() -> None:
    many = ExceptionGroup("many", [ExceptionGroup("some", [ValueError(number)] * 50) for number in range(50)])
    deep = ValueError("last")
    for number in range(5000):
        before, deep = deep, ValueError(number)
        deep.__cause__ = before

    sizes = [len(json.dumps(exceptions.describe(error))) for error in (many, deep)]

    assert max(sizes) < 20_000


def test_a_huge_argument_is_shortened() -> None:
    described = exceptions.describe(ValueError("x" * 10_000_000, ["y" * 10_000_000], b"z"))

    assert len(json.dumps(described["exc_message"][:2])) < 50_000
    assert "characters left out" in described["exc_message"][0]


def test_an_error_of_the_system_keeps_its_file() -> None:
    error = exceptions.rebuild(exceptions.describe(FileNotFoundError(2, "No such file", "/nope")))

    assert isinstance(error, FileNotFoundError)
    assert error.filename == "/nope"


def test_a_class_whose_arguments_fail_is_described_by_those_that_python_keeps() -> None:
    class Broken(Exception):
        @property
        def args(self) -> Any:  # type: ignore[override]
            raise RuntimeError("no arguments")

    assert exceptions.describe(Broken("x"))["exc_message"] == ["x"]


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
            "exc_cause": JSON_VALUES | st.fixed_dictionaries({"exc_type": NAMES, "exc_module": st.just("builtins")}),
            "exc_group": JSON_VALUES | st.lists(st.fixed_dictionaries({"exc_type": NAMES, "exc_module": st.just("builtins")})),
            "exc_notes": JSON_VALUES,
        },
    )
    | JSON_VALUES
)
def test_whatever_is_stored_an_exception_comes_out_and_nothing_else_is_called(document: object) -> None:
    error = exceptions.rebuild(json.loads(json.dumps(document)))

    assert isinstance(error, Exception)
    assert not CALLS


@pytest.mark.parametrize("spec", [None, ModuleSpec("shop.orders", None)])
def test_an_exception_of_the_program_itself_is_known_by_the_name_that_others_import(
    monkeypatch: pytest.MonkeyPatch, spec: ModuleSpec | None
) -> None:
    program = ModuleType("__main__")
    soldout = type("SoldOut", (Exception,), {"__module__": "__main__"})
    program.__dict__.update(__file__="/srv/orders.py", __spec__=spec, SoldOut=soldout)
    monkeypatch.setitem(sys.modules, "__main__", program)
    name = "orders" if spec is None else "shop.orders"

    described = exceptions.describe(soldout("pens"))

    assert (described["exc_module"], described["exc_type"]) == (name, "SoldOut")
    assert type(exceptions.rebuild(described)) is soldout
