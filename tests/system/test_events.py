"""Events of real nodes, heard by a monitor; the screens in a real terminal."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pexpect
import pytest

from system.fleet import Fleet
from system.monitor import Monitor
from system.patience import eventually
from system.processes import send
from system.redis_server import RedisServer


@pytest.fixture
def monitor(fleet: Fleet) -> Iterator[Monitor]:
    fleet.client.conf.task_send_sent_event = True
    with Monitor(fleet.client) as monitor:
        yield monitor


def test_a_monitor_hears_of_nodes_and_of_everything_that_happens_to_tasks(fleet: Fleet, monitor: Monitor) -> None:
    node = fleet.start("-c", "2", "-E", "--heartbeat-interval", "0.2")
    name = f"{node.name}@here"

    good, bad, again = fleet.send("add", 2, 3), fleet.send("fail", "no"), fleet.send("flaky", 1)
    poisoned, late = fleet.send("poison", "p"), fleet.send("over_the_hard_limit", "late")
    expired = fleet.client.send_task("jobs.add", (1, 1), expires=0.001, countdown=0.3)

    assert monitor.wait_for("worker-online")["hostname"] == name
    assert monitor.wait_for("task-succeeded", uuid=good.id)["result"] == "5"
    whole = ["task-sent", "task-received", "task-started", "task-succeeded"]
    eventually(lambda: monitor.of(good.id) == whole, what="the whole life of a task, in its order")
    failed = monitor.wait_for("task-failed", uuid=bad.id)
    assert (failed["exception"], "Traceback" in failed["traceback"]) == ("ValueError('no')", True)
    assert monitor.wait_for("task-succeeded", uuid=again.id)["result"] == "1"
    assert "WorkerLostError" in monitor.wait_for("task-failed", uuid=poisoned.id)["exception"]
    assert "TimeLimitExceeded" in monitor.wait_for("task-failed", uuid=late.id)["exception"]
    assert monitor.wait_for("task-revoked", uuid=expired.id)["expired"] is True
    eventually(lambda: monitor.state.workers[name].processed, what="a heartbeat that counts what has ended")
    assert [worker.hostname for worker in monitor.state.alive_workers()] == [name]
    assert monitor.state.tasks[good.id].state == "SUCCESS"

    node.stop()
    monitor.wait_for("worker-offline", hostname=name)
    assert list(monitor.state.workers) == []


def test_a_node_that_was_not_asked_for_events_of_tasks_tells_of_itself_alone_until_it_is(fleet: Fleet, monitor: Monitor) -> None:
    node = fleet.start("-c", "1")
    silent = fleet.send("add", 1, 1)
    assert silent.get(timeout=15) == 2
    monitor.wait_for("worker-heartbeat", hostname=f"{node.name}@here")

    answers = fleet.client.control.enable_events(reply=True, timeout=5, limit=1)
    told = fleet.send("add", 1, 2)

    assert answers == [{f"{node.name}@here": {"ok": "task events enabled"}}]
    monitor.wait_for("task-succeeded", uuid=told.id)
    assert monitor.of(silent.id) == ["task-sent"]


def test_nodes_notice_which_others_come_and_go(local_fleet: Fleet) -> None:
    first = local_fleet.start("-c", "1")
    second = local_fleet.start("-c", "1", "--without-gossip")

    first.wait_for_line("node node1@here joined")
    second.stop()
    first.wait_for_line("node node1@here left")
    assert "joined" not in second.log


def test_without_heartbeat_a_node_tells_nothing_of_itself_but_answers_who_asks(fleet: Fleet, monitor: Monitor) -> None:
    fleet.start("-c", "1", "--without-heartbeat", "-E")
    done = fleet.send("add", 1, 1)
    monitor.wait_for("task-succeeded", uuid=done.id)
    told_of_itself = [event["type"] for event in monitor.events if event["type"].startswith("worker-")]

    fleet.client.control.heartbeat()

    assert told_of_itself == []
    assert monitor.wait_for("worker-heartbeat")["freq"] == 5


def test_events_are_dumped_as_lines_and_as_json(local_fleet: Fleet) -> None:
    local_fleet.start("-c", "1", "-E", "--heartbeat-interval", "0.2")
    with dumping(local_fleet, "--dump") as lines, dumping(local_fleet, "--json") as objects:
        assert lines.stdout is not None
        assert objects.stdout is not None
        first = [json.loads(objects.stdout.readline()), lines.stdout.readline(), lines.stdout.readline()]
        for program in (lines, objects):
            program.send_signal(signal.SIGINT)

    assert first[0]["type"].startswith("worker-")
    assert first[1] == "-> evdump: starting capture...\n"
    assert "node0@here" in first[2]
    assert "heartbeat: " in first[2]
    assert [program.wait(15) for program in (lines, objects)] == [0, 0]


def dumping(fleet: Fleet, option: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "celeriac", "-b", fleet.url, "events", option],
        env=fleet.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_camera_takes_pictures_and_a_last_one_when_it_is_stopped(local_fleet: Fleet) -> None:
    (local_fleet.folder / "cameras.py").write_text(CAMERA)
    local_fleet.start("-c", "1", "-E")
    album, log = local_fleet.folder / "album", (local_fleet.folder / "camera.log").open("wb")
    command = [sys.executable, "-m", "celeriac", "-A", "cameras", "events", "-c", "cameras.Album", "-F", "0.2"]
    pidfile = local_fleet.folder / "camera.pid"
    environment = {**local_fleet.environment(), "ALBUM": str(album)}
    with log:
        camera = subprocess.Popen(
            [*command, "--pidfile", str(pidfile)], cwd=local_fleet.folder, env=environment, stdout=log, stderr=log
        )
    try:
        eventually(lambda: album.exists() and pidfile.exists(), what="the first picture")
        assert int(pidfile.read_text()) == camera.pid
        done = local_fleet.send("add", 2, 3)
        eventually(lambda: f"{done.id} SUCCESS" in album.read_text(), what="a picture of the task")
    finally:
        camera.terminate()
        code = camera.wait(15)

    assert code == 0
    assert not pidfile.exists()


CAMERA = """
import os
from celeriac import Celery
from celeriac.app.monitoring.snapshot import Polaroid

