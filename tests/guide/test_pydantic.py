"""The section "Argument validation with Pydantic" of Celery's chapter "Tasks", and what goes beyond it.

Each is an example of that section in words and names of our own, and a test of what it does, on every store.
No ``from __future__ import annotations`` here: classes of an example could not be found by their names.
"""

import asyncio
import datetime
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator

from celeriac import Celery, InvalidArguments, InvalidResult, Secret, Task
from guide.conftest import Serve


class Order(BaseModel):
    number: int
    placed: datetime.datetime | None = None


class Receipt(BaseModel):
    text: str


class Card(BaseModel):
    kind: Literal["card"] = "card"
    number: str


class Cash(BaseModel):
    kind: Literal["cash"] = "cash"
    amount: int


@pytest.fixture(params=["solo", "threads", "asyncio"])
def pool(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


NOON = datetime.datetime(2030, 1, 1, 12, tzinfo=datetime.UTC)

# ---- Celery's section ------------------------------------------------------------------------------------------------


def test_a_mapping_arrives_as_a_model_and_a_returned_model_comes_back_as_a_mapping(app: Celery, serve: Serve, pool: str) -> None:
    @app.task(pydantic=True)
    def receipt(order: Order) -> Receipt:
        assert isinstance(order, Order)
        return Receipt(text=f"order {order.number}")

    serve(pool=pool)

    assert receipt.apply_async(({"number": 1},)).get(timeout=5) == {"text": "order 1"}
    assert receipt.delay(Order(number=2)).get(timeout=5) == {"text": "order 2"}


def test_optional_models(app: Celery, serve: Serve) -> None:
    @app.task(pydantic=True)
    def receipt(order: Order | None = None) -> Receipt | None:
        return None if order is None else Receipt(text=str(order.number))

    serve()

    assert receipt.delay().get(timeout=5) is None
    assert receipt.delay(None).get(timeout=5) is None
    assert receipt.delay(Order(number=1)).get(timeout=5) == {"text": "1"}


def test_strict_tasks_convert_nothing(app: Celery, serve: Serve) -> None:
    @app.task(pydantic=True, pydantic_strict=True)
    def number(order: Order) -> int:
        return order.number

    serve()

    with pytest.raises(InvalidArguments, match=r"order\.number: Input should be a valid integer"):
        number.apply_async(({"number": "1"},))
    assert number.delay(Order(number=1, placed=NOON)).get(timeout=5) == 1


def test_validators_are_told_more_by_a_context(app: Celery, serve: Serve) -> None:
    class Limited(BaseModel):
        number: int

        @field_validator("number")
        @classmethod
        def within_the_limit(cls, number: int, info: ValidationInfo) -> int:
            assert info.context is not None
            if number > info.context["limit"]:
                raise ValueError(f"too large for {info.context['celery_task_name']} of {info.context['celery_app'].main}")
            return number

    @app.task(name="limited", pydantic=True, pydantic_context={"limit": 10})
    def limited(order: Limited) -> int:
        return order.number

    serve()

    assert limited.delay(Limited.model_construct(number=10)).get(timeout=5) == 10
    with pytest.raises(InvalidArguments, match="too large for limited of guide"):
        limited.delay(Limited.model_construct(number=11))


def test_how_a_returned_model_is_dumped(app: Celery, serve: Serve) -> None:
    @app.task(pydantic=True, pydantic_dump_kwargs={"exclude_none": True})
    def echo(order: Order) -> Order:
        return order

    serve()

    assert echo.delay(Order(number=1)).get(timeout=5) == {"number": 1}


# ---- beyond it -------------------------------------------------------------------------------------------------------


def test_lists_unions_and_constraints(app: Celery, serve: Serve, pool: str) -> None:
    @app.task(pydantic=True)
    def pay(orders: list[Order], with_: Card | Cash, *, tries: Annotated[int, Field(ge=1)] = 1) -> list[Receipt]:
        return [Receipt(text=f"{order.number} by {type(with_).__name__}") for order in orders] * tries

    serve(pool=pool)

    paid = pay.delay([Order(number=1), Order(number=2)], Cash(amount=5))
    assert paid.get(timeout=5) == [{"text": "1 by Cash"}, {"text": "2 by Cash"}]
    assert paid.get(model=list[Receipt]) == [Receipt(text="1 by Cash"), Receipt(text="2 by Cash")]
    assert paid.get(model=True) == paid.get(model=list[Receipt])
    with pytest.raises(InvalidArguments, match=r"orders\[1\]\.number: Field required; tries: Input should be greater"):
        pay.apply_async(([{"number": 1}, {}], {"kind": "cash", "amount": 1}), {"tries": 0})


def test_a_coroutine(app: Celery, serve: Serve, pool: str) -> None:
    @app.task(pydantic=True, bind=True)
    async def receipt(self: Task[..., Any], order: Order) -> Receipt:
        await asyncio.sleep(0)
        return Receipt(text=f"{order.number} {self.request.retries}")

    serve(pool=pool)

    assert receipt.delay(Order(number=1)).get(timeout=5, model=Receipt) == Receipt(text="1 0")


def test_a_message_of_somebody_who_does_not_know_the_task(app: Celery, serve: Serve, pool: str) -> None:
    @app.task(name="receipt", pydantic=True, shared=False)
    def receipt(order: Order) -> Receipt:
        return Receipt(text=str(order.number))

    serve(pool=pool)
    stranger = Celery("stranger", broker=app.conf.broker_url, backend=app.conf.result_backend, set_as_current=False)

    assert stranger.send_task("receipt", [{"number": "1"}]).get(timeout=5) == {"text": "1"}
    wrong = stranger.send_task("receipt", [{"number": "x"}])
    with pytest.raises(InvalidArguments, match=r"receipt: order\.number: Input should be a valid integer"):
        wrong.get(timeout=5)
    assert wrong.state == "FAILURE"
    assert app.store.dead_letters(limit=10) == []  # it has failed as any task may; its caller knows
    stranger.close()


def test_a_result_that_is_not_what_was_promised(app: Celery, serve: Serve) -> None:
    @app.task(name="wrong", pydantic=True)
    def wrong() -> Receipt:
        return {"txt": 1}  # type: ignore[return-value]

    serve()

    with pytest.raises(InvalidResult, match=r"wrong: result\.text: Field required"):
        wrong.delay().get(timeout=5)


# ---- secrets ---------------------------------------------------------------------------------------------------------


def test_secrets_reach_the_task_and_nobody_else(app: Celery, serve: Serve) -> None:
    app.conf.result_extended = True

    @app.task(name="log-in", pydantic=True, bind=True)
    def log_in(self: Task[..., Any], user: str, password: SecretStr, pin: Secret[int]) -> list[Any]:
        assert self.request.argsrepr == "('ann', ***, ***)"
        return [len(password.get_secret_value()), pin > 0]

    serve()
    result = log_in.delay("ann", SecretStr("hunter2"), 1234)

    assert result.get(timeout=5) == [7, True]
    assert result.args == ["ann", "***", "***"]
