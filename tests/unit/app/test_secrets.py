"""Arguments that are not to be shown.

No ``from __future__ import annotations`` here: classes of a test could not be found by their names.
"""

import asyncio
import dataclasses
import inspect
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Optional, TypedDict

import pydantic
import pytest
from pydantic import BaseModel, SecretStr

from celeriac import Celery, Secret, Task
from celeriac.app.checking.secrets import Secrets, holds_secret
from celeriac.core.errors import MaxRetriesExceededError
from celeriac.core.message import Delivery, Parcel
from celeriac.core.outcome import Success
from unit.app.serving import fetched, serve, waiting

if TYPE_CHECKING:
    from nowhere import SecretThing  # type: ignore[import-not-found]

PASSWORD = "hunter2"


class Login(BaseModel):
    user: str
    password: SecretStr
    following: Optional["Login"] = None


class Wrapped(BaseModel):
    login: Login


class Plain(BaseModel):
    user: str
    following: Optional["Plain"] = None


@dataclasses.dataclass
class Card:
    number: Secret[str]


class Row(TypedDict):
    key: Secret[bytes]


def reprs(app: Celery) -> tuple[str, str]:
    """Return the two texts that travel in the headers of the only message that waits."""
    [delivery] = fetched(app)
    assert isinstance(delivery, Delivery)
    assert isinstance(delivery.parcel, Parcel)
    headers = delivery.parcel.headers
    return headers["argsrepr"], headers["kwargsrepr"]


class TestWhatIsASecret:
    @pytest.mark.parametrize(
        "annotation",
        [
            Secret[str],
            Secret[str] | None,
            list[Secret[int]],
            dict[str, Secret[str]],
            Annotated[Secret[str], "more"],
            SecretStr,
            pydantic.SecretBytes,
            pydantic.Secret[int],
            Login,
            list[Login],
            Wrapped,
            Card,
            Row,
        ],
    )
    def test_what_is_marked_or_holds_something_that_is(self, annotation: Any) -> None:
        assert holds_secret(annotation)

    @pytest.mark.parametrize("annotation", [str, Any, None, list[int], Plain, dict[str, Plain], Annotated[int, []], int | None])
    def test_nothing_else_is(self, annotation: Any) -> None:
        assert not holds_secret(annotation)

    def test_an_annotation_that_cannot_be_read_is_one_if_it_sounds_like_one(self) -> None:
        def log_in(user: "Unknown", password: "SecretThing") -> None: ...  # type: ignore[name-defined]  # noqa: F821

        found = Secrets.of(log_in, inspect.signature(log_in))

        assert found is not None
        assert found.names == {"password"}

    def test_a_function_without_secrets_has_none(self) -> None:
        def add(x: int, y: int) -> int:
            return x + y

        assert Secrets.of(add, inspect.signature(add)) is None