app = Celery("cameras", broker=os.environ["JOBS_STORE"])

class Album(Polaroid):
    clear_after = True

    def on_shutter(self, state):
        with open(os.environ["ALBUM"], "a") as album:
            for id, task in state.tasks.items():
                print(id, task.state, file=album)
"""


def screen(fleet: Fleet, name: str) -> Any:
    """Start a screen in a terminal of its own."""
    environment = {**fleet.environment(), "TERM": "xterm-256color"}
    del environment["NO_COLOR"]
    words = ["-m", "celeriac", "-b", fleet.url, name]
    return pexpect.spawn(sys.executable, words, env=environment, dimensions=(30, 140), timeout=20, encoding="utf-8")


def test_the_screen_of_events_shows_tasks_in_a_real_terminal(local_fleet: Fleet) -> None:
    local_fleet.start("-c", "1", "-E")
    terminal = screen(local_fleet, "events")
    terminal.expect("workers: 1/1")

    failed = local_fleet.send("fail", "no such thing")
    terminal.expect("jobs.fail")
    terminal.expect("FAILURE")
    terminal.send("t")
    terminal.expect("no such thing")
    terminal.send("\r")
    terminal.send("i")
    terminal.expect(f"Task {failed.id}")
    terminal.send("q")
    terminal.send("q")
    terminal.expect(pexpect.EOF)

    terminal.close()
    assert terminal.exitstatus == 0


def test_top_shows_what_runs_and_terminates_it_in_a_real_terminal(local_fleet: Fleet) -> None:
    node = local_fleet.start("-c", "1")
    running = local_fleet.send("early", "long", 50.0)
    terminal = screen(local_fleet, "top")
    terminal.expect("nodes: 1  running: 1")
    terminal.expect("jobs.early")

    terminal.send("x")
    terminal.expect("Terminate")
    terminal.send("y")
    terminal.expect("Done")
    eventually(lambda: running.state == "REVOKED", what="the task ended")
    terminal.send("\x03")
    terminal.expect(pexpect.EOF)

    terminal.close()
    assert terminal.exitstatus == 0
    assert "was terminated" in node.log


def test_a_screen_without_a_terminal_says_what_to_do_instead(local_fleet: Fleet) -> None:
    told = [local_fleet.celeriac(name) for name in ("events", "top")]

    assert [ran.returncode for ran in told] == [1, 1]
    assert "celeriac events --dump" in told[0].stderr
    assert "celeriac top --json" in told[1].stderr


def test_top_gives_one_look_as_json(local_fleet: Fleet) -> None:
    local_fleet.start("-c", "1")

    look = json.loads(local_fleet.celeriac("top", "--json").stdout)

    assert [node["name"] for node in look["nodes"]] == ["node0@here"]
    assert look["trouble"] is None


def test_what_a_cold_stop_hands_back_is_told(local_fleet: Fleet) -> None:
    with Monitor(local_fleet.client) as monitor:
        node = local_fleet.start("-c", "1", "-E")
        running = local_fleet.send("late", "long", 50.0)
        monitor.wait_for("task-started", uuid=running.id)

        node.stop(signal.SIGQUIT)

        monitor.wait_for("task-cancelled", uuid=running.id)


def test_a_detached_camera_is_there_when_the_command_returns(local_fleet: Fleet) -> None:
    pidfile, log, album = (local_fleet.folder / name for name in ("camera.pid", "camera.log", "album"))
    (local_fleet.folder / "cameras.py").write_text(f"{CAMERA}\napp.conf.events_pidfile = {str(pidfile)!r}\n")
    words = ["-A", "cameras", "events", "-c", "cameras.Album", "--detach", "--logfile", str(log)]

    ran = subprocess.run(
        [sys.executable, "-m", "celeriac", *words],
        cwd=local_fleet.folder,
        env={**local_fleet.environment(), "ALBUM": str(album)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    send(int(pidfile.read_text()), signal.SIGTERM)
    eventually(lambda: not pidfile.exists(), what="the camera has ended")
    assert album.exists()


def test_events_go_on_when_the_broker_is_back(fleets: Callable[..., Fleet], redis_server: RedisServer) -> None:
    fleet = fleets(redis_server.url, lease_s=30.0)
    with Monitor(fleet.client) as monitor:
        node = fleet.start("-c", "1", "-E", "--heartbeat-interval", "0.2")
        monitor.wait_for("worker-heartbeat")
        redis_server.kill()
        redis_server.start()
        before = len(monitor.events)

        eventually(lambda: len(monitor.events) > before, what="heartbeats after the restart")
        done = fleet.send("add", 1, 2)

        monitor.wait_for("task-succeeded", uuid=done.id)
    assert "Traceback" not in node.log
