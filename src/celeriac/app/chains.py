"""``chain``: calls one after the other, and the ``|`` between signatures.

In a job's life: ``(add.s(1, 2) | double.s()).delay()``. Names and meanings: Celery's guide, "Canvas", "Chains". Does not know:
what is sent when (``workflows.py``, ``flows``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self, TypeVar, Unpack

from celeriac.app.applying import Applying, applied
from celeriac.app.arguments import arguments_from
from celeriac.app.canvas import group, member_from
from celeriac.app.chords import chord
from celeriac.app.flows.normal import chained, first_step, row
from celeriac.app.flows.stored import Stored, kind_of, members_of, several
from celeriac.app.flows.vetting import vet
from celeriac.app.freezing import linked_to
from celeriac.app.headers import hear_of
from celeriac.app.home import Home
from celeriac.app.options import OptionKeywords, options_from
from celeriac.app.recorded import without_repeats
from celeriac.app.signature import Signature, from_stored, maybe_signature
from celeriac.app.stamping import StampingVisitor
from celeriac.app.workflows import Workflow, built, members_from
from celeriac.core.states import IGNORED, REJECTED

R = TypeVar("R")


@Signature.register_type()
class chain(Workflow[R]):  # noqa: N801 - Celery's name
    """Calls one after the other, each handed the value of the one before; the result is that of the last.

    Example:
        >>> chain(add.s(1, 2), double.s()).delay().get(timeout=1)
        6
    """

    def __new__(cls, *tasks: Any, **options: Any) -> Any:
        """Return the calls one after the other: a chain, also of one; but a group that is followed is a chord, and a list of
        nothing but one group is that group. Source: Celery's ``chain``."""
        app = options.get("app")
        steps = _steps(tasks, app)
        if (found := _longer(steps)) is None:
            for step in steps:
                vet(step)
            made = chained(steps)
            if len(tasks) == 1 and isinstance(tasks[0], group) and len(members_of(steps[0])) != 1:
                found = steps
            elif kind_of(made) == "chain":
                found = named(made, app).tasks
            elif kind_of(first_step(steps) or {}) == "group":
                return named(made, app)
            else:
                found = [named(made, app)]
        new = super().__new__(cls)
        new["kwargs"] = {"tasks": found}  # for ``__init__``: a generator gives its steps once
        return new

    def __init__(self: chain[Any], *tasks: Any, app: Home | None = None, **options: Any) -> None:
        """Take signatures, or one list or generator of them. Options are those of ``apply_async``."""
        options_from(options)
        steps = self["kwargs"]["tasks"] if "kwargs" in self else list(members_of(chained(_steps(tasks, app))))
        Signature.__init__(self, "celery.chain", (), {"tasks": steps}, options, subtask_type="chain", app=app)

    @classmethod
    def from_dict(cls, d: Mapping[str, Any], app: Home | None = None) -> Any:
        """Return the chain that a mapping holds."""
        vet(d)
        kwargs = d.get("kwargs") or {}
        return built(cls, d, {**kwargs, "tasks": members_from(kwargs.get("tasks"), app)}, app)

    @property
    def tasks(self) -> list[Signature[Any]]:
        """The steps."""
        steps: list[Signature[Any]] = self.kwargs["tasks"]
        return steps

    @tasks.setter
    def tasks(self, steps: Sequence[Any]) -> None:
        self.kwargs["tasks"] = [member_from(one, self._app) for one in steps]

    def unchain_tasks(self) -> list[Signature[Any]]:
        """Return copies of the steps: the last linked to what the chain is linked to, each telling its errbacks."""
        vet(self)
        steps = [step.clone() for step in self.tasks]
        for callback in several(self.options.get("link")):
            steps[-1].link(callback)
        for errback in several(self.options.get("link_error")):
            _heard_from(steps, errback, self)
        return steps

    def run(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        group_id: str | None = None,
        chord: Any = None,
        task_id: str | None = None,
        link: Any = None,
        link_error: Any = None,
        publisher: Any = None,
        producer: Any = None,
        root_id: str | None = None,
        parent_id: str | None = None,
        app: Home | None = None,
        group_index: int | None = None,
        **options: Any,
    ) -> Any:
        """Do what ``apply_async`` does, under Celery's older name; sent by ``app`` if that is given."""
        if app is not None:
            self._app = app
        given: dict[str, Any] = {
            "group_id": group_id, "chord": chord, "task_id": task_id, "link": link, "link_error": link_error,
            "publisher": publisher, "producer": producer, "root_id": root_id, "parent_id": parent_id, "group_index": group_index,
        }  # fmt: skip
        return self.apply_async(args, kwargs, **{name: value for name, value in given.items() if value is not None}, **options)

    def freeze(
        self,
        _id: str | None = None,
        group_id: str | None = None,
        chord: Mapping[str, Any] | None = None,
        root_id: str | None = None,
        parent_id: str | None = None,
        group_index: int | None = None,
    ) -> Any:
        """Fix the ids of all steps, and return the result of the last; see ``Signature.freeze``.

        Raises:
            ValueError: there are none.
        """
        vet(self)
        if not self.tasks:
            raise ValueError("this chain has no steps: there is nothing to be called, and nothing that has a result")
        result: Any = None
        *steps, last = self.tasks
        for step in steps:
            found = step.freeze(root_id=root_id, parent_id=parent_id if result is None else None)
            result = found if result is None else linked_to(found, result)
        found = last.freeze(self.id or _id, group_id, chord, root_id, parent_id if result is None else None, group_index)
        self.id = found.id
        return found if result is None else linked_to(found, result)

    _freeze = freeze

    def stamp(self, visitor: StampingVisitor | None = None, append_stamps: bool = False, **headers: Any) -> Self:
        """Stamp every step, with the same stamps or with those that ``visitor`` says. See ``Signature.stamp``."""
        vet(self)
        said = None if visitor is None else visitor.on_chain_start(self, **headers)
        stamps = self._stamps(said, headers, append_stamps)
        self.stamp_links(visitor, append_stamps, **stamps)
        for step in self.tasks:
            step.stamp(visitor, append_stamps, **stamps)
        if visitor is not None:
            visitor.on_chain_end(self, **stamps)
        return self

    def prepare_steps(
        self,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        tasks: Sequence[Any],
        root_id: str | None = None,
        parent_id: str | None = None,
        link_error: Any = None,
        app: Home | None = None,
        last_task_id: str | None = None,
        group_id: str | None = None,
        chord_body: Any = None,
        clone: bool = True,
        from_dict: Any = Signature.from_dict,
        group_index: int | None = None,
    ) -> tuple[list[Any], list[Any]]:
        """Return these steps frozen and in the normal form, and their results; both from the last to the first, as Celery does.

        Args:
            args, kwargs: Added to the first step.
            tasks: The steps.
            root_id, parent_id, last_task_id, group_id, chord_body, group_index: As of ``freeze``.
            link_error: Linked to every step.
            app: Who sends them.
            clone: Work on copies.
            from_dict: Makes a step of a mapping.
        """
        app = app or self.app
        found = [one if isinstance(one, Signature) else from_dict(one, app=app) for one in tasks]
        whole = named(chained([one.clone() for one in found] if clone else found), app)
        steps = whole.tasks if isinstance(whole, chain) else [whole]
        if steps and (args or kwargs):
            steps[0] = steps[0].clone(args, kwargs)
        for errback in several(link_error):
            _heard_from(steps, errback, self)
        last = len(steps) - 1
        results: list[Any] = []
        for index, step in enumerate(steps):
            end = {"_id": last_task_id, "group_id": group_id, "chord": chord_body, "group_index": group_index}
            result = step.freeze(root_id=root_id, parent_id=parent_id if index == 0 else None, **(end if index == last else {}))
            results.append(linked_to(result, results[-1]) if results else result)
        return list(reversed(steps)), list(reversed(results))

    def _linked(self, links: Mapping[str, Any]) -> Stored:
        if not links or not self.tasks:
            whole = chained([{**self, "options": {}}])
        else:
            copy = self.clone()
            copy["options"] = {name: link for name, link in links.items() if name != "link"}
            steps = copy.unchain_tasks()
            for callback in several(links.get("link")):
                _link_each_end(steps[-1], callback)
            whole = chained(steps)
        if kind_of(whole) == "chain" and not members_of(whole):
            return next((step for step in self.tasks if kind_of(step) == "group"), whole)  # it ends with a list of nothing
        return whole

    def _copy_members(self, copy: Signature[Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        steps = [step.clone() for step in self.tasks]
        if steps and (args or kwargs):
            steps[0] = steps[0].clone(args, kwargs)
        copy.kwargs["tasks"] = steps

    def apply(
        self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Unpack[OptionKeywords]
    ) -> Any:
        """Run the steps here and now. ``link`` and ``task_id`` are those of the last, other options hold for the first."""
        return applied(self._applying(args, kwargs, options))

    def _applying(self, args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None, options: Mapping[str, Any]) -> Applying:
        vet(self)
        chosen: dict[str, Any] = {**self.options, **options}
        links = {name: chosen.pop(name) for name in ("link", "link_error") if chosen.get(name)}
        end = {name: chosen.pop(name) for name in ("task_id",) if chosen.get(name)}
        whole = self._linked(links)
        if kind_of(whole) != "chain":
            return (yield named(whole, self._app), args, kwargs, {**chosen, **end})
        result: Any = None
        first, more = arguments_from(args, kwargs)
        steps = [one if isinstance(one, Signature) else named(one, self._app) for one in row(members_of(whole))]
        for index, step in enumerate(steps):
            told = {**(chosen if index == 0 else {}), **(end if index == len(steps) - 1 else {})}
            found = yield step, first, more, told
            if result is not None:
                linked_to(found, result)
            result = found
            if getattr(result, "state", None) in (IGNORED, REJECTED):
                break
            if index < len(steps) - 1:
                first, more = (result.get(),), {}
        return result

    def __or__(self, other: Any) -> Any:
        steps = self.tasks
        if isinstance(other, Mapping) and kind_of(other) == "group" and not members_of(other):
            return self
        if steps and kind_of(steps[-1]) == "group" and len(members_of(steps[-1])) < 2 and kind_of(other) != "group":
            copy = self.clone()
            copy.tasks = [*copy.tasks[:-1], copy.tasks[-1] | other]
            return copy
        if not isinstance(other, Signature) or {one.get("subtask_type") for one in (*steps, other)} != {None}:
            return super().__or__(other)
        if self.options.get("link") or self.options.get("link_error"):
            return super().__or__(other)
        # One call more: the normal form of the others is what it was. Programs build chains of thousands so.
        made: chain[Any] = Signature.__new__(chain)
        Signature.__init__(made, "celery.chain", (), {"tasks": [*steps, other]}, subtask_type="chain")
        return made

    def __len__(self) -> int:
        return len(self.tasks)

    def _shown(self) -> str:
        if not self.tasks:
            return "chain(<empty>)"
        return without_repeats(self.tasks[0]["task"], " | ".join(map(repr, self.tasks)))


def named(stored: Stored, app: Home | None) -> Any:
    """Return a signature as data, in the normal form, as the class that it is."""
    match kind_of(stored):
        case "chain":
            steps = [one if isinstance(one, Signature) else named(one, app) for one in members_of(stored)]
            made = Signature.__new__(chain)
            Signature.__init__(made, "celery.chain", (), {"tasks": steps}, subtask_type="chain", app=app)
            return made
        case "chord":
            upgraded: chord[Any] = chord(members_of(stored), named(stored["kwargs"]["body"], app), app=app)
            upgraded["options"].update(stored.get("options") or {})
            return upgraded
        case "group":
            if isinstance(stored, Signature):
                return maybe_signature(stored, app)
            found: group[Any] = group(members_from(stored, app), app=app)
            found["options"].update(stored.get("options") or {})
            return found
    return stored if isinstance(stored, Signature) else from_stored(stored, app)


def _link_each_end(last: Signature[Any], callback: Mapping[str, Any]) -> None:
    """Link what a chain that is sent ends with: of a group each member. Source: Celery's ``chain.run``."""
    if isinstance(last, group):
        for member in last.tasks:
            _link_each_end(member, callback)
    else:
        last.link(callback)


def _heard_from(steps: Sequence[Signature[Any]], errback: Mapping[str, Any], workflow: Signature[Any]) -> None:
    """Let ``errback`` hear of each step. A group that is followed is the header of a chord, for which its body is heard."""
    for place, step in enumerate(steps, 1):
        if isinstance(step, group) and place < len(steps):
            hear_of(step.tasks, errback, workflow)
        else:
            step.link_error(errback)


def _steps(tasks: Sequence[Any], app: Home | None) -> list[Signature[Any]]:
    steps = tasks[0] if len(tasks) == 1 and not isinstance(tasks[0], Mapping) else tasks
    found = list(steps)
    for place, one in enumerate(found):
        if not isinstance(one, Mapping) or "task" not in one:
            raise TypeError(f"a chain takes signatures, such as add.s(2, 2), not {one!r}")
        if not isinstance(one, Signature):
            found[place] = Signature.from_dict(one, app)
    return found


def _longer(steps: Sequence[Signature[Any]]) -> list[Signature[Any]] | None:
    """Return the steps of a chain and a task that follows or precedes it; ``None``: these are something else.

    Only the two that meet have a say in the normal form. To look at all of them each time would make ten thousand ``|`` in a row
    cost the square of that.
    """
    if len(steps) != 2:
        return None
    first, second = steps
    if isinstance(first, chain) and _is_plain(first) and kind_of(second) is None and kind_of(first.tasks[-1]) is None:
        return [*first.tasks, second]
    if isinstance(second, chain) and _is_plain(second) and kind_of(first) is None:
        return [first, *second.tasks]
    return None


def _is_plain(steps: chain[Any]) -> bool:
    return bool(steps.tasks) and not steps.options
