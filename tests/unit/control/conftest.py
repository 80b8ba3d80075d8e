from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from typing import Any

import pytest

from celeriac import Celery
from celeriac.control.answering import Answering
from celeriac.control.commands import Command, Exchanges

_numbers = count()
NodeMaker = Callable[..., Answering]


@pytest.fixture
def app() -> Celery:
    return Celery("asked", broker=f"memory://asked-{next(_numbers)}", set_as_current=False)


@pytest.fixture
def node(app: Celery) -> Iterator[NodeMaker]:
    """Return what makes somebody who answers to a name with what ``carry_out`` returns."""
    with ExitStack() as ends:

        def made(name: str, carry_out: Callable[[Command], Any], *, exchange: str = "celery") -> Answering:
            answering = Answering(
                app.store.broadcast,
                Exchanges(exchange),
                name=name,
                carry_out=carry_out,
                clock=app.clock,
                runtime=app.runtime,
                serializer="json",
                accept=app.accept_content,
                answers_live_s=10.0,
            )
            answering.open()
            ends.callback(answering.close)
            return answering

        yield made
