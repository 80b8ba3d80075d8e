"""Nodes are drawn: one as it would be, or all that are alive."""

from __future__ import annotations

import pytest

from cli.quick import Quick


def keep(quick: Quick, name: str, concurrency: int) -> None:
    quick.app.store.keep(name, name=name, info={"concurrency": concurrency}, queues=[])


def test_the_nodes_that_are_alive_are_drawn_around_their_stores(quick: Quick) -> None:
    keep(quick, "celery@here", 2)
    keep(quick, "celery@there", 5)

    drawn = quick.celeriac("graph", "workers").out

    assert drawn.startswith("digraph workers {")
    assert ('[label="celery@here"]' in drawn, '[label="celery@there"]' in drawn) == (True, True)
    assert ("node0 -> broker" in drawn, "node0 -> backend" in drawn) == (True, True)
    assert (drawn.count("-> node0 [arrowhead=none]"), drawn.count("-> node1 [arrowhead=none]")) == (2, 3)
    assert '"2 more"' in drawn


def test_others_can_be_drawn_instead(quick: Quick) -> None:
    words = ("nodes:a,b,c,d,e", "threads:1,2", "wmax:2", "tmax:0", "generic", "enumerate", "broker:amqp://me:secret@there//")

    drawn = quick.celeriac("graph", "workers", *words).out

    assert ('"Broker (amqp://)"' in drawn, "secret" in drawn) == (True, False)
    assert ('"Worker 2"' in drawn, '"Worker 3"' in drawn, '"3 more"' in drawn) == (True, False, True)
    assert drawn.count("-> node1 [arrowhead=none]") == 2


@pytest.mark.parametrize("word", ["nonsense", "wmax:many", "threads:1,x", "generic:yes", "broker:"])
def test_a_word_that_means_nothing_is_told(quick: Quick, word: str) -> None:
    ran = quick.celeriac("graph", "workers", word)

    assert (ran.code, len(ran.err.splitlines())) == (2, 1)
    assert repr(word) in ran.err


def test_a_node_is_drawn_as_it_would_be_started(quick: Quick) -> None:
    quick.app.conf.update(worker_concurrency=3, task_queues=["fast", "slow"], task_default_queue="fast")

    whole, processes, served = (quick.celeriac("graph", "bootsteps", *what).out for what in ((), ("worker",), ("consumer",)))

    assert (whole.count("-> template"), whole.count("-> queue0"), whole.count("-> results")) == (4, 3, 3)
    assert ("supervisor of celery@" in processes, "queue0" in processes) == (True, False)
    assert ("supervisor" in served, '"fast"' in served, '"slow"' in served) == (False, True, True)


def test_boot_steps_of_the_app_are_drawn_as_what_they_are(quick: Quick) -> None:
    class Announce: ...

    quick.app.steps["worker"].add(Announce)

    drawn = quick.celeriac("graph", "bootsteps").out

    assert '"Announce: not run"' in drawn