class TestTheMessage:
    @pytest.fixture
    def log_in(self, app: Celery) -> Task[..., Any]:
        @app.task(name="log-in")
        def log_in(user: str, password: Secret[str], *more: Secret[str], **others: Secret[str]) -> str:
            return f"{user} {password}"

        return log_in

    @pytest.mark.parametrize(
        ("args", "kwargs", "shown"),
        [
            (("ann", PASSWORD), {}, ("('ann', ***)", "{}")),
            (("ann",), {"password": PASSWORD}, ("('ann',)", "{'password': ***}")),
            ((), {"user": "ann", "password": PASSWORD}, ("()", "{'user': 'ann', 'password': ***}")),
            (("ann", PASSWORD, PASSWORD), {"other": PASSWORD}, ("('ann', ***, ***)", "{'other': ***}")),
        ],
    )
    def test_shows_asterisks_in_place_of_secrets(
        self, app: Celery, log_in: Task[..., Any], args: Any, kwargs: Any, shown: tuple[str, str]
    ) -> None:
        log_in.apply_async(args, kwargs)

        assert reprs(app) == shown

    def test_does_so_however_the_task_is_called(self, app: Celery, log_in: Task[..., Any]) -> None:
        calls: list[Callable[[], object]] = [
            lambda: log_in.delay("ann", PASSWORD),
            lambda: log_in.s("ann", PASSWORD).delay(),
            lambda: app.send_task("log-in", ("ann", PASSWORD)),
            lambda: asyncio.run(log_in.adelay("ann", PASSWORD)),
        ]

        for call in calls:
            call()

            assert reprs(app) == ("('ann', ***)", "{}")

    def test_shows_nothing_of_the_items_of_a_map(self, app: Celery, log_in: Task[..., Any]) -> None:
        items = [("ann", PASSWORD)]
        calls: list[Callable[[], object]] = [
            lambda: log_in.starmap(items).delay(),
            lambda: log_in.map(items).delay(),
            lambda: log_in.chunks(items, 1)(),
        ]

        for call in calls:
            call()

            assert reprs(app) == ("()", "***")

    def test_carries_the_secret_itself_or_the_task_could_not_run(self, app: Celery, log_in: Task[..., Any]) -> None:
        log_in.delay("ann", PASSWORD)

        assert serve(app) == [Success(f"ann {PASSWORD}")]

    def test_shows_what_the_caller_wants_shown(self, app: Celery, log_in: Task[..., Any]) -> None:
        log_in.apply_async(("ann", PASSWORD), argsrepr="('ann', 'of seven letters')")

        assert reprs(app) == ("('ann', 'of seven letters')", "{}")

    def test_counts_arguments_from_the_one_after_the_task_itself(self, app: Celery) -> None:
        @app.task(name="bound", bind=True)
        def bound(self: Task[..., Any], password: Secret[str], user: str) -> None: ...

        bound.delay(PASSWORD, "ann")

        assert reprs(app) == ("(***, 'ann')", "{}")

    def test_shows_nothing_of_a_model_that_holds_a_secret(self, app: Celery) -> None:
        @app.task(name="model", pydantic=True)
        def model(login: Login, note: str) -> str:
            return login.password.get_secret_value()

        model.delay(Login(user="ann", password=SecretStr(PASSWORD)), "note")
        assert reprs(app) == ("(***, 'note')", "{}")

        model.delay(Login(user="ann", password=SecretStr(PASSWORD)), "note")
        assert serve(app) == [Success(PASSWORD)]

    def test_shows_all_where_there_is_no_secret(self, app: Celery) -> None:
        @app.task(name="add")
        def add(x: int, y: int) -> int:
            return x + y

        add.delay(1, 2)

        assert reprs(app) == ("(1, 2)", "{}")


class TestRetries:
    def test_with_other_arguments_show_asterisks_too(self, app: Celery) -> None:
        @app.task(name="again", bind=True, default_retry_delay=0)
        def again(self: Task[..., Any], password: Secret[str]) -> None:
            raise self.retry(args=("hunter3",))

        again.delay(PASSWORD)
        serve(app)

        assert reprs(app) == ("(***,)", "{}")

    def test_that_are_used_up_say_so_without_the_secret(self, app: Celery) -> None:
        @app.task(name="never", bind=True, max_retries=0)
        def never(self: Task[..., Any], password: Secret[str]) -> None:
            raise self.retry()

        result = never.delay(PASSWORD)
        serve(app)

        with pytest.raises(MaxRetriesExceededError) as error:
            result.get(timeout=5)
        assert PASSWORD not in str(error.value)


def test_a_secret_is_a_plain_value_to_the_function_and_to_pydantic(app: Celery) -> None:
    @app.task(name="both", pydantic=True)
    def both(password: Secret[str], number: Annotated[Secret[int], pydantic.Field(gt=0)]) -> list[Any]:
        return [password, number]

    both.delay(PASSWORD, 5)

    assert serve(app) == [Success([PASSWORD, 5])]


def test_an_argument_that_does_not_fit_is_told_without_its_value(app: Celery, caplog: pytest.LogCaptureFixture) -> None:
    @app.task(name="fit", pydantic=True)
    def fit(number: Secret[int]) -> None: ...

    with caplog.at_level(logging.DEBUG), pytest.raises(ValueError, match="number: Input should be a valid integer") as error:
        fit.apply_async((PASSWORD,))

    assert PASSWORD not in str(error.value) + caplog.text
    assert waiting(app) == []
