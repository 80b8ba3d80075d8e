"""Tasks declared with pydantic=True, from ``delay`` to ``get``.

No ``from __future__ import annotations`` here: classes of a test could not be found by their names.
"""

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, ValidationInfo, field_validator

from celeriac import Celery, Task, group, shared_task
from celeriac.core.errors import ImproperlyConfigured, InvalidArguments, InvalidResult
from celeriac.core.outcome import Failure, Success
from unit.app.serving import serve, waiting


class Item(BaseModel):
    name: str
    price: Decimal


class Order(BaseModel):
    id: int
    items: list[Item] = []


class Receipt(BaseModel):
    order: int
    total: Decimal


def total(order: Order) -> Receipt:
    return Receipt(order=order.id, total=sum((item.price for item in order.items), Decimal(0)))


ORDER = Order(id=7, items=[Item(name="tea", price=Decimal("2.50")), Item(name="cake", price=Decimal("4.00"))])
PAID = {"order": 7, "total": "6.50"}


@pytest.fixture
def pay(app: Celery) -> Task[..., Any]:
    return app.task(name="pay", pydantic=True, shared=False)(total)


def body_of(app: Celery) -> Any:
    [message] = waiting(app)
    return message


class TestTheCall:
    @pytest.mark.parametrize(
        "call",
        [
            lambda pay: pay.delay(ORDER),
            lambda pay: pay.delay(order=ORDER),
            lambda pay: pay.apply_async((ORDER,), countdown=0),
            lambda pay: pay.s(ORDER).delay(),
            lambda pay: pay.s().delay(ORDER),
            lambda pay: pay.signature((ORDER,)).delay(),
            lambda pay: pay.app.send_task("pay", (ORDER,)),
            lambda pay: asyncio.run(pay.adelay(ORDER)),
            lambda pay: group(pay.s(ORDER)).apply_async()[0],
        ],
    )
    def test_a_model_travels_as_plain_data_however_the_task_is_called(
        self, app: Celery, pay: Task[..., Any], call: Callable[[Any], Any]
    ) -> None:
        result = call(pay)
        outcomes = serve(app)

        assert outcomes == [Success(PAID)]
        assert result.get(timeout=5) == PAID

    def test_a_mapping_travels_as_it_is(self, app: Celery, pay: Task[..., Any]) -> None:
        pay.delay({"id": "7", "unknown": 1})

        [message] = waiting(app)

        assert json.loads(json.dumps(message.args)) == [{"id": "7", "unknown": 1}]

    @pytest.mark.parametrize(
        "call",
        [
            lambda pay: pay.delay({"id": 1, "items": [{"name": "tea"}]}),
            lambda pay: pay.apply_async(kwargs={"order": {"id": 1, "items": [{"name": "tea"}]}}),
            lambda pay: pay.s({"id": 1, "items": [{"name": "tea"}]}).delay(),
            lambda pay: pay.app.send_task("pay", ({"id": 1, "items": [{"name": "tea"}]},)),
            lambda pay: group([pay.s(ORDER), pay.s({"id": 1, "items": [{"name": "tea"}]})]).apply_async(),
        ],
    )
    def test_a_wrong_argument_fails_where_it_is_given_and_nothing_is_sent(
        self, app: Celery, pay: Task[..., Any], call: Callable[[Any], Any]
    ) -> None:
        with pytest.raises(InvalidArguments, match=r"^pay: order\.items\[0\]\.price: Field required$"):
            call(pay)

        assert waiting(app) == []

    def test_with_typing_off_the_worker_says_it(self, app: Celery) -> None:
        pay: Task[..., Any] = app.task(name="pay", pydantic=True, typing=False)(total)

        pay.delay({"id": "x"})
        [outcome] = serve(app)

        assert isinstance(outcome, Failure)
        assert isinstance(outcome.exception, InvalidArguments)

    def test_a_signature_is_not_checked_before_it_is_complete(self, app: Celery, pay: Task[..., Any]) -> None:
        signature = pay.s()

        assert signature.args == ()

    def test_models_in_the_items_of_a_map_travel_as_plain_data(self, app: Celery, pay: Task[..., Any]) -> None:
        result = pay.starmap([(ORDER,), (Order(id=8),)]).delay()

        serve(app)

        assert result.get(timeout=5) == [PAID, {"order": 8, "total": "0"}]

    def test_models_in_a_callback_travel_as_plain_data_too(self, app: Celery, pay: Task[..., Any]) -> None:
        @app.task(name="first")
        def first() -> int:
            return 1

        first.apply_async(link=pay.si(ORDER))

        [message] = waiting(app)
        assert message.callbacks is not None
        assert message.callbacks[0]["args"][0]["items"][0] == {"name": "tea", "price": "2.50"}


