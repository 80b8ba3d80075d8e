"""What must type-check: run by tests/typing/test_typing.py."""

from typing import Any, assert_type

from celeriac import AsyncResult, Celery, GroupResult, Signature, Task, group, shared_task

app = Celery("typed")


@app.task
def add(x: int, y: int = 0) -> int:
    return x + y


@app.task(name="named", acks_late=True)
def named(x: str) -> list[str]:
    return [x]


@app.task(bind=True, max_retries=3, autoretry_for=(OSError,))
def bound(self: Task[..., Any], x: int) -> str:
    if self.request.retries:
        raise self.retry(countdown=1)
    return f"{self.name} {x}"


@app.task
async def fetch(url: str) -> bytes:
    return url.encode()


@shared_task
def shared(x: int) -> float:
    return x / 2


assert_type(add.delay(1, 2), AsyncResult[int])
assert_type(add.delay(1, y=2).get(timeout=1), int)
assert_type(add.apply_async((1, 2), countdown=3).get(), int)
assert_type(add(1), int)
assert_type(named.delay("a").get(), list[str])
assert_type(bound.delay(1).get(), str)
assert_type(fetch.delay("u").get(), bytes)
assert_type(shared.delay(1).get(), float)
assert_type(add.s(1), Signature[int])
assert_type(add.s(1).delay(2).get(), int)
assert_type(group(add.s(i) for i in range(3)).apply_async(), GroupResult[int])
assert_type(group([add.s(1), add.s(2)]).apply_async().get(), list[int])


async def program() -> None:
    assert_type(await add.adelay(1), AsyncResult[int])
    assert_type(await (await add.adelay(1)), int)
    assert_type(await (await fetch.adelay("u")).aget(), bytes)


def callback(task_id: str, value: int) -> None: ...


add.delay(1).get(callback=callback)
