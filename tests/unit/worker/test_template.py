"""The template: forks children on request, reports their ends, and ends with its supervisor."""

from __future__ import annotations

import errno
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from celeriac.worker.nursery import Order, Report
from celeriac.worker.template import Template

# Other tests may have left threads behind that sleep; Python from 3.12 on warns of every fork beside them.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")

PATIENCE_S = 10.0


@contextmanager
def a_template(child_main: Callable[[Order], int], before_fork: Callable[[], object] = bool) -> Iterator[Template]:
    template = Template(child_main, before_fork)
    try:
        yield template
    finally:
        template.close()


def wait_for_reports(template: Template, count: int) -> list[Report]:
    reports: list[Report] = []
    while len(reports) < count:
        ready, _, _ = select.select([template.fileno()], [], [], PATIENCE_S)
        assert ready, f"nothing came after {reports}"
        reports += template.reports()
    return reports


def test_a_child_is_forked_with_its_place_and_its_name() -> None:
    reader, writer = os.pipe()

    def say(order: Order) -> int:
        os.write(writer, f"{order.room} {order.number} {order.name} {order.imports}".encode())
        return 0

    with a_template(say) as template:
        template.order(Order(7, 3, "3.1", ("shop",)))
        [began, ended] = wait_for_reports(template, 2)

    assert os.read(reader, 100) == b"7 3 3.1 ['shop']"
    assert (began.name, began.status) == ("3.1", None)
    assert (ended.name, ended.pid, ended.status) == ("3.1", began.pid, 0)


def test_before_each_fork_the_template_does_what_it_is_told_to() -> None:
    reader, writer = os.pipe()

    def before() -> None:
        os.write(writer, f"{os.getpid()} ".encode())

    with a_template(lambda order: 0, before) as template:
        for name in ("0.1", "0.2"):
            template.order(Order(0, 0, name))
            wait_for_reports(template, 2)
        pid = template.pid

    assert os.read(reader, 100).split() == [str(pid).encode()] * 2


def test_an_exit_code_is_reported() -> None:
    with a_template(lambda order: 5) as template:
        template.order(Order(0, 0, "0.1"))
        [_, ended] = wait_for_reports(template, 2)

    assert ended.status is not None
    assert os.waitstatus_to_exitcode(ended.status) == 5


def test_a_signal_is_reported() -> None:
    def die(_order: Order) -> int:
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    with a_template(die) as template:
        template.order(Order(0, 0, "0.1"))
        [_, ended] = wait_for_reports(template, 2)

    assert ended.status is not None
    assert os.WTERMSIG(ended.status) == signal.SIGKILL


def test_a_child_that_raises_ends_with_a_code_and_its_traceback_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    def fail(_order: Order) -> int:
        raise ValueError("it went wrong")

    with a_template(fail) as template:
        template.order(Order(0, 0, "0.1"))
        [_, ended] = wait_for_reports(template, 2)

    assert ended.status is not None
    assert os.waitstatus_to_exitcode(ended.status) == 1
    assert "ValueError: it went wrong" in capfd.readouterr().err


def test_many_children_at_once_are_all_reported() -> None:
    with a_template(lambda order: order.room) as template:
        for index in range(10):
            template.order(Order(index, index, f"{index}.1"))
        reports = wait_for_reports(template, 20)

    codes = {report.name: os.waitstatus_to_exitcode(report.status) for report in reports if report.status is not None}
    assert codes == {f"{index}.1": index for index in range(10)}


def test_more_children_may_be_ordered_at_once_than_the_template_has_room_for() -> None:
    with a_template(lambda order: 0) as template:
        os.kill(template.pid, signal.SIGSTOP)
        for index in range(320):
            template.order(Order(index, index, f"{index}.1"))
        os.kill(template.pid, signal.SIGCONT)
        reports = wait_for_reports(template, 640)

    assert {report.name for report in reports if report.status == 0} == {f"{index}.1" for index in range(320)}


def test_where_no_process_is_to_be_had_the_child_was_never_born_and_the_next_one_may_be() -> None:
    fork, attempts = os.fork, iter(range(9))

    def first_there_is_no_memory() -> None:
        def fail() -> int:
            raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

        os.fork = fail if next(attempts) == 0 else fork  # in the template, which is a process of its own

    with a_template(lambda order: 0, first_there_is_no_memory) as template:
        template.order(Order(0, 0, "0.1"))
        [unborn] = wait_for_reports(template, 1)
        template.order(Order(0, 0, "0.2"))
        [began, ended] = wait_for_reports(template, 2)

    assert unborn == Report.stillborn("0.1")
    assert (began.name, ended.status) == ("0.2", 0)


def test_an_order_to_a_template_that_has_died_raises_nothing_before_that_is_noticed() -> None:
    template = Template(lambda order: 0)
    os.kill(template.pid, signal.SIGKILL)
    select.select([template.fileno()], [], [], PATIENCE_S)

    template.order(Order(0, 0, "0.1"))

    with pytest.raises(EOFError):
        template.reports()
    template.close()


def test_a_template_that_has_died_is_noticed() -> None:
    template = Template(lambda order: 0)

    os.kill(template.pid, signal.SIGKILL)
    select.select([template.fileno()], [], [], PATIENCE_S)

    with pytest.raises(EOFError):
        template.reports()
    template.close()


def test_a_template_ends_when_it_is_closed() -> None:
    template = Template(lambda order: 0)

    template.close()

    with pytest.raises(ProcessLookupError):
        os.kill(template.pid, 0)


def test_template_and_children_end_when_their_supervisor_is_killed() -> None:
    # The supervisor is a process of its own. Whoever outlives it keeps the pipe open, and its end is never seen.
    program = """
import os, select, signal, time
from celeriac.worker.nursery import Order
from celeriac.worker.template import Template

def live(order):
    os.write(1, b"alive ")
    time.sleep(60)
    return 0

template = Template(live)
template.order(Order(0, 0, "0.1"))
template.order(Order(1, 1, "1.1"))
began = []
while len(began) < 2:
    select.select([template.fileno()], [], [])
    began += template.reports()
while not os.path.exists("/nonexistent"):
    time.sleep(60)
"""
    supervisor = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert supervisor.stdout is not None
    heard = b""
    while heard.count(b"alive") < 2:
        heard += os.read(supervisor.stdout.fileno(), 100)

    supervisor.kill()

    supervisor.wait(PATIENCE_S)
    ready, _, _ = select.select([supervisor.stdout], [], [], PATIENCE_S)
    assert ready, "somebody still lives"
    assert supervisor.stdout.read() == b""
    supervisor.stdout.close()
