"""What a task may ask and do while it runs: its request, retry, replace, states of its own.

In a job's life: the middle of it. Everything here is about the call that runs in this thread or coroutine, and nothing if the
function was called as a function. Names and meanings: Celery's guide, "Tasks". Does not know: how a call is sent.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Final, NoReturn, Unpack

from msgspec import structs

from celeriac.app import handlers
from celeriac.app.arguments import Parameters
from celeriac.app.attributes import Attributes
from celeriac.app.checking.validation import Validation
from celeriac.app.conduct import Conduct, conduct_of
from celeriac.app.context import Context, current_context, enter
from celeriac.app.eager_result import EagerResult
from celeriac.app.flows.frozen import handle_of
from celeriac.app.flows.reshaping import added_ids, added_to, in_place_of
from celeriac.app.flows.stored import kind_of
from celeriac.app.following import following
from celeriac.app.launching import result_of
from celeriac.app.options import FurtherKeywords, options_from
from celeriac.app.retrying import RetryRules, Wish, plan_retry, wish_of
from celeriac.app.signature import Signature, signature
from celeriac.core import states
from celeriac.core.errors import Ignore, Retry
from celeriac.core.message import Message
from celeriac.core.settlement import Addition, Following
from celeriac.core.tracebacks import text_of

log = logging.getLogger("celeriac.app")

_NOTHING: Final = Following()
_pushed: ContextVar[tuple[Context | None, ...]] = ContextVar("celeriac_pushed", default=())


class Replaced(Ignore):
    """The task goes on as another one, whose messages are sent in the step that ends this run."""

    def __init__(self, after: Following = _NOTHING, instead: Any = None) -> None:
        """``instead``: how the other one ended, where it ran here and now."""
        super().__init__("replaced by another task")
        self.after, self.instead = after, instead


class RequestStack:
    """``task.request_stack``: the calls that run here, one inside the other."""

    @property
    def top(self) -> Context | None:
        """The innermost one; ``None`` outside of tasks."""
        return current_context()

    def push(self, context: Context) -> None:
        """Make ``context`` the current call, until ``pop``."""
        _pushed.set((*_pushed.get(), current_context()))
        enter(context)

    def pop(self) -> Context | None:
        """Undo the last ``push`` and return what it made current; ``None`` if there was none."""
        before = _pushed.get()
        if not before:
            return None
        last = current_context()
        _pushed.set(before[:-1])
        enter(before[-1])
        return last


class Running(handlers.Handlers, Attributes):
    """A task, as it sees itself while it runs."""

    request_stack: Final = RequestStack()
    plain: bool = False
    """Nothing of the user's is called around ``run``, nor in place of ``delay``."""
    has_own_call: bool = False
    """Its class has a ``__call__`` that is to be called in place of ``run``."""
    validation: Validation | None = None
    """What ``pydantic=True`` asks for."""
    _parameters: Parameters
    _conduct: Conduct
    _conducted_at: int = -1
    """Revision of the settings that ``_conduct`` was made for."""

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Do the work. ``@app.task`` puts the function here; a class-based task defines it."""
        raise NotImplementedError(f"task {self.name} has no run()")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function, here and now."""
        return self.run(*args, **kwargs)

    def conduct(self) -> Conduct:
        """Return how its runs are handled; computed again when a setting or an attribute has changed."""
        revision = self.app.conf.revision
        if self._conducted_at != revision:
            self._conduct, self._conducted_at = conduct_of(self), revision
        return self._conduct

    def without_secrets(self, message: Message) -> Message:
        """Return a message of this task as it may be kept where people look."""
        secrets = self._parameters.secrets
        if secrets is None:
            return message
        args, kwargs = secrets.shown(message.args, message.kwargs, "***")
        return structs.replace(message, args=args, kwargs=kwargs)

    @property
    def request(self) -> Context:
        """The call that runs here; an empty one when the task was called as a function."""
        context = current_context()
        return Context() if context is None else context

    def _get_request(self) -> Context:
        # Extensions ask for it by this name of Celery's.
        return self.request

    def push_request(self, *args: Any, **kwargs: Any) -> None:
        """Make a request with these attributes the current one: for tests of what reads ``self.request``."""
        pushed = Context(*args, **kwargs)
        pushed.within, pushed.called = current_context(), self
        self.request_stack.push(pushed)

    def pop_request(self) -> Context | None:
        """Undo ``push_request``."""
        return self.request_stack.pop()

    def retry(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        exc: BaseException | None = None,
        throw: bool = True,
        eta: datetime | str | None = None,
        countdown: float | None = None,
        max_retries: int | None = None,
        **options: Unpack[FurtherKeywords],
    ) -> Retry:
        """Run again later, under the same id. Write ``raise self.retry(...)``: nothing after it runs.

        Args:
            args: Other positional arguments; ``None``: the same.
            kwargs: Other keyword arguments; ``None``: the same.
            exc: Why; is raised when there are no retries left.
            throw: Raise Retry. Otherwise the retry is sent at once and returned, and the run goes on.
            eta: When.
            countdown: After how many seconds; by default ``default_retry_delay``.
            max_retries: Another limit for this time; ``None``: the task's.
            options: Of ``apply_async``.

        Raises:
            Retry: always, unless ``throw`` is false.
            MaxRetriesExceededError: there are no retries left, and no ``exc`` was given.
        """
        context = self.request
        if context.called_directly:
            _raise_directly(exc)
        if self.validation is not None:
            args, kwargs = self.validation.plain(args), self.validation.plain(kwargs)
        wish = Wish(
            args=args,
            kwargs=kwargs,
            exc=exc,
            eta=eta,
            countdown=self.default_retry_delay if eta is None and countdown is None else countdown,
            limit=self.max_retries if max_retries is None else max_retries,
            options=options_from(options),
        )
        retry = plan_retry(context, wish, self._parameters, self.app.producer.here)
        if throw:
            raise retry
        self._retry_now(context, retry)
        return retry

    def _retry_now(self, context: Context, retry: Retry) -> None:
        self.app.producer.submit_again(context, retry)

    def retry_by_rule(self, context: Context, error: BaseException) -> None:
        """Raise Retry if ``autoretry_for`` says so of a run that ended with ``error``; otherwise return.

        Raises:
            Retry: it is to run again.
            Exception: what the caller is to see, when there are no retries left.
        """
        rules = RetryRules(
            classes=tuple(self.autoretry_for),
            excluded=tuple(self.dont_autoretry_for),
            kwargs=self.retry_kwargs,
            backoff=self.retry_backoff,
            backoff_max_s=self.retry_backoff_max,
            jitter=self.retry_jitter,
        )
        if context.called_directly or not rules.holds_for(error):
            return
        wanted: dict[str, Any] = dict(rules.kwargs)
        delay = rules.delay_s(context.retries, self.app.runtime.random())
        if delay is not None:
            wanted["countdown"] = delay
        elif "countdown" not in wanted and "eta" not in wanted:
            wanted["countdown"] = self.default_retry_delay
        wish = Wish(
            args=wanted.pop("args", None),
            kwargs=wanted.pop("kwargs", None),
            exc=error,
            eta=wanted.pop("eta", None),
            countdown=wanted.pop("countdown", None),
            limit=self.max_retries if (limit := wanted.pop("max_retries", None)) is None else limit,
            options=options_from(wanted),
        )
        raise plan_retry(context, wish, self._parameters, self.app.producer.here)

    def retry_by_hand(self, context: Context, asked: Retry) -> NoReturn:
        """Raise the Retry that one which the task raised itself, without ``retry``, asks for.

        Raises:
            Retry: it is to run again.
            Exception: what the caller is to see, when there are no retries left.
        """
        wish = wish_of(asked, limit=self.max_retries, delay_s=self.default_retry_delay)
        raise plan_retry(context, wish, self._parameters, self.app.here)

    def replace(self, sig: Mapping[str, Any]) -> Any:
        """Let another task, or a workflow, take the place of this call: its id, callbacks, and place in its workflow.

        Write ``raise self.replace(other.s())`` or ``return self.replace(...)``: nothing after it runs. What followed this call
        follows the end of ``sig``; of a group that is the list of its members' values.

        Args:
            sig: A signature of any kind.

        Raises:
            Ignore: always.
            ImproperlyConfigured: an empty chain, or a signature that is a member of a chord already.
            RuntimeError: the task was called as a function: there is nothing to replace.

        Source: Celery's reference of ``Task.replace``.
        """
        context = self.request
        if context.called_directly:
            raise RuntimeError(f"task {self.name} was called as a function: there is no call to replace")
        chosen = signature(sig, app=self.app)
        members_hear = self.app.conf.settings().task.allow_error_cb_on_chord_header
        whole = in_place_of(context.as_message(), chosen, self.app.runtime.new_id, members_hear=members_hear)
        return self.on_replace(signature(whole, app=self.app))

    def on_replace(self, sig: Signature[Any]) -> Any:
        """Send what takes this call's place; may be overridden. ``sig`` has this call's id and place already."""
        if self.request.is_eager:
            # Raises nothing of the other's: this run has ended without a result, whatever becomes of that one.
            raise Replaced(instead=self._instead(sig))
        if kind_of(sig) is None:
            # Not what follows it, but a call of this task's own: wrong arguments are told here.
            raise Replaced(Following((self.app.producer.plan(sig.call(), self.request.message),)))
        raise Replaced(following(self.app, sig, (), self.request.as_message()))

    def _instead(self, sig: Signature[Any]) -> Any:
        """Run what takes an eager call's place, and return how it ended."""
        if kind_of(sig) is None:
            return self.app.tasks[sig.task].apply(sig.args, sig.kwargs, throw=False, **sig.options)
        try:
            return sig.apply()
        except Exception as error:  # a step's: those who were to hear of it have heard
            text = text_of(error, error.__traceback__)
            return EagerResult(self.request.id or "", error, states.FAILURE, text, name=self.name, app=self.app)

    def add_to_chord(self, sig: Mapping[str, Any], lazy: bool = False) -> Any:
        """Add a member to the chord that this call is a member of; its value comes behind those of the header.

        It is sent in the step that ends this run, in which the chord learns of it, too: so the chord waits for neither too few
        nor too many, whatever happens to the run. A run that ends with a retry has added nothing.

        Args:
            sig: A signature of any kind; each member of a group is one for itself.
            lazy: Do not send it: ``sig`` becomes a member, and ``sig.delay()`` is the task's own to call.

        Returns:
            Its result; ``sig`` itself if ``lazy``.

        Raises:
            ValueError: the call is a member of no chord.

        Source: Celery's reference of ``Task.add_to_chord``.
        """
        context = self.request
        message = context.as_message()
        chosen, ordinal = signature(sig, app=self.app), len(context.additions)
        member = added_to(message, chosen, self.app.runtime.new_id, ordinal=ordinal)
        ids = tuple(added_ids(member))
        if lazy:
            context.additions = (*context.additions, Addition(ids))
            made = signature(member, app=self.app)
            if isinstance(sig, Signature):
                sig.update(made)  # as in Celery: programs send what they have handed in
                return sig
            return made
        context.additions = (*context.additions, Addition(ids, following(self.app, member, (), message)))
        return self.add_trail(result_of(self.app, handle_of(member)))

    def add_trail(self, result: Any) -> Any:
        """Remember ``result`` among the children of the call that runs here; return it."""
        if self.trail:
            self.request.add_child(result)
        return result

    def update_state(self, task_id: str | None = None, state: str | None = None, meta: Any = None, **kwargs: Any) -> None:
        """Store a state of one's own, such as ``PROGRESS``, for whoever looks or waits.

        Args:
            task_id: ``None``: the call that runs here.
            state: Its name.
            meta: What ``result.info`` is to be.
            kwargs: Celery hands these to its result backends; there is none here that takes any.

        Raises:
            TypeError: ``kwargs`` were given.
        """
        if kwargs:
            raise TypeError(f"update_state takes task_id, state and meta, not {', '.join(sorted(kwargs))}")
        context = self.request
        id = task_id or context.id
        if id is None:
            return  # called as a function: there is nobody to tell
        if state is None:
            raise ValueError("update_state needs a state, such as state='PROGRESS'")
        self.backend.store_result(id, meta, state, request=context if id == context.id else None)

    def send_event(self, type_: str, retry: bool = True, retry_policy: Mapping[str, Any] | None = None, **fields: Any) -> None:
        """Tell monitors something about this run, whether they are told about tasks or not. It is out when this returns.

        Args:
            type_: What: ``task-`` and a word of the program's own; a monitor shows it as a state of that name.
            retry: Accepted: a store tries again by itself until its deadline.
            retry_policy: The same.
            fields: What else is to be known; plain data.

        Raises:
            OperationalError: the broker did not answer.
        """
        with self.app.events.default_dispatcher(hostname=self.request.hostname) as dispatcher:
            dispatcher.send(type_, uuid=self.request.id, retry=retry, retry_policy=retry_policy, **fields)


def _raise_directly(exc: BaseException | None) -> NoReturn:
    """Called as a function there is no message to send again: the caller sees the error itself."""
    current = sys.exc_info()[1]
    if exc is not None and current is not None and exc is not current:
        raise exc from current
    raise exc or current or Retry("Task can be retried")
