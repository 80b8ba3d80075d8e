"""Pauses and explanations on the command line."""

from __future__ import annotations

from cli.quick import Quick


def test_a_queue_is_paused_listed_and_resumed(quick: Quick) -> None:
    quick.app.send_task("quick.add", (1, 2))

    paused = quick.celeriac("queue", "pause", "celery", "mails")
    listed = quick.celeriac("queue", "list", "--json")
    resumed = quick.celeriac("queue", "resume", "mails", "--json")

    assert paused.out.splitlines() == ["celery paused.", "mails paused."]
    assert listed.json == [
        {"queue": "celery", "waiting": 1, "nodes": 0, "state": "paused"},
        {"queue": "mails", "waiting": 0, "nodes": 0, "state": "paused"},
    ]
    assert resumed.json == {"resumed": {"queues": ["mails"]}}
    assert quick.app.rules.paused_queues == {"celery"}


def test_a_task_type_is_paused_listed_and_resumed(quick: Quick) -> None:
    paused = quick.celeriac("task", "pause", "quick.add")
    listed = quick.celeriac("task", "list", "--json")
    as_text = quick.celeriac("task", "list")
    quick.celeriac("task", "resume", "quick.add")

    assert paused.out == "quick.add paused.\n"
    assert listed.json == [{"task": "quick.add", "put_aside": 0, "state": "paused"}]
    assert as_text.out.splitlines()[1].split() == ["quick.add", "0", "paused"]
    assert quick.app.rules.paused_tasks == frozenset()


def test_who_names_nothing_is_told_so(quick: Quick) -> None:
    for words in (("queue", "pause"), ("task", "resume")):
        assert quick.celeriac(*words).code == 2


def test_status_shows_what_is_paused(quick: Quick) -> None:
    quick.app.store.keep("node-1", name="celery@one", info={}, queues=["celery"])
    quick.app.pause(queues="mails", tasks="quick.add")

    shown = quick.celeriac("status")

    assert shown.out.splitlines()[1:3] == ["queue mails is paused", "task type quick.add is paused"]


def test_an_explanation_is_sentences_or_json(quick: Quick) -> None:
    quick.app.send_task("quick.add", (1, 2), task_id="a")
    quick.app.pause(queues="celery")

    as_text, as_json = quick.celeriac("explain", "a"), quick.celeriac("explain", "a", "--json")

    assert as_text.code == 0
    assert as_text.out.splitlines() == [
        "Task quick.add[a]",
        "  It waits in queue 'celery', no message before it.",
        "  Queue 'celery' is paused: resume it to have it served.",
        "  No node that is alive serves queue 'celery'.",
    ]
    assert [reason["kind"] for reason in as_json.json["reasons"]] == ["waiting", "paused queue", "no node"]
    assert as_json.json["reasons"][0]["ahead"] == 0


def test_of_an_id_that_nobody_knows_the_exit_code_says_so(quick: Quick) -> None:
    ran = quick.celeriac("explain", "nobody")

    assert ran.code == 1
    assert "Nothing is known of it" in ran.out


def test_an_id_that_would_command_the_terminal_does_not(quick: Quick) -> None:
    ran = quick.celeriac("explain", "\x1b[2Jboo")

    assert "\x1b[2J" not in ran.out


def test_queues_to_which_routes_and_tasks_lead_are_looked_into_though_nobody_serves_them(quick: Quick) -> None:
    quick.app.conf.task_routes = {"quick.routed": {"queue": "routed"}, "quick.glob*": "globbed"}
    quick.app.task(name="quick.own", queue="own")(int)
    for n, name in enumerate(("quick.routed", "quick.globs")):
        quick.app.send_task(name, task_id=str(n))
    quick.app.tasks["quick.own"].apply_async(task_id="2")

    explained = [quick.celeriac("explain", id, "--json").json for id in "012"]
    listed = quick.celeriac("queue", "list", "--json").json

    assert [[one["kind"] for one in told["reasons"]] for told in explained] == [["waiting", "no node"]] * 3
    assert {row["queue"]: row["waiting"] for row in listed} == {"celery": 0, "routed": 1, "globbed": 1, "own": 1}
