"""What must type-check, by mypy and by pyright: run by tests/typing/test_typing.py."""

from collections.abc import Callable
from typing import Annotated, Any, assert_type

from celeriac import AsyncResult, Celery, GroupResult, Secret, Signature, StampingVisitor, Task, chain, chord, group, shared_task

app = Celery("typed")


@app.task
def add(x: int, y: int = 0) -> int:
    return x + y


@app.task()
def negate(x: int) -> int:
    return -x


@app.task(name="named", acks_late=True)
def named(x: str) -> list[str]:
    return [x]


@app.task(bind=True, max_retries=3, autoretry_for=(OSError,))
def bound(self: Task[..., Any], x: int) -> str:
    if self.request.retries:
        raise self.retry(countdown=1)
    return f"{self.name} {x}"


@app.task(bind=True)
def loosely_bound(self, x: int) -> str:  # type: ignore[no-untyped-def]
    return f"{self.name} {x}"


@app.task
async def fetch(url: str) -> bytes:
    return url.encode()


@app.task(bind=True)
async def fetch_bound(self: Task[..., Any], url: str, *, tries: int = 1) -> bytes:
    return url.encode() * tries


@app.task
def nothing() -> None: ...


@app.task
def many(*numbers: int, **words: str) -> dict[str, int]:
    return {}


@shared_task
def shared(x: int) -> float:
    return x / 2


@shared_task(bind=True, ignore_result=True)
def shared_bound(self: Task[..., Any], x: int) -> float:
    return x / 2


@app.task
def log_in(user: str, password: Secret[str], pin: Annotated[Secret[int], "four digits"] = 0) -> bool:
    return bool(password and pin)


class Order:
    """Stands for a pydantic model: nothing here needs pydantic."""

    id: int = 0


class Receipt:
    total: float = 0


@app.task(pydantic=True)
def pay(order: Order) -> Receipt:
    return Receipt()


@app.task(bind=True, pydantic=True, pydantic_strict=True)
def pay_bound(self: Task[..., Any], order: Order) -> Receipt:
    return Receipt()


class Multiply(Task[[int, int], int]):
    name = "multiply"
    max_retries = 1

    def run(self, x: int, y: int) -> int:
        return x * y

    def on_failure(self, exc: BaseException, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        print(task_id)


multiply = app.register_task(Multiply())
multiply_too = app.register_task(Multiply)


class Base(Task[..., Any]):
    @property
    def db(self) -> str:
        return "db"


@app.task(base=Base, bind=True)
def with_base(self: Base, x: int) -> str:
    return self.db * x


# Calls
assert_type(add.delay(1, 2), AsyncResult[int])
assert_type(add.delay(1, y=2).get(timeout=1), int)
assert_type(add.apply_async((1, 2), countdown=3).get(), int)
assert_type(add.apply_async(args=[1], kwargs={"y": 2}, queue="q", priority=3, link=negate.s()), AsyncResult[int])
assert_type(add.apply((1, 2)).get(), int)
assert_type(add(1), int)
assert_type(negate(1), int)
assert_type(named.delay("a").get(), list[str])
assert_type(bound.delay(1).get(), str)
assert_type(bound(1), str)
assert_type(loosely_bound.delay(1).get(), str)
assert_type(nothing.delay().get(), None)
assert_type(many.delay(1, 2, a="b").get(), dict[str, int])
assert_type(log_in.delay("ann", "pw", 1234).get(), bool)
assert_type(with_base.delay(2).get(), str)
assert_type(app.send_task("anything", (1,), {"a": 1}), AsyncResult[Any])

# Coroutines: the result is theirs
assert_type(fetch.delay("u").get(), bytes)
assert_type(fetch.apply_async(("u",)).get(), bytes)
assert_type(fetch_bound.delay("u", tries=2).get(), bytes)

# Shared tasks
assert_type(shared.delay(1).get(), float)
assert_type(shared_bound.delay(1).get(), float)

# Class-based tasks
assert_type(multiply, Multiply)
assert_type(multiply.delay(2, 3).get(), int)
assert_type(multiply_too.delay(2, 3).get(), int)
assert_type(multiply(2, 3), int)


class Monitored(StampingVisitor):
    """Stamps, as users write them."""

    def on_signature(self, sig: Signature[Any], **headers: Any) -> dict[str, Any]:
        return {"monitoring_id": sig.task}


# Signatures and groups
assert_type(add.s(1), Signature[int])
assert_type(add.si(1, 2), Signature[int])
assert_type(add.signature((1,), countdown=3), Signature[int])
assert_type(add.s(1).set(queue="q"), Signature[int])
assert_type(add.s(1).delay(2).get(), int)
assert_type(add.s(1).apply_async((2,), countdown=1), AsyncResult[int])
assert_type(fetch.s("u"), Signature[bytes])
assert_type(group(add.s(i) for i in range(3)).apply_async(), GroupResult[int])
assert_type(group([add.s(1), add.s(2)]).apply_async().get(), list[int])
assert_type(group(add.s(1), add.s(2)).delay().get(timeout=1), list[int])
assert_type(add.s(1).stamp(customer="c-7"), Signature[int])
assert_type(add.s(1).clone((2,), priority=3), Signature[int])
assert_type(add.s(1).on_error(add.s(2)), Signature[int])
assert_type(group([add.s(1)]).stamp(Monitored(), append_stamps=True), group[int])
assert_type(group([add.s(1)]).freeze(), GroupResult[int])
assert_type(group([add.s(1)]).clone(), group[int])
steps = chain(add.s(1), add.s(2))
steps.stamp(Monitored()).apply_async((1,), countdown=1).get(timeout=1)
header = chord([add.s(1), add.s(2)])
assert_type(header.stamp(visitor=Monitored()).clone((1,), countdown=1).tasks, list[Signature[Any]])
header.apply_async((), {"body": add.s()}, task_id="id", countdown=1)
header.link_error(add.s())
(add.s(1) | add.s(2)).freeze().get(timeout=1)
assert_type(add.AsyncResult("id"), AsyncResult[int])
assert_type(add.AsyncResult("id").get(), int)

# Results: of a task with pydantic=True a caller gets plain data, of which no type is known, or asks for a model
assert_type(pay.delay(Order()), AsyncResult[Any])
assert_type(pay.delay(Order()).get(), Any)
assert_type(pay.delay(Order()).get(model=Receipt), Receipt)
assert_type(pay.delay(Order()).get(timeout=1, propagate=True, model=Receipt).total, float)
assert_type(pay_bound.delay(Order()).get(model=Receipt), Receipt)
assert_type(add.delay(1).get(model=True), int)
assert_type(add.delay(1).get(model=float), float)
assert_type(add.delay(1).get(model=list[int]), list[int])


async def program() -> None:
    assert_type(await add.adelay(1), AsyncResult[int])
    assert_type(await add.aapply_async((1,), countdown=1), AsyncResult[int])
    assert_type(await (await add.adelay(1)), int)
    assert_type(await (await fetch.adelay("u")).aget(), bytes)
    assert_type(await (await pay.adelay(Order())).aget(timeout=1, model=Receipt), Receipt)
    assert_type(await add.s(1).adelay(2), AsyncResult[int])


def callback(task_id: str, value: int) -> None: ...


add.delay(1).get(callback=callback)


def takes_any_task(task: Task[..., Any], also: Callable[[int], int]) -> None: ...


takes_any_task(add, negate)
takes_any_task(multiply, negate.run)
