"""Stamps: labels on the calls of a workflow, which travel with them and are seen in ``self.request.stamps``.

In a job's life: before ``apply_async``. A stamp is an option of a signature, and its name is in the option ``stamped_headers``;
so it stays with the call wherever the workflow carries it: in a chain, a chord, a callback, a retry, and with what replaces it
(``flows.reshaping``). It is not handed on to what was not stamped itself: a call made inside a task, a callback that was linked
later. Names and meanings: Celery's guide, "Canvas", "Stamping". Does not know: how workflows are sent.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Final, Self

from celeriac.app.flows.vetting import vet
from celeriac.app.recorded import Recorded

NAMES: Final = "stamped_headers"
"""Option that names the stamps of a signature. Of what a visitor returns: which of it are stamps; without it, all is."""
Stamps = Mapping[str, Any]


class StampingVisitor(ABC):
    """Says which stamps the parts of a workflow get; is handed each of them, from the outside to the inside.

    What ``on_group_start``, ``on_chain_start`` and ``on_chord_header_start`` return holds for everything inside; every method is
    handed the stamps that come from outside as keywords.

    Example:
        >>> class Numbered(StampingVisitor):
        ...     def on_signature(self, sig, **headers):
        ...         return {"monitoring_id": uuid4().hex}
        >>> workflow.stamp(visitor=Numbered())
    """

    def on_group_start(self, group: Any, **headers: Any) -> Stamps | None:
        """Return the stamps of all members of a group."""
        del group, headers
        return {}

    def on_group_end(self, group: Any, **headers: Any) -> None:  # noqa: B027 - may be left out
        """Hear that all members of a group are stamped."""

    def on_chain_start(self, chain: Any, **headers: Any) -> Stamps | None:
        """Return the stamps of all steps of a chain."""
        del chain, headers
        return {}

    def on_chain_end(self, chain: Any, **headers: Any) -> None:  # noqa: B027 - may be left out
        """Hear that all steps of a chain are stamped."""

    @abstractmethod
    def on_signature(self, sig: Any, **headers: Any) -> Stamps | None:
        """Return the stamps of one call."""

    def on_chord_header_start(self, sig: Any, **header: Any) -> Stamps | None:
        """Return the stamps of all members of a chord: what ``on_group_start`` says of its header, unless overridden."""
        return self.on_group_start(sig.header, **header)

    def on_chord_header_end(self, sig: Any, **header: Any) -> None:
        """Hear that all members of a chord are stamped."""
        self.on_group_end(sig.header, **header)

    def on_chord_body(self, sig: Any, **header: Any) -> Stamps | None:
        """Return the stamps of the body of the chord ``sig``."""
        del sig, header
        return {}

    def on_callback(self, callback: Any, **header: Any) -> Stamps | None:
        """Return the stamps of something that is linked for success; ``on_signature`` is asked after it."""
        del callback, header
        return {}

    def on_errback(self, errback: Any, **header: Any) -> Stamps | None:
        """Return the stamps of something that is linked for failure; ``on_signature`` is asked after it."""
        del errback, header
        return {}


class Stamped(Recorded):
    """A signature that can be stamped."""

    __slots__ = ()

    def stamp(self, visitor: StampingVisitor | None = None, append_stamps: bool = False, **headers: Any) -> Self:
        """Stamp this call and what is linked to it. Returns itself.

        Args:
            visitor: Says which stamps each of them gets, beside ``headers``.
            append_stamps: A stamp that is there already becomes a list of the old and the new value. Otherwise the new one
                takes its place.
            headers: Stamps.

        Source: Celery's guide, "Canvas", "Stamping".
        """
        vet(self)
        self.stamp_links(visitor, append_stamps, **headers)
        said = None if visitor is None else visitor.on_signature(self, **headers)
        return self._set(self._stamps(said, headers, append_stamps))

    def stamp_links(self, visitor: StampingVisitor | None, append_stamps: bool = False, **headers: Any) -> None:
        """Stamp what is linked to this call, for success and for failure, and not the call itself."""
        for option in ("link", "link_error"):
            if not self["options"].get(option):
                continue
            seen: Mapping[str, Any] = headers
            links = [self._as_signature(one) for one in self._several(option)]  # what was stored is a plain mapping
            for link in links:
                said = None
                if visitor is not None:
                    said = visitor.on_callback(link, **seen) if option == "link" else visitor.on_errback(link, **seen)
                seen = merged(seen, said, append=append_stamps)
                link.stamp(visitor, append_stamps, **seen)
            self["options"][option] = links

    def _stamps(self, said: Stamps | None, headers: Mapping[str, Any], append: bool) -> dict[str, Any]:
        """Return the stamps that this gets: those from outside, what a visitor said, and those it has."""
        found = merged(headers, said, append=append)
        names = _union(found[NAMES], self["options"].get(NAMES) or ())
        had = {name: self["options"][name] for name in names if name in self["options"]}
        return {**_merged(found, had, append), NAMES: names}

    def _set(self, options: Mapping[str, Any]) -> Self:
        """Change options; returns itself."""
        raise NotImplementedError


def merged(headers: Mapping[str, Any], said: Stamps | None, *, append: bool) -> dict[str, Any]:
    """Return the stamps from outside with what a visitor said, and the option that names them all."""
    found = {**headers, NAMES: list(headers.get(NAMES, headers))}
    if said is None:
        return found
    said = {**said, NAMES: list(said.get(NAMES, said))}
    return {**_merged(found, said, append), NAMES: _union(found[NAMES], said[NAMES])}


def _merged(first: Mapping[str, Any], second: Mapping[str, Any], append: bool) -> dict[str, Any]:
    """Return both; where both say something, the first wins, or it becomes a list of both. Lists are always put together."""
    found = dict(first)
    for name, value in second.items():
        if name not in found:
            found[name] = list(value) if isinstance(value, list) else value
        elif name != NAMES:
            found[name] = _both(found[name], value, append)
    return found


def _both(first: Any, second: Any, append: bool) -> Any:
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return _merged(first, second, append)
    if isinstance(first, list) and isinstance(second, list):
        return [*first, *second]
    if not append:
        return first
    several = [] if first is None else list(first) if isinstance(first, list | tuple | set | frozenset) else [first]
    return [*several, *second] if isinstance(second, list) else [*several, second]


def _union(first: Any, second: Any) -> list[str]:
    return list(dict.fromkeys([*first, *second]))