class TestTheRun:
    def test_the_function_receives_models(self, app: Celery) -> None:
        seen: list[Any] = []

        @app.task(name="look", pydantic=True, bind=True)
        def look(self: Task[..., Any], order: Order, *others: Order, note: str = "none") -> None:
            seen.append((self.name, order, others, note))

        look.delay(ORDER, Order(id=8))
        serve(app)

        assert seen == [("look", ORDER, (Order(id=8),), "none")]

    def test_a_message_from_elsewhere_with_a_wrong_argument_ends_as_failure_with_the_path(
        self, app: Celery, pay: Task[..., Any]
    ) -> None:
        stranger = Celery("stranger", broker=app.conf.broker_url, backend=app.conf.result_backend, set_as_current=False)

        result = stranger.send_task("pay", ({"id": "x"},))
        [outcome] = serve(app)

        assert isinstance(outcome, Failure)
        assert not outcome.uncallable
        with pytest.raises(InvalidArguments, match=r"^pay: order\.id: Input should be a valid integer"):
            result.get(timeout=5)

    def test_arguments_that_do_not_bind_are_wrong_arguments_as_for_any_task(self, app: Celery, pay: Task[..., Any]) -> None:
        stranger = Celery("stranger", broker=app.conf.broker_url, backend=app.conf.result_backend, set_as_current=False)

        stranger.send_task("pay", (1, 2, 3))
        [outcome] = serve(app)

        assert isinstance(outcome, Failure)
        assert outcome.uncallable

    def test_an_async_function_is_served_alike(self, app: Celery) -> None:
        @app.task(name="apay", pydantic=True)
        async def pay(order: Order) -> Receipt:
            await asyncio.sleep(0)
            return total(order)

        result = pay.delay(ORDER)

        assert serve(app) == [Success(PAID)]
        assert result.get(timeout=5) == PAID
        assert asyncio.run(pay(ORDER)) == PAID

    def test_a_class_based_task_is_served_alike(self, app: Celery) -> None:
        class Pay(Task[[Order], Any]):
            name = "pay"
            pydantic = True

            def run(self, order: Order) -> Receipt:
                return total(order)

        result = app.register_task(Pay()).delay(ORDER)

        assert serve(app) == [Success(PAID)]
        assert result.get(timeout=5, model=True) == Receipt(order=7, total=Decimal("6.50"))

    def test_a_shared_task_is_served_alike(self, app: Celery) -> None:
        @shared_task(name="shared-pay", pydantic=True)
        def pay(order: Order) -> Receipt:
            return total(order)

        result = app.tasks["shared-pay"].delay(ORDER)

        assert serve(app) == [Success(PAID)]
        assert result.get(timeout=5) == PAID

    def test_a_retry_carries_models_as_plain_data(self, app: Celery) -> None:
        seen: list[Order] = []

        @app.task(name="again", pydantic=True, bind=True, default_retry_delay=0)
        def again(self: Task[..., Any], order: Order) -> int:
            seen.append(order)
            if not self.request.retries:
                raise self.retry(args=(Order(id=order.id + 1),))
            return order.id

        result = again.delay(ORDER)
        serve(app)
        serve(app)

        assert [order.id for order in seen] == [7, 8]
        assert result.get(timeout=5) == 8

    def test_a_result_that_the_annotation_does_not_allow_is_a_failure_with_its_path(self, app: Celery) -> None:
        @app.task(name="wrong", pydantic=True)
        def wrong() -> Receipt:
            return {"order": 1}  # type: ignore[return-value]

        result = wrong.delay()
        serve(app)

        with pytest.raises(InvalidResult, match=r"^wrong: result\.total: Field required$"):
            result.get(timeout=5)

    def test_validators_are_told_the_app_and_the_task(self, app: Celery) -> None:
        seen: list[Any] = []

        class Watched(BaseModel):
            id: int

            @field_validator("id")
            @classmethod
            def look(cls, id: int, info: ValidationInfo) -> int:
                seen.append(info.context)
                return id

        @app.task(name="watch", pydantic=True, pydantic_context={"limit": 3})
        def watch(value: Watched) -> None: ...

        watch({"id": 1})  # type: ignore[arg-type]

        assert seen == [{"limit": 3, "celery_app": app, "celery_task_name": "watch"}]

    def test_strictness_and_the_form_of_the_dump_are_options_of_the_task(self, app: Celery) -> None:
        @app.task(name="strict", pydantic=True, pydantic_strict=True, pydantic_dump_kwargs={"include": {"id"}})
        def strict(order: Order) -> Order:
            return order

        with pytest.raises(InvalidArguments):
            strict.apply_async(({"id": "7"},))
        result = strict.delay(ORDER)
        serve(app)

        assert result.get(timeout=5) == {"id": 7}


