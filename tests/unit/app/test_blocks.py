"""Parts of workflows that are kept: written so that they outlive a wait, read back with what was attached since."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from celeriac import Celery, chain
from celeriac.app.blocks import STATE, find, keep, keep_body
from celeriac.app.flows.frozen import freeze
from celeriac.app.flows.normal import chained
from celeriac.app.flows.stored import Stored, is_kept, members_of
from celeriac.core import codecs
from celeriac.core.errors import DecodeError

JSON = codecs.content_types(["json"])
DAY_S = timedelta(days=1).total_seconds()


def a_long_chain(app: Celery, add: Any, steps: int = 60) -> Stored:
    return freeze(chained([chain(add.s(0, 1), *(add.s(1) for _ in range(steps - 1)))]), app.runtime.new_id)


def test_what_is_short_is_sent_as_it_is(app: Celery, add: Any) -> None:
    frozen = a_long_chain(app, add, 3)

    assert keep(app, frozen) == (frozen, ())


@pytest.mark.parametrize(
    ("expires", "kept_s"),
    [(timedelta(days=1), 30 * DAY_S), (timedelta(days=60), 60 * DAY_S), (None, None)],
)
def test_blocks_are_kept_for_thirty_days_or_as_long_as_results(
    app: Celery, add: Any, expires: timedelta | None, kept_s: float | None
) -> None:
    app.conf.result_expires = expires

    _, blocks = keep(app, a_long_chain(app, add))

    assert blocks != ()
    assert {(block.state, block.ttl_s) for block in blocks} == {(STATE, kept_s)}


def test_the_same_frozen_workflow_is_kept_under_the_same_names(app: Celery, add: Any) -> None:
    frozen = a_long_chain(app, add)

    assert keep(app, frozen) == keep(app, frozen)


def test_a_block_is_found_by_its_reference_and_may_expire_with_results_then(app: Celery, add: Any) -> None:
    thin, blocks = keep(app, a_long_chain(app, add))
    app.store.store_results(blocks)
    reference = members_of(thin)[-1]

    found = find(app.store, reference, accept=JSON, ttl_s=5)

    assert is_kept(reference)
    assert found.content["task"] == "celery.chain"
    assert (found.spent.id, found.spent.ttl_s) == (reference["kwargs"]["key"], 5)


def test_a_block_that_is_gone_and_one_that_may_not_be_read_are_two_errors(app: Celery, add: Any) -> None:
    thin, _ = keep(app, a_long_chain(app, add))
    reference = members_of(thin)[-1]

    with pytest.raises(LookupError, match="is gone"):
        find(app.store, reference, accept=JSON, ttl_s=5)
    with pytest.raises(DecodeError, match="not a reference"):
        find(app.store, {**reference, "kwargs": {}}, accept=JSON, ttl_s=5)


def test_a_body_is_kept_where_its_header_is_wide_and_carried_where_it_is_not(app: Celery, add: Any) -> None:
    body = freeze(add.si("x" * 10_000), app.runtime.new_id)

    carried, nothing = keep_body(app, body, 2)
    kept, [block] = keep_body(app, body, 100)

    assert (carried, nothing) == (body, ())
    assert kept["kwargs"]["key"] == block.id
    assert kept["options"]["task_id"] == body["options"]["task_id"]
