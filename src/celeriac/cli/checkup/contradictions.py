"""Settings that contradict each other, or the place where they are used. Pure: each rule is a function from facts to remarks.

A wrong value is refused when it is set; here are values that are each right and together are not. Does not know: stores, nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from celeriac.config.catalog import NAMES, mark_of
from celeriac.config.sections import Settings
from celeriac.config.sections.kinds import Later, Unhonoured
from celeriac.core.remark import Remark
from celeriac.drivers.url import alternatives, parse, same_server, scheme_of

CODE: Final = frozenset({"pickle", "application/x-python-serialize"})
_KINDS: Final[Mapping[str, str]] = {
    "application/json": "json",
    "application/x-python-serialize": "pickle",
    "application/x-yaml": "yaml",
    "application/x-msgpack": "msgpack",
}
_PLAIN: Final[Mapping[str, str]] = {"redis": "rediss", "amqp": "amqps", "pyamqp": "amqps"}
"""Schemes whose connection anybody on the way can read -> those that nobody can."""
_LOOPBACK: Final = frozenset({None, "", "localhost", "127.0.0.1", "::1"})
LONG_LEASE_S: Final = 300.0
SHORT_LEASE_S: Final = 5.0
SHORT_LIFE_S: Final = 60.0
SMALL_CHILD_KIB: Final = 50_000


class TaskFacts(Struct, frozen=True):
    """One task of the app."""

    name: str
    time_limit: float | None = None
    soft_time_limit: float | None = None


class Facts(Struct, frozen=True, kw_only=True):
    """What the rules are about."""

    settings: Settings
    said: frozenset[str] = frozenset()
    """Settings that somebody has set."""
    broker: str
    """URL of the broker."""
    results: str | None
    """URL of the result backend. ``None``: there is none."""
    tasks: Sequence[TaskFacts] = ()
    is_root: bool = False

    @property
    def longest_s(self) -> float:
        """The longest time limit of all tasks; 0: none has one."""
        limits = [self.settings.task.time_limit, *(task.time_limit for task in self.tasks)]
        return max((limit for limit in limits if limit), default=0.0)


def contradictions(facts: Facts) -> list[Remark]:
    """Return what every rule has to say."""
    return [remark for rule in RULES for remark in rule(facts)]


def _code_for_root(facts: Facts) -> Iterator[Remark]:
    if not CODE & set(facts.settings.general.accept_content):
        return
    if facts.is_root:
        yield Remark.error("accept_content", "takes pickle, and this user is root: a message could do anything to this machine")
    else:
        yield Remark.warning("accept_content", "takes pickle: whoever can write to the broker runs code in the workers")


def _own_messages(facts: Facts) -> Iterator[Remark]:
    result = facts.settings.result
    accepted = _names(facts.settings.general.accept_content)
    read = accepted if result.accept_content is None else _names(result.accept_content)
    for name, value, allowed in (
        ("task_serializer", facts.settings.task.serializer, accepted),
        ("result_serializer", result.serializer, read),
        ("event_serializer", facts.settings.event.serializer, accepted),
    ):
        if _KINDS.get(value, value) not in allowed:
            by = "result_accept_content" if allowed is not accepted else "accept_content"
            yield Remark.error(name, f"is {value}, which {by} does not allow: nobody here reads what is written")


def _names(kinds: Sequence[str]) -> frozenset[str]:
    return frozenset(_KINDS.get(kind, kind) for kind in kinds)


def _limits(facts: Facts) -> Iterator[Remark]:
    task = facts.settings.task
    whole = TaskFacts("", task.time_limit, task.soft_time_limit)
    for one in (whole, *facts.tasks):
        soft, hard = one.soft_time_limit, one.time_limit
        if soft and hard and soft >= hard:
            about = f"task {one.name}" if one.name else "task_soft_time_limit"
            yield Remark.warning(about, f"the soft limit ({soft:g} s) is not before the hard one ({hard:g} s): it is never met")


def _lease(facts: Facts) -> Iterator[Remark]:
    about, lease = "visibility_timeout", facts.settings.broker.transport_options.get("visibility_timeout")
    if not isinstance(lease, int | float):
        return
    if lease > LONG_LEASE_S:
        yield Remark.warning(about, f"is {lease:g} s: so long waits what a dead node ran; a long task needs no long lease here")
    elif lease < SHORT_LEASE_S:
        yield Remark.warning(about, f"is {lease:g} s: a node that pauses for so long is taken for dead")


def _late_and_lost(facts: Facts) -> Iterator[Remark]:
    task, about = facts.settings.task, "task_reject_on_worker_lost"
    if task.acks_late and task.reject_on_worker_lost is False:
        yield Remark.warning(about, "is off and task_acks_late is on: a task whose process dies is not tried again")
    if task.acks_late and task.max_deliveries == 1:
        yield Remark.warning("task_max_deliveries", "is 1 and task_acks_late is on: a task whose process dies is not tried again")
    if task.reject_on_worker_lost and not task.acks_late:
        yield Remark.warning(about, "has no effect on tasks that acknowledge early: task_acks_late is off")


def _no_results(facts: Facts) -> Iterator[Remark]:
    if facts.results is not None:
        return
    about = "result_backend"
    yield Remark.warning(about, "is not set: results, chords and groups that are waited for do not work")
    wanted = sorted(name for name in facts.said if name.startswith("result_") and name != about)
    if wanted:
        yield Remark.warning(about, f"is not set, and {', '.join(wanted)} are: there are no results to keep")
    if facts.settings.task.track_started:
        yield Remark.warning("task_track_started", "is on, and there is no result backend to keep the state")


def _kept_for(facts: Facts) -> Iterator[Remark]:
    result, longest = facts.settings.result, facts.longest_s
    if facts.results is not None and result.ttl_s is None:
        yield Remark.warning("result_expires", "results are kept for ever, and the store only grows")
    if result.ttl_s is not None and result.ttl_s < SHORT_LIFE_S:
        yield Remark.warning("result_expires", f"is {result.ttl_s:g} s: whoever asks later waits in vain")
    if result.chord_ttl_s is not None and result.chord_ttl_s < longest:
        text = f"is {result.chord_ttl_s:g} s, and a task may run for {longest:g} s: its chord is forgotten"
        yield Remark.error("result_chord_expires", text)


def _eager(facts: Facts) -> Iterator[Remark]:
    task = facts.settings.task
    if task.always_eager:
        yield Remark.warning("task_always_eager", "is on: calls run in the caller's process, and no worker gets anything")
    elif task.store_eager_result:
        yield Remark.warning("task_store_eager_result", "has no effect but on apply(): task_always_eager is off")


def _stopping(facts: Facts) -> Iterator[Remark]:
    worker, longest = facts.settings.worker, facts.longest_s
    warm_s, soft_s = worker.warm_shutdown_timeout, worker.soft_shutdown_timeout
    if 0 < warm_s < soft_s:
        text = "is longer than worker_warm_shutdown_timeout, which ends a stop before that"
        yield Remark.warning("worker_soft_shutdown_timeout", text)
    if 0 < warm_s < longest:
        text = f"is {warm_s:g} s, and a task may run for {longest:g} s: a stop may break it off"
        yield Remark.warning("worker_warm_shutdown_timeout", text)


def _health(facts: Facts) -> Iterator[Remark]:
    worker, longest = facts.settings.worker, facts.longest_s
    if worker.health_address and worker.health_window < longest:
        text = f"is {worker.health_window:g} s, and a task may run for {longest:g} s: meanwhile the node seems to be stuck"
        yield Remark.warning("worker_health_window", text)


def _children(facts: Facts) -> Iterator[Remark]:
    most = facts.settings.worker.max_memory_per_child
    if isinstance(most, int) and most < SMALL_CHILD_KIB:
        text = f"is {most:,} KiB: a process is larger when it starts, and is replaced after each task"
        yield Remark.warning("worker_max_memory_per_child", text)


def _zones(facts: Facts) -> Iterator[Remark]:
    general = facts.settings.general
    if not general.enable_utc and general.timezone is None:
        yield Remark.warning("enable_utc", "is off and timezone is not set: each machine reads times in its own zone")


def _places(facts: Facts) -> Iterator[Remark]:
    broker, results = facts.broker, facts.results
    if scheme_of(broker) == "memory":
        yield Remark.error("broker_url", "memory:// lives in one process: a worker in another one gets nothing")
    if results is None:
        return
    if scheme_of(results) == "memory" != scheme_of(broker):
        yield Remark.error("result_backend", "memory:// lives in one process: nobody else finds its results")
    if {scheme_of(broker), scheme_of(results)} <= {"redis", "rediss"} and not same_server(broker, results):
        text = "is another server than the broker: a result and the end of its message are two steps, not one"
        yield Remark.warning("result_backend", text)


def _passwords(facts: Facts) -> Iterator[Remark]:
    for name, url in (("broker_url", facts.broker), ("result_backend", facts.results)):
        for part in alternatives(url) if url else ():
            address = parse(part)
            if address.scheme in _PLAIN and address.password and address.host not in _LOOPBACK:
                text = f"sends its password to {address.host} without TLS: use {_PLAIN[address.scheme]}://"
                yield Remark.warning(name, text)


def _beat(facts: Facts) -> Iterator[Remark]:
    known = {task.name for task in facts.tasks}
    for name, entry in facts.settings.beat.schedule.items():
        task: Any = entry.get("task") if isinstance(entry, Mapping) else getattr(entry, "task", None)
        if isinstance(task, str) and known and task not in known:
            yield Remark.warning("beat_schedule", f"entry {name} sends {task}, which this app does not have")


def _without_effect(facts: Facts) -> Iterator[Remark]:
    for name in sorted(facts.said & NAMES):
        mark = mark_of(name)
        if isinstance(mark, Later | Unhonoured):
            why = f"comes with {mark.what}" if isinstance(mark, Later) else mark.why
            yield Remark.warning(name, f"has no effect: {why}")


RULES: Final[tuple[Callable[[Facts], Iterator[Remark]], ...]] = (
    _code_for_root,
    _own_messages,
    _limits,
    _lease,
    _late_and_lost,
    _no_results,
    _kept_for,
    _eager,
    _stopping,
    _health,
    _children,
    _zones,
    _places,
    _passwords,
    _beat,
    _without_effect,
)