class TestHereAndNow:
    def test_called_as_a_function_the_task_does_what_a_worker_does(self, pay: Task[..., Any]) -> None:
        assert pay(ORDER) == PAID
        assert pay({"id": 7}) == {"order": 7, "total": "0"}
        with pytest.raises(InvalidArguments):
            pay({"id": "x"})

    def test_the_function_itself_is_still_there(self, pay: Task[..., Any]) -> None:
        assert pay.run(ORDER) == Receipt(order=7, total=Decimal("6.50"))

    def test_apply_and_eager_calls_are_served_alike(self, app: Celery, pay: Task[..., Any]) -> None:
        assert pay.apply((ORDER,)).get() == PAID
        assert pay.apply((ORDER,)).get(model=True) == Receipt(order=7, total=Decimal("6.50"))

        wrong = pay.apply(({"id": "x"},))
        assert wrong.failed()
        assert isinstance(wrong.result, InvalidArguments)

        app.conf.task_always_eager = True

        assert pay.delay(ORDER).get() == PAID
        with pytest.raises(InvalidArguments):
            pay.delay({"id": "x"})


class TestReadingResultsAsModels:
    def test_by_the_annotation_of_the_task_or_by_any_type(self, app: Celery, pay: Task[..., Any]) -> None:
        result = pay.delay(ORDER)
        serve(app)
        receipt = Receipt(order=7, total=Decimal("6.50"))

        assert result.get(timeout=5, model=True) == receipt
        assert result.get(timeout=5, model=Receipt) == receipt
        assert result.get(timeout=5, model=Receipt | None) == receipt
        assert asyncio.run(result.aget(timeout=5, model=True)) == receipt
        assert pay.AsyncResult(result.id).get(timeout=5, model=True) == receipt

    def test_of_a_task_without_pydantic_too(self, app: Celery) -> None:
        @app.task(name="pairs")
        def pairs() -> list[tuple[int, str]]:
            return [(1, "a")]

        result = pairs.delay()
        serve(app)

        assert result.result == [[1, "a"]]
        assert result.get(timeout=5, model=True) == [(1, "a")]

    def test_a_value_that_is_something_else_is_told_with_its_path(self, app: Celery, pay: Task[..., Any]) -> None:
        result = pay.delay(ORDER)
        serve(app)

        with pytest.raises(InvalidResult, match=r"^result\.id: Field required$"):
            result.get(timeout=5, model=Order)

    def test_an_exception_is_no_model(self, app: Celery) -> None:
        @app.task(name="fails")
        def fails() -> Receipt:
            raise KeyError("no")

        result = fails.delay()
        serve(app)

        assert isinstance(result.get(timeout=5, propagate=False, model=True), KeyError)

    def test_without_the_task_the_type_must_be_named(self, app: Celery, pay: Task[..., Any]) -> None:
        id = pay.delay(ORDER).id
        serve(app)

        with pytest.raises(TypeError, match=r"name the type: get\(model=Order\)"):
            app.AsyncResult(id).get(timeout=5, model=True)

    def test_of_a_task_without_an_annotation_the_type_must_be_named(self, app: Celery) -> None:
        @app.task(name="silent")
        def silent():  # type: ignore[no-untyped-def]
            return 1

        result = silent.delay()
        serve(app)

        with pytest.raises(TypeError, match="it has no annotation"):
            result.get(timeout=5, model=True)


def test_an_annotation_that_cannot_be_read_is_told_at_the_call(app: Celery) -> None:
    @app.task(name="blind", pydantic=True)
    def blind(value: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(ImproperlyConfigured, match="annotation Nowhere of parameter value"):
        blind.delay(1)
