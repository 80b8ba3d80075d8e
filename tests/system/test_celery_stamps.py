"""Stamps and frozen workflows between celeriac and a real Celery, in both directions."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from celeriac import Signature, StampingVisitor, chord, group
from system.fleet import Fleet, Node
from system.redis_server import RedisServer
from system.test_celery_interop import CELERY_PYTHON, celery_says, celery_worker  # noqa: F401 - a fixture

JOBS = """
    import os

    from celery import Celery

    app = Celery("jobs", broker=os.environ["JOBS_STORE"], backend=os.environ["JOBS_STORE"])
    app.conf.broker_connection_retry_on_startup = True
    app.conf.worker_hijack_root_logger = False
    app.conf.result_extended = True


    @app.task(name="jobs.stamps", bind=True)
    def stamps(self, *args):
        before = args[0] if args else []
        return [*before, [sorted(self.request.stamped_headers or []), self.request.stamps]]


    @app.task(name="jobs.again", bind=True)
    def again(self):
        if not self.request.retries:
            raise self.retry(countdown=0)
        return [[sorted(self.request.stamped_headers or []), self.request.stamps]]
"""

pytestmark = [
    pytest.mark.skipif(not CELERY_PYTHON, reason="CELERIAC_TEST_CELERY_PYTHON names no interpreter that has Celery"),
    pytest.mark.timeout(120),
]


@pytest.fixture
def shared(fleets: Callable[..., Fleet], redis_server: RedisServer) -> Fleet:
    """Give a fleet on Redis, with Celery's program beside it."""
    fleet = fleets(redis_server.url, lease_s=30.0)
    (fleet.folder / "celery_jobs.py").write_text(textwrap.dedent(JOBS))
    return fleet


STAMPED = [["customer", "task"], {"customer": "c-7", "task": "jobs.stamps"}]
LINKED = [["customer", "linked", "task"], {"customer": "c-7", "linked": True, "task": "jobs.stamps"}]


def test_our_worker_sees_what_celerys_client_stamped(shared: Fleet) -> None:
    shared.start("-c", "2")

    told = celery_says(
        shared,
        """
        from celery import chord, group, signature
        from celery.canvas import StampingVisitor

        class Named(StampingVisitor):
            def on_signature(self, sig, **headers):
                return {"task": sig.task}

            def on_callback(self, callback, **headers):
                return {"linked": True}

        show, seen = stamps.si, stamps.s
        linked = show()
        back = show()
        called_back = back.freeze()
        linked.link(back)
        workflows = [linked, show() | seen(), group([show(), show()]), chord([show(), show() | show()], seen() | seen())]
        for workflow in workflows:
            workflow.stamp(Named(), customer="c-7")
        sent = [workflow.apply_async() for workflow in workflows]
        retried = again.s()
        retried.stamp(customer="c-7")
        answer = [one.get(timeout=20) for one in [*sent, retried.delay(), called_back]]
        """,
    )

    call, chain, members, body, retried, called_back = told
    assert call == [STAMPED]
    assert chain == [STAMPED, STAMPED]
    assert members == [[STAMPED], [STAMPED]]
    assert body == [[STAMPED], [STAMPED], STAMPED, STAMPED]
    assert retried == [[["customer"], {"customer": "c-7"}]]
    assert called_back == [LINKED]


class Named(StampingVisitor):
    """Stamps each call with the name of its task."""

    def on_signature(self, sig: Any, **headers: Any) -> dict[str, Any]:
        return {"task": sig.task}

    def on_callback(self, callback: Any, **header: Any) -> dict[str, Any]:
        return {"linked": True}


def test_celerys_worker_sees_what_we_stamped(shared: Fleet, celery_worker: Node) -> None:  # noqa: F811
    def show() -> Any:
        return shared.client.signature("jobs.stamps", immutable=True)

    seen = shared.client.signature("jobs.stamps")
    linked, back = show(), show()
    called_back = back.freeze()
    linked.link(back)
    workflows: list[Any] = [
        linked,
        show() | seen,
        group([show(), show()]),
        chord([show(), show() | show()], seen.clone() | seen.clone()),
    ]

    sent = [workflow.stamp(Named(), customer="c-7").apply_async() for workflow in workflows]
    retried = shared.client.signature("jobs.again").stamp(customer="c-7").delay()

    call, chain, members, body = [one.get(timeout=20) for one in sent]
    assert call == [STAMPED]
    assert chain == [STAMPED, STAMPED]
    assert members == [[STAMPED], [STAMPED]]
    assert body == [[STAMPED], [STAMPED], STAMPED, STAMPED]
    assert retried.get(timeout=20) == [[["customer"], {"customer": "c-7"}]]
    assert called_back.get(timeout=20) == [LINKED]
    meta = shared.client.backend.get_task_meta(retried.id)
    assert (meta["stamped_headers"], meta["customer"]) == (["customer"], "c-7")


def test_a_workflow_that_celery_froze_and_stored_is_sent_by_us_under_its_ids(shared: Fleet, celery_worker: Node) -> None:  # noqa: F811
    stored, result = celery_says(
        shared,
        """
        from celery import chord, group
        whole = stamps.si() | group([stamps.si(), stamps.si()]) | stamps.s()
        result = whole.freeze()
        answer = [whole, result.as_tuple()]
        """,
    )

    sent = Signature.from_dict(stored, shared.client).apply_async()

    assert json.loads(json.dumps(sent.as_tuple())) == result
    assert len(sent.get(timeout=20)) == 3
    assert [len(one) for one in sent.parent.get(timeout=20)] == [1, 1]


def test_a_workflow_that_we_froze_and_stored_is_sent_by_celery_under_its_ids(shared: Fleet) -> None:
    shared.start("-c", "2")
    show = shared.client.signature("jobs.stamps", immutable=True)
    whole: Any = show.clone() | group([show.clone(), show.clone()]) | shared.client.signature("jobs.stamps")
    frozen = whole.freeze()

    told = celery_says(
        shared,
        f"""
        from celery import signature
        sent = signature(json.loads({json.dumps(whole)!r}), app=app).apply_async()
        answer = [sent.id, len(sent.get(timeout=20))]
        """,
    )

    assert told == [frozen.id, 3]
    assert [len(one) for one in frozen.parent.get(timeout=20)] == [1, 1]


def test_a_chord_in_a_chain_in_a_header_of_ours_is_carried_out_by_celerys_worker(
    shared: Fleet,
    celery_worker: Node,  # noqa: F811
) -> None:
    def show() -> Any:
        return shared.client.signature("jobs.stamps", immutable=True)

    def seen() -> Any:
        return shared.client.signature("jobs.stamps")

    inner: Any = show() | group([show(), show()]) | seen()
    whole: Any = chord([inner, show()], seen())
    frozen: Any = whole.clone()
    frozen.freeze()

    assert [len(each.get(timeout=20)) for each in (whole.apply_async(), frozen.apply_async())] == [3, 3]
