"""What notices travel by bears kombu's names, with its options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from celeriac.drivers.redis.channels import channels_from


def test_without_options_the_names_are_kombus() -> None:
    names = channels_from({}, 3)

    assert names.channel("celery.pidbox", "") == "/3.celery.pidbox"
    assert names.channel("celeryev", "task.received") == "/3.celeryev/task.received"
    assert names.bindings("reply.celery.pidbox") == "_kombu.binding.reply.celery.pidbox"
    assert names.binding("reply.celery.pidbox", "oid") == "oid\x06\x16\x06\x16oid.reply.celery.pidbox"


@pytest.mark.parametrize(
    ("options", "channel"),
    [
        ({"fanout_prefix": False}, "ev/a.b"),
        ({"fanout_prefix": "our-{db}-"}, "our-3-ev/a.b"),
        ({"fanout_patterns": False}, "/3.ev"),
        ({"global_keyprefix": "p:"}, "p:/3.ev/a.b"),
    ],
)
def test_options_change_the_channel_as_they_do_in_kombu(options: dict[str, Any], channel: str) -> None:
    assert channels_from(options, 3).channel("ev", "a.b") == channel


@pytest.mark.parametrize(
    ("patterns", "globs"),
    [
        (["#"], ["/3.ev", "/3.ev/*"]),
        (["worker.#"], ["/3.ev/worker*"]),
        (["task.failed", "task.*"], ["/3.ev/task*"]),
        (["*.online"], ["/3.ev/*"]),
        (["a?b"], [r"/3.ev/a\?b"]),
        ([""], ["/3.ev"]),
    ],
)
def test_subscriptions_hear_all_that_may_fit_and_nothing_twice(patterns: Sequence[str], globs: Sequence[str]) -> None:
    assert channels_from({}, 3).globs("ev", patterns) == globs
