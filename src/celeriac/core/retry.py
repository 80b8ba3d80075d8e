"""After how long again: of a task that failed, and of a publish that did.

In a job's life: ``autoretry_for`` asks a Backoff before it sends the task again; the producer asks a RetryPolicy when the broker
did not answer. Pure: chance is an argument. Source: Celery's guide "Automatic retry for known exceptions", its setting
``task_publish_retry_policy``. Does not know: tasks, clocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import count
from typing import Any, Final

from celeriac.core.errors import ImproperlyConfigured

_MOST_DOUBLINGS: Final = 64
"""Beyond any maximum that somebody waits for; keeps the arithmetic short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Exponential waiting: ``factor``, twice that, four times, ... up to ``maximum_s``."""

    factor: int = 1
    """``retry_backoff``: seconds before the first retry. ``True`` means 1."""
    maximum_s: int = 600
    """``retry_backoff_max``."""
    jitter: bool = True
    """``retry_jitter``: anything between 0 and the computed time, so that what failed together does not return together."""

    def delay_s(self, retries: int, *, random: float) -> int:
        """Return whole seconds to wait before the next attempt.

        Args:
            retries: Retries made before; 0 after the first failure.
            random: At least 0, less than 1. Not looked at without jitter.
        """
        seconds = max(0, min(self.maximum_s, self.factor * 2 ** min(retries, _MOST_DOUBLINGS)))
        return int(random * (seconds + 1)) if self.jitter else seconds


def backoff_of(retry_backoff: bool | float, *, maximum_s: float = 600, jitter: bool = True) -> Backoff | None:
    """Return the Backoff that these task options mean; ``None``: ``retry_backoff`` is off, ``default_retry_delay`` holds."""
    if not retry_backoff:
        return None
    return Backoff(factor=int(max(1.0, retry_backoff)), maximum_s=int(maximum_s), jitter=bool(jitter))


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how soon to try again to publish. The deadline of the publish holds besides."""

    max_retries: int | None = 3
    """``None``: until the deadline."""
    interval_start: float = 0.0
    """Seconds before the first retry."""
    interval_step: float = 0.2
    """Seconds added with each further retry."""
    interval_max: float = 1.0
    """Seconds that may be added in all."""
    retry_errors: tuple[type[BaseException], ...] = ()
    """Further errors after which to try again, such as ``StoreRefused``; no answer is one in any case."""

    def __post_init__(self) -> None:
        for name in ("interval_start", "interval_step", "interval_max"):
            if getattr(self, name) < 0:
                raise ImproperlyConfigured(f"retry_policy: {name} is {getattr(self, name)!r}, must be 0 or more")

    def intervals_s(self) -> Iterator[float]:
        """Yield the seconds to wait before each retry, in order."""
        for retries in count() if self.max_retries is None else range(self.max_retries):
            yield self.interval_start + min(retries * self.interval_step, self._most_added_s())

    def _most_added_s(self) -> float:
        # Whole steps only: Celery stays at the last step that fits.
        if not self.interval_step:
            return 0.0
        return int(self.interval_max / self.interval_step + 1e-9) * self.interval_step


def policy_of(given: Mapping[str, Any] | None, *, default: RetryPolicy | None = None) -> RetryPolicy:
    """Return the policy that a ``retry_policy`` means: what it does not say is as ``default`` has it.

    Raises:
        ImproperlyConfigured: a key that does not exist, or a value that is no number.
    """
    start = default if default is not None else RetryPolicy()
    values = {name: getattr(start, name) for name in RetryPolicy.__dataclass_fields__}
    for name, value in (given or {}).items():
        if name not in values:
            near = get_close_matches(name, values, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"choose of {', '.join(values)}"
            raise ImproperlyConfigured(f"retry_policy: there is no {name!r}: {hint}")
        if name == "retry_errors":
            values[name] = _classes(value)
            continue
        if isinstance(value, bool) or not isinstance(value, int | float | None) or (value is None and name != "max_retries"):
            raise ImproperlyConfigured(f"retry_policy: {name} is {value!r}, must be a number")
        values[name] = value
    return RetryPolicy(**values)


def _classes(value: object) -> tuple[type[BaseException], ...]:
    given = (
        ()
        if value is None
        else (value,)
        if isinstance(value, type)
        else tuple(value)
        if isinstance(value, list | tuple)
        else None
    )
    if given is None or not all(isinstance(each, type) and issubclass(each, BaseException) for each in given):
        raise ImproperlyConfigured(f"retry_policy: retry_errors is {value!r}, must be exception classes")
    return given


def said_by(policy: RetryPolicy) -> dict[str, Any]:
    """Return the mapping that means this policy: the other way of ``policy_of``."""
    return {name: getattr(policy, name) for name in RetryPolicy.__dataclass_fields__}
