"""One log line for each thing that happens to a job."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import pytest

from celeriac import Celery, Secret
from celeriac.app import trace
from celeriac.core.outcome import Failure, Ignored, Outcome, Refused, Retried, Revoked, Success
from celeriac.worker import report
from celeriac.worker.arrival import ReceivedRequest
from unit.worker.bench import PlainTask, a_message, a_request

RETRIED = Retried(again=a_message(), exception=OSError("x"), traceback="", when="in 3s")
TASK = "Task shop.charge[id-1]"


@pytest.fixture(autouse=True)
def everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "celeriac.worker")


@pytest.fixture
def template() -> Iterator[Callable[[str, str], None]]:
    """Give a function that replaces a template until the test ends."""
    before = {name: value for name, value in vars(trace).items() if name.startswith("LOG_")}
    yield lambda name, text: setattr(trace, name, text)
    for name, value in before.items():
        setattr(trace, name, value)


def raised(error: Exception) -> Exception:
    try:
        raise error
    except type(error) as caught:
        return caught


@pytest.mark.parametrize(
    ("outcome", "level", "event", "line"),
    [
        (Success({"x": 1}), "INFO", "task-succeeded", f"{TASK} succeeded in 0.250000s: {{'x': 1}}"),
        (Failure(ValueError("no"), expected=True), "INFO", "task-failed", f"{TASK} raised expected: ValueError('no')"),
        (Failure(ValueError("no")), "ERROR", "task-failed", f"{TASK} raised unexpected: ValueError('no')"),
        (RETRIED, "INFO", "task-retried", f"{TASK} retry: Retry in 3s: OSError('x')"),
        (Ignored(), "INFO", "task-ignored", f"{TASK} ignored"),
        (Refused("not mine", requeue=True), "WARNING", "task-rejected", f"{TASK} rejected, requeue=True: 'not mine'"),
        (Revoked("expired"), "INFO", "task-revoked", f"Discarding revoked task: {TASK} (expired)"),
    ],
)  # fmt: skip
def test_each_end_has_a_line_its_level_and_its_event(
    caplog: pytest.LogCaptureFixture, outcome: Outcome, level: str, event: str, line: str
) -> None:
    request = a_request(a_message("id-1"))

    report.ended(request, outcome, 0.25)

    [record] = caplog.records
    assert (record.levelname, record.getMessage()) == (level, line)
    assert (record.event, record.task_id, record.task_name) == (event, "id-1", "shop.charge")  # type: ignore[attr-defined]


def test_a_failure_has_its_traceback_from_the_users_first_frame_on_and_the_exception_for_handlers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    error = raised(ValueError("no"))

    report.ended(a_request(), Failure(error, traceback="Traceback: theirs only\nValueError: no\n"), 0.25)

    [record] = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[1] is error
    assert logging.Formatter().format(record).splitlines()[1:] == ["Traceback: theirs only", "ValueError: no"]


def test_an_expected_failure_has_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    report.ended(a_request(), Failure(raised(ValueError("no")), traceback="long", expected=True), 0.25)

    [record] = caplog.records
    assert (record.exc_info, record.exc_text) == (None, None)


def test_records_have_the_fields_of_their_line_as_data(caplog: pytest.LogCaptureFixture) -> None:
    message = a_message("id-1", args=(1,), kwargs={"card": "4711"}, kwargsrepr="{'card': '***'}")

    report.received(a_request(message))
    report.ended(a_request(message), Success(5), 0.25)

    first, second = (record.data for record in caplog.records)  # type: ignore[attr-defined]
    common = {"id": "id-1", "name": "shop.charge", "args": "(1,)", "kwargs": "{'card': '***'}"}
    assert first == common | {"eta": None}
    assert second == common | {"return_value": "5", "runtime": 0.25}


def test_the_lines_can_be_replaced(caplog: pytest.LogCaptureFixture, template: Callable[[str, str], None]) -> None:
    template("LOG_RECEIVED", "got %(name)s%(args)s")
    template("LOG_SUCCESS", "%(name)s: %(return_value)s")

    report.received(a_request(a_message(args=(1, 2))))
    report.ended(a_request(), Success(5), 0.25)

    assert [record.getMessage() for record in caplog.records] == ["got shop.charge(1, 2)", "shop.charge: 5"]


def test_a_result_is_cut_as_its_task_says(caplog: pytest.LogCaptureFixture) -> None:
    request = a_request(task=PlainTask(lambda: None, resultrepr_maxsize=10))

    report.ended(request, Success("x" * 1000), 0.25)

    [record] = caplog.records
    assert len(record.data["return_value"]) < 20  # type: ignore[attr-defined]


def test_nobody_writes_lines_into_the_log_by_the_name_of_a_task(caplog: pytest.LogCaptureFixture) -> None:
    report.received(a_request(a_message("id\n[FORGED] line", task="name\nof a task")))

    [record] = caplog.records
    assert record.getMessage() == "Task name\\nof a task[id\\n[FORGED] line] received"


def test_secrets_of_a_task_are_in_no_record_though_the_caller_sent_no_repr(caplog: pytest.LogCaptureFixture) -> None:
    app = Celery("secrets", broker="memory://secrets", set_as_current=False)

    @app.task(name="login")
    def login(user: str, password: Secret[str]) -> None: ...

    request = a_request(a_message("id-1", task="login", args=("ada", "hunter2")), task=app.tasks["login"])

    report.received(request)
    report.ended(request, Success(None), 0.25)

    assert "ada" in str(caplog.records[0].data)  # type: ignore[attr-defined]
    assert "hunter2" not in str([vars(record) for record in caplog.records])
    assert "hunter2" not in repr(ReceivedRequest(request))
