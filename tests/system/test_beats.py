"""Beats as real processes: many of them, killed and frozen at random, beside a node, as a daemon; each tick is sent once."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from celeriac import Celery
from celeriac.abc import Lessee
from celeriac.core.message import Parcel
from system.fleet import Fleet
from system.patience import eventually
from system.processes import session_of

HERE = Path(__file__).parent


def taken(app: Celery, *, keep: bool = False) -> list[tuple[str, float]]:
    """Return entry and moment (seconds since 1970) of each tick in the queue, and take them out."""
    store, me = app.store, Lessee("counter", "1")
    store.keep("counter", name="counter", info={}, queues=["celery"])
    found: list[tuple[str, float]] = []
    while fetched := store.fetch(["celery"], lessee=me, limit=1000, wait_s=0).deliveries:
        parcels = [delivery.parcel for delivery in fetched if isinstance(delivery.parcel, Parcel)]
        found += [(p.headers["celeriac-entry"], datetime.fromisoformat(p.headers["celeriac-due"]).timestamp()) for p in parcels]
    return found


def environment(url: str, **variables: str) -> dict[str, str]:
    return {**os.environ, "TICKING_STORE": url, "NO_COLOR": "1", **variables}


def run_crew(url: str, *, size: int, seconds: float, count: int, every: float, seed: int, skew_s: float) -> str:
    command = [sys.executable, str(HERE / "beat_crew.py"), str(size), str(seconds), str(seed), str(skew_s)]
    variables = {"TICKING_COUNT": str(count), "TICKING_EVERY": str(every)}
    ran = subprocess.run(
        command, env=environment(url, **variables), capture_output=True, text=True, timeout=seconds + 60, check=False
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    return ran.stdout


def check_each_tick_once(ticks: list[tuple[str, float]], *, count: int, every: float, at_least: int) -> None:
    """Fail if a tick was sent twice, or is missing between the first and the last of its entry."""
    twice = [tick for tick, times in Counter(ticks).items() if times > 1]
    assert twice == []
    assert len(ticks) >= at_least
    dues = defaultdict(list)
    for name, due in ticks:
        dues[name].append(due)
    assert len(dues) == count
    for name, moments in dues.items():
        moments.sort()
        steps = {round((later - earlier) / every, 3) for earlier, later in pairwise(moments)}
        assert steps == {1.0}, (name, steps)


def takeovers(told: str) -> list[float]:
    return [float(seconds) for seconds in re.findall(r"^takeover (\S+)$", told, re.MULTILINE)]


def test_schedulers_that_are_killed_and_frozen_at_random_send_each_tick_once(url: str) -> None:
    told = run_crew(url, size=6, seconds=8, count=25, every=0.5, seed=4, skew_s=0)

    with Celery("reader", broker=url, backend=url, set_as_current=False) as app:
        check_each_tick_once(taken(app), count=25, every=0.5, at_least=200)
    assert all(seconds < 5 for seconds in takeovers(told)), told


def test_clocks_that_differ_by_seconds_make_no_tick_come_twice(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'skewed.db'}"

    run_crew(url, size=5, seconds=8, count=10, every=0.5, seed=9, skew_s=5)

    with Celery("reader", broker=url, backend=url, set_as_current=False) as app:
        check_each_tick_once(taken(app), count=10, every=0.5, at_least=60)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_twenty_schedulers_send_ten_thousand_ticks_once_each(url: str) -> None:
    told = run_crew(url, size=20, seconds=120, count=100, every=1.0, seed=7, skew_s=0)

    with Celery("reader", broker=url, backend=url, set_as_current=False) as app:
        check_each_tick_once(taken(app), count=100, every=1.0, at_least=10_000)
    times = takeovers(told)
    assert len(times) > 10
    assert max(times) < 5, times


# ---- one beat ----------------------------------------------------------------------------------------------------


class Program:
    """One ``celeriac`` command of the app ``ticking``."""

    def __init__(self, folder: Path, url: str, *words: str, **variables: str) -> None:
        self.log = folder / f"{words[0]}-{time.monotonic_ns()}.log"
        command = [sys.executable, "-m", "celeriac", "-A", "ticking", *words]
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                command, cwd=HERE, env=environment(url, **variables), stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, words: str) -> None:
        eventually(lambda: words in self.said or self.process.poll() is not None, within_s=30, what=f"it says {words!r}")
        assert words in self.said, self.said

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)

    def destroy(self) -> None:
        for process in session_of(self.process.pid):
            os.kill(process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def local(tmp_path: Path) -> str:
    """Give a store on SQLite, for what has nothing to do with the kind of the store."""
    return f"sqlite:///{tmp_path / 'local.db'}"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    made: list[Program] = []

    def begin(url: str, *words: str, **variables: str) -> Program:
        made.append(Program(tmp_path, url, *words, **variables))
        return made[-1]

    yield begin
    for program in made:
        program.destroy()


def test_entries_that_are_changed_while_a_beat_runs_are_as_they_are_told_within_a_second(
    run: Callable[..., Program], url: str
) -> None:
    beat = run(url, "beat", "-l", "INFO", TICKING_EVERY="3600")
    beat.wait_for("leads")
    with Celery("ticking", broker=url, backend=url, set_as_current=False) as app:
        app.schedules.add("quick", 0.1, "ticking.tick", (1,))
        added = time.monotonic()
        eventually(lambda: app.store.depth(["celery"])[0] > 0, what="the first tick")
        assert time.monotonic() - added < 1.0
        app.schedules.pause("quick")
        before = taken(app)
        paused = app.schedules.get("quick")
        assert paused is not None
        assert {name for name, _ in before} == {"quick"}
        app.schedules.run("e000")
        assert [name for name, _ in taken(app)] == ["e000"]
        assert app.schedules.get("quick") == paused  # nothing was sent since
        assert paused.runs == len(before)
        app.schedules.resume("quick")
        eventually(lambda: app.store.depth(["celery"])[0] > 0, within_s=2, what="a tick after it was resumed")
        app.schedules.remove("quick")
        taken(app)
        app.schedules.add("late", 0.1, "ticking.tick", max_runs=2)
        eventually(lambda: app.store.depth(["celery"]) == [2], what="its two runs")
    assert beat.end() == 0
    assert "Shutting down" in beat.said


def test_a_beat_that_is_told_to_stop_lets_another_lead_at_once(run: Callable[..., Program], local: str) -> None:
    first = run(local, "beat", "-l", "INFO", TICKING_EVERY="0.2")
    first.wait_for("leads")
    second = run(local, "beat", "-l", "INFO", TICKING_EVERY="0.2")
    second.wait_for("stands by")

    assert first.end() == 0
    second.wait_for(f"{second.process.pid}-")
    eventually(lambda: re.search(rf"-{second.process.pid}-\w+ leads", second.said), within_s=3, what="the second leads")


def test_a_worker_has_a_beat_beside_it_that_ends_with_it_and_begins_again_when_it_dies(
    run: Callable[..., Program], local: str
) -> None:
    worker = run(local, "worker", "-B", "-c", "1", "-l", "INFO", TICKING_EVERY="0.3")
    worker.wait_for(" ready.")
    worker.wait_for("Sending due task e000")
    eventually(lambda: "succeeded" in worker.said, what="a tick is run by the node")
    leader = re.search(r"-(\d+)-\w+ leads", worker.said)
    assert leader is not None
    os.kill(int(leader.group(1)), signal.SIGKILL)
    worker.wait_for("it begins again")
    eventually(lambda: len(re.findall(r"-\d+-\w+ leads", worker.said)) >= 2, within_s=15, what="another beat leads")

    assert worker.end() == 0
    eventually(lambda: not session_of(worker.process.pid), within_s=15, what="no process is left")


def test_when_a_node_is_killed_its_beat_ends_too(run: Callable[..., Program], local: str) -> None:
    worker = run(local, "worker", "-B", "-c", "1", "-l", "INFO", TICKING_EVERY="0.3")
    worker.wait_for("leads")
    worker.end(signal.SIGKILL)

    eventually(lambda: not session_of(worker.process.pid), within_s=15, what="no process is left")


def test_a_beat_goes_on_when_its_store_comes_back(fleets: Callable[..., Fleet], tmp_path: Path, redis_server: Any) -> None:
    beat = Program(tmp_path, redis_server.url, "beat", "-l", "INFO", TICKING_EVERY="0.2")
    try:
        beat.wait_for("Sending due task")
        redis_server.kill()
        beat.wait_for("trying again every 1 s")
        redis_server.start()
        beat.wait_for("the store answers after")
        sent = beat.said.count("Sending due task")
        eventually(lambda: beat.said.count("Sending due task") > sent + 3, what="ticks again")
        assert beat.end() == 0
    finally:
        beat.destroy()


def test_a_ping_is_answered_where_it_is_wanted(run: Callable[..., Program], local: str) -> None:
    beat = run(local, "beat", "-l", "INFO", "--enable-remote-control", "-n", "pinged@here")
    beat.wait_for("leads")

    with Celery("asking", broker=local, backend=local, set_as_current=False) as app:
        answers = eventually(lambda: app.control.ping(timeout=1.0), what="an answer")

    assert answers == [{"pinged@here": {"ok": "pong"}}]


def test_a_detached_beat_holds_its_pid_file_and_a_second_one_is_refused(tmp_path: Path, local_fleet: Fleet) -> None:
    pid_file, log = tmp_path / "beat.pid", tmp_path / "beat.log"
    words = ("beat", "--detach", "--pidfile", str(pid_file), "-f", str(log), "-l", "INFO")
    started = Program(tmp_path, local_fleet.url, *words)
    assert started.process.wait(30) == 0, started.said
    pid = int(pid_file.read_text())
    try:
        eventually(lambda: log.exists() and "leads" in log.read_text(), what="it leads")
        second = Program(tmp_path, local_fleet.url, *words[:1], *words[2:])
        assert second.process.wait(30) != 0
        assert str(pid) in second.said
    finally:
        os.kill(pid, signal.SIGTERM)
    eventually(lambda: not pid_file.exists(), what="the pid file is gone")
