"""Where tracers take hold: ``build_tracer`` makes what runs a task, and may be replaced by others.

In a job's life: around execution, in any process that runs tasks. Tools that trace programs replace ``build_tracer`` in this
module by a function that calls ours and wraps what it returns. They may count on this: it is called once for each task and
process, before the first run, and may replace ``task.run`` or the ``__call__`` of the task's class then; what it returns is
called around every run with id, arguments and request, handlers and signals included. While it is ours nobody calls it.
Source: what the integrations of tracing tools do, such as Sentry's. Does not know: what a run is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Final, NamedTuple, Protocol

from celeriac.app.context import Context
from celeriac.core import states
from celeriac.core.outcome import Failure, Outcome, Refused, Retried, Success
from celeriac.core.representation import safe_repr

Tracer = Callable[..., Any]
IGNORE_STATES: Final = frozenset({states.IGNORED, states.RETRY, states.REJECTED})
EXCEPTION_STATES: Final = states.EXCEPTION_STATES


# Templates of the lines that a worker logs, for whoever wants them otherwise: they are read whenever a line is written. Fields:
# id, name, args, kwargs; eta; return_value, runtime; exc, traceback, description, hostname.
LOG_RECEIVED = "Task %(name)s[%(id)s] received"
LOG_SUCCESS = "Task %(name)s[%(id)s] succeeded in %(runtime).6fs: %(return_value)s"
LOG_FAILURE = "Task %(name)s[%(id)s] %(description)s: %(exc)s"
LOG_INTERNAL_ERROR = "Task %(name)s[%(id)s] %(description)s: %(exc)s"
LOG_IGNORED = "Task %(name)s[%(id)s] %(description)s"
LOG_REJECTED = "Task %(name)s[%(id)s] %(description)s: %(exc)s"
LOG_RETRY = "Task %(name)s[%(id)s] retry: %(exc)s"


class TraceInfo(NamedTuple):
    """How a run ended, if it was not by returning."""

    state: str
    retval: Any = None
    """The exception."""


class trace_ok_t(NamedTuple):  # noqa: N801 - Celery's name
    """What a tracer returns."""

    retval: Any
    info: TraceInfo | None
    """``None``: the task returned ``retval``."""
    runtime: float
    """Seconds."""
    retstr: str
    """``retval`` as text."""


class Traced(Protocol):
    """A task, as tracers see it."""

    name: str
    app: Any


class _Run:
    """One run: what is to be called in the middle of all that wraps it, and what that returned."""

    __slots__ = ("go", "outcome")

    def __init__(self, go: Callable[[Any], Outcome]) -> None:
        self.go = go
        self.outcome: Outcome | None = None


_runs: ContextVar[_Run | None] = ContextVar("celeriac_traced_run", default=None)


def build_tracer(
    name: str,
    task: Traced,
    loader: Any = None,
    hostname: str | None = None,
    store_errors: bool = True,
    Info: Callable[[str, Any], Any] = TraceInfo,  # noqa: N803 - Celery's name
    eager: bool = False,
    propagate: bool = False,
    app: Any = None,
    monotonic: Callable[[], float] | None = None,
    trace_ok_t: Callable[[Any, Any, float, str], Any] = trace_ok_t,
    IGNORE_STATES: frozenset[str] = IGNORE_STATES,  # noqa: N803 - Celery's name
) -> Tracer:
    """Return what runs ``task``: a function of id, arguments, keyword arguments and request, which returns a ``trace_ok_t``.

    Args:
        name: Of the task, for whoever replaces this function; so are ``loader``, ``hostname``, ``store_errors``, ``eager``,
            ``propagate``, ``app`` and ``IGNORE_STATES``: what is stored, and whether a run is eager, is decided elsewhere.
        task: What is to run; a tool may hand in an object around it, whose ``run`` is called then.
        Info: Makes the second field of the answer, of state and exception.
        monotonic: Measures the third one; by default the app's clock.
        trace_ok_t: Makes the answer.
    """
    del name, loader, hostname, store_errors, eager, propagate, app, IGNORE_STATES
    clock = monotonic or task.app.runtime.monotonic

    def trace(uuid: str, args: Sequence[Any], kwargs: Mapping[str, Any], request: Any = None) -> Any:
        del uuid, args, kwargs, request  # a run has those of its message, whatever wraps it
        run = _runs.get()
        if run is None:
            raise RuntimeError(f"a tracer runs a task inside of a worker only: call {task.name}.apply(...) instead")
        began = clock()
        run.outcome = run.go(task)
        retval, state = _told(run.outcome)
        return trace_ok_t(retval, Info(state, retval) if state else None, clock() - began, safe_repr(retval))

    return trace


OWN: Final = build_tracer
"""What ``build_tracer`` is while nobody has replaced it."""


def traced(task: Any, context: Context, go: Callable[[Any], Outcome]) -> Outcome:
    """Run ``go`` inside of the tracer of ``task``, and return its outcome; ``go`` is handed the task as the tool has wrapped it.

    Raises:
        Exception: a tracer failed before the run began. One that fails afterwards changes nothing: the run has ended.
    """
    run = _Run(go)
    token = _runs.set(run)
    try:
        message = context.message
        tracer_of(task)(message.id, message.args, message.kwargs, context)
    except Exception:
        if run.outcome is None:
            raise
    finally:
        _runs.reset(token)
    if run.outcome is None:
        raise RuntimeError(f"a tracer of {task.name} did not run it")
    return run.outcome


def tracer_of(task: Any) -> Tracer:
    """Return the tracer that the present ``build_tracer`` has made for the task, made at the first time."""
    builder, tracer = vars(task).get("_tracer", (None, None))
    if builder is not build_tracer:
        tracer = build_tracer(task.name, task, app=task.app)
        vars(task)["_tracer"] = (build_tracer, tracer)
    made: Tracer = tracer
    return made


def task_has_custom(task: Any, attr: str) -> bool:
    """Say whether the task, or its class, has something of its own under this name, such as ``__call__``."""
    own = next((cls for cls in type(task).__mro__ if attr in vars(cls)), None)
    return own is not None and not own.__module__.startswith("celeriac.")


def get_task_name(request: Any, default: str) -> str:
    """Return the name that is shown for a call: its ``shadow``, if it has one."""
    return getattr(request, "shadow", None) or default


def _told(outcome: Outcome) -> tuple[Any, str | None]:
    """Return what came of it and its state; no state when it returned."""
    match outcome:
        case Success(value):
            return value, None
        case Failure(error):
            return error, states.FAILURE
        case Retried(reason=retry):
            return retry, states.RETRY
        case Refused(reason=reason):
            return reason, states.REJECTED
        case _:
            return None, states.IGNORED
