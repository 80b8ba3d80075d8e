"""Whatever a task raises can be shown, in bounded text, and asked what it is."""

from __future__ import annotations

import pytest

from celeriac.core.errors import RemoteError
from celeriac.core.exceptions import name_of, tamed
from celeriac.core.tracebacks import LONGEST, text_of


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


class Untouchable(Exception):
    def __getattribute__(self, name: str) -> object:
        raise RuntimeError(name)


class Anonymous(type):
    def __getattribute__(cls, name: str) -> object:
        if name in {"__name__", "__qualname__", "__module__"}:
            raise RuntimeError(name)
        return super().__getattribute__(name)


class Nameless(Exception, metaclass=Anonymous):
    pass


class Pretender(Exception):
    __class__ = int  # type: ignore[assignment]


WILD: dict[str, type[Exception]] = {"Mute": Mute, "Untouchable": Untouchable, "Nameless": Nameless, "Pretender": Pretender}
"""By name: pytest looks at its parameters, and these do not like that."""


def test_a_text_names_class_message_and_cause() -> None:
    error = ValueError("bad")
    error.__cause__ = KeyError("why")

    text = text_of(raised(error), error.__traceback__)

    assert "KeyError: 'why'" in text
    assert text.endswith("ValueError: bad\n")
    assert "raise error" in text


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    text = text_of(raised(ValueError("x" * 10_000_000)), None)

    assert len(text) < LONGEST + 100
    assert text.startswith("ValueError: xxx")
    assert "characters left out" in text


@pytest.mark.parametrize("name", WILD)
def test_what_cannot_be_shown_has_a_text_all_the_same(name: str) -> None:
    text = text_of(tamed(raised(WILD[name]("x"))), None)

    assert name in text


def test_an_exception_that_can_be_asked_is_left_alone() -> None:
    for error in (ValueError("a"), Mute("x"), SystemExit(3), ExceptionGroup("g", [KeyError()])):
        assert tamed(error) is error


@pytest.mark.parametrize("name", ["Untouchable", "Nameless", "Pretender"])
def test_one_that_cannot_is_stood_for_by_one_that_tells_its_name_and_its_traceback(name: str) -> None:
    stand_in = tamed(raised(WILD[name]("x")))

    assert isinstance(stand_in, RemoteError)
    assert stand_in.type == name_of(WILD[name])
    assert stand_in.__traceback__ is not None
