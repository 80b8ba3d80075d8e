"""What a store must do, and what every part may ask of its surroundings.

A Store is a Broker (queues of messages, leases on those that were taken) and a ResultBackend in one. The docstrings are
the contract; ``celeriac.testing.conformance`` checks every sentence of them. Every call blocks, takes many at a time,
ends within a deadline, and may be made from any thread; after a fork the child calls ``abandon`` first.

Does not know: tasks, settings, how a value becomes bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from celeriac.abc.lessee import Lessee
from celeriac.abc.notices import Broadcast
from celeriac.abc.places import Held, Parked, Scheduled, Waiting
from celeriac.core.message import Delivery, Outgoing
from celeriac.core.rules import Rules
from celeriac.core.settlement import Join, Opening, Settled, Settlement, StoredResult

PUBLISH_DEADLINE_S = 5.0
"""``publish`` returns or raises after this long, retries included, unless told otherwise."""
CALL_DEADLINE_S = 5.0
"""Every other call to a store, not counting what it was asked to wait."""
LATE_PARTS_S = 300.0
"""A store remembers for so long that a chord is over, whatever the life of a chord is."""
LEASE_S = 30.0
"""A node that was silent for this long is dead: others take over what it held."""


class Runtime(Protocol):
    """The hidden inputs of a program, handed in: so that a fleet can run under a virtual clock, from a seed."""

    def now(self) -> datetime:
        """The wall clock: UTC with time zone."""

    def time(self) -> float:
        """The wall clock as seconds since 1970."""

    def monotonic(self) -> float:
        """A clock that never steps, seconds."""

    def sleep(self, seconds: float) -> None:
        """Let time pass."""

    def new_id(self) -> str:
        """A fresh UUID4 as text."""

    def random(self) -> float:
        """At least 0, less than 1."""


class Fetched(Struct, frozen=True):
    """The answer of ``fetch``."""

    deliveries: Sequence[Delivery] = ()
    revision: int = 0
    """That of the store's rules: it grows with each change of them. When it has, ask ``rules()``."""
    more: bool = False
    """Messages were left in these queues: do not wait before the next fetch."""


class Pulse(Struct, frozen=True):
    """The answer of ``keep``."""

    orphans: Sequence[Lessee] = ()
    """Lessees of nodes whose lease has ended: adopt what they held."""
    next_due: float | None = None
    """Seconds until the store has something to do: the earliest message of the schedule is due, or others put messages
    here without waking anybody. ``None``: nothing that it knows of."""
    revision: int = 0
    """As ``Fetched.revision``."""
    throttled: Sequence[str] = ()
    """Task types with messages that are parked though nobody has paused the type: ``release`` brings them back."""


class NodeRecord(Struct, frozen=True):
    """A living node, as ``status`` shows it."""

    node: str
    """Its name for people, such as ``celery@host``."""
    info: Mapping[str, object]
    """What it said of itself in its last ``keep``."""
    seen_s: float
    """Seconds since that."""


class DeadRecord(Struct, frozen=True):
    """One dead letter."""

    id: str
    """Names it among the dead letters of the store."""
    at: float
    """When it died: seconds since 1970."""
    queue: str
    reason: str
    detail: str
    task: str
    task_id: str
    raw: bytes
    """The message as it lay in its queue."""


Place = Waiting | Scheduled | Parked | Held | DeadRecord


class Broker(Protocol):
    """Queues of messages, leases on those that were taken, a schedule, dead letters."""

    @property
    def broadcast(self) -> Broadcast:
        """Notices by way of the same server. ``abandon`` ends every ear, as does ``close``, unless all share this object."""

    def publish(self, messages: Sequence[Outgoing], *, deadline_s: float = PUBLISH_DEADLINE_S) -> None:
        """Put each message at the back of its queue, or, with an eta that has not come, into the schedule.

        Any number of messages; they are sent in batches, each batch whole or not at all.

        Raises:
            BrokerUnreachable: not everything was acknowledged within ``deadline_s``.
            StoreRefused: the server said no.
            Each has ``accepted``: how many messages, from the front, are known to be in.
        """

    def fetch(self, queues: Sequence[str], *, lessee: Lessee, limit: int, wait_s: float) -> Fetched:
        """Lease up to ``limit`` deliveries; wait up to ``wait_s`` seconds for the first one.

        Of large messages fewer come than were asked for: about a megabyte at once, and one at least.

        Of the queues together, the lowest priority number comes first, and within one priority the oldest of a queue;
        ``queues`` are tried in the order given. A delivery stays leased while its lessee's node is alive (``keep``),
        however long the task runs. Of several waiting fetches one message wakes one. Of a paused queue nothing comes, and its
        messages wake nobody; when it is resumed those who wait are woken.

        After a fetch whose answer was lost, the next fetch of the same lessee hands out what that one had leased.

        Raises:
            BrokerUnreachable: no answer; what may have been leased comes with the next fetch, or back with the node's end.
            LeaseExpired: this node is not alive in the eyes of the store; ``keep`` comes first.
        """

    def interrupt(self) -> None:
        """Make every ``fetch`` and ``doze`` of this object that waits return at once; if none waits, the next one.

        Safe in a signal handler.
        """

    def settle(self, settlements: Sequence[Settlement], *, lessee: Lessee) -> Sequence[Settled]:
        """Carry out each settlement, whole or not at all, in one round trip.

        Several Requeues keep their order: the first of them is the first to be fetched again.

        A message that is parked under the name of its task type waits in no queue and is not fetched until it is resumed or
        released. If nobody has paused that type (any longer), a Park that is not ``throttled`` is a Requeue: so none is left
        behind by a resumption that has just passed.

        One whose delivery is not (any longer) leased by ``lessee`` answers LEASE_LOST and changes nothing: nothing is
        stored, published, requeued. A result never overwrites a SUCCESS that is stored under the same id.

        One that the store cannot carry out, whatever the others, answers REFUSED and changes nothing: ``lessee`` still holds its
        delivery. Its neighbours do not notice. (Where broker and results are two stores, its results may have been stored.)

        A ``join`` counts each member of its chord once, however often it comes. Of all settlements with parts of one chord
        one is answered JOINED: with it the parts are as many as ``open_chords`` said, and one more for each id that any join
        has ``added``, however often. Whoever was told so still holds the delivery, whatever its fate,
        and settles it once more; whoever adopts it sees that it is ``joined``. A settlement whose answer was lost is
        answered JOINED again and does nothing twice.

        Raises:
            BrokerUnreachable: no answer; what was carried out is answered LEASE_LOST or JOINED the next time.
            StoreRefused: the store takes nothing at all, such as one that is full; nothing has happened.
        """

    def keep(self, node: str, *, name: str, info: Mapping[str, object], queues: Sequence[str], lease_s: float = LEASE_S) -> Pulse:
        """Say that ``node`` is alive; move what is due from the schedule to the queues; find out who is dead.

        Called about once a second by each node, and a dozen times in each ``lease_s``. After a silence of all nodes (the
        store was away, the machine slept: nobody called for ``lease_s / 6``) nobody is called dead before everybody had
        ``lease_s / 3`` to say that he is alive.
        """

    def adopt(self, lost: Lessee, *, by: Lessee, limit: int = 1000) -> Sequence[Delivery]:
        """Take over up to ``limit`` deliveries that ``lost`` holds, atomically; return what ``by`` holds now, oldest first.

        Nothing moves while the node of ``lost`` is alive, unless it is the node of ``by`` as well: one that ``keep`` called
        dead may have come back since, and keeps what it holds. A node that never spoke, or has left, is not alive.

        They keep their tags. From then on ``lost`` cannot settle them and ``by`` can. Since all that ``by`` holds is
        returned, a call whose answer was lost is simply made again. ``limit=0`` moves nothing: it asks what ``by`` holds.
        """

    def doze(self, seconds: float) -> None:
        """Wait so long, or until a message enters the schedule that is due before all others, or ``interrupt``.

        For the supervisor between two calls of ``keep``: what is due early must not wait for the next full second.
        """

    def leave(self, node: str) -> None:
        """Forget ``node``, which holds nothing any more."""

    def nodes(self) -> Sequence[NodeRecord]:
        """Return the nodes that are alive."""

    def depth(self, queues: Sequence[str]) -> Sequence[int]:
        """Return how many messages wait in each queue; not the leased ones, not the parked ones, not the schedule."""

    def scheduled(self) -> int:
        """Return how many messages are in the schedule."""

    def dated(self, queues: Sequence[str], *, limit: int = 1000) -> Sequence[Scheduled]:
        """Return up to ``limit`` messages that are in the schedule for these queues, the earliest first; they stay there."""

    def hasten(self, queues: Sequence[str], *, limit: int = 1000) -> int:
        """Move up to ``limit`` messages from the schedule to the back of these queues, the earliest first; return how many.

        Though they are not due: for whoever carries messages elsewhere. A message bears its date in its headers, too, so a
        child that fetches one to run it puts it back into the schedule.
        """

    def purge(self, queues: Sequence[str]) -> int:
        """Drop the messages that wait in these queues, are parked for them, or in the schedule for them; return how many."""

    def rules(self) -> Rules:
        """Return what operators have said. Their revision grows with each of the following calls that changes something."""

    def revoke(self, ids: Sequence[str], *, ttl_s: float | None = None) -> None:
        """Remember for ``ttl_s`` seconds that these tasks must not start (the newest 50,000 of them). ``None``: three hours.

        Both figures are others where the environment says so: see ``core.rules.remembered``.
        """

    def revoke_stamps(self, stamps: Mapping[str, Sequence[str]], *, ttl_s: float | None = None) -> None:
        """The same of tasks with one of these stamps: header -> values, as text."""

    def pause(self, *, queues: Sequence[str] = (), tasks: Sequence[str] = ()) -> None:
        """From now on hand out nothing of these queues, and have nobody start tasks of these types, until they are resumed.

        Whoever fetches learns of it with the revision. Pauses survive every node and every restart of the store.
        """

    def resume(self, *, queues: Sequence[str] = (), tasks: Sequence[str] = ()) -> None:
        """End these pauses, and wake those who wait. All of it happens, or nothing.

        What was parked under these types is back in its queue at once: before everything that was published after it, the
        oldest first.
        """

    def release(self, task: str, *, queues: Sequence[str], limit: int) -> int:
        """Put up to ``limit`` parked messages of a type back into their queues, of those; return how many.

        They are the oldest, and come back as by ``resume``. Of a type that is paused: none.
        """

    def parked(self) -> Mapping[str, int]:
        """Return how many messages are parked under each task type that has any."""

    def whereabouts(self, id: str, *, queues: Sequence[str]) -> Sequence[Place]:
        """Return where messages of this task lie: in one of ``queues``, or anywhere else; none, one, or several.

        For people: it reads everything, in steps that hold nobody up. What moves meanwhile may be missed, or told twice.
        """

    def dead_letters(self, *, limit: int = 100, after: str | None = None) -> Sequence[DeadRecord]:
        """Return up to ``limit`` dead letters, the oldest first, beginning after the one with id ``after``."""

    def dead_letter(self, id: str) -> DeadRecord | None:
        """Return one dead letter, or ``None``."""

    def replay(self, ids: Sequence[str]) -> int:
        """Put these dead letters at the back of the queues they came from; return how many there were."""

    def purge_dead(self, ids: Sequence[str] | None = None) -> int:
        """Forget these dead letters, or all of them; return how many."""

    def close(self) -> None:
        """Close every connection. The object may be used again: it connects anew."""

    def abandon(self) -> None:
        """Drop every connection without a word to the server: they belong to the process that forked this one."""


class ResultBackend(Protocol):
    """What is known about tasks: one encoded task meta for each id, and announcements of changes."""

    def store_results(self, results: Sequence[StoredResult]) -> None:
        """Store and announce each state. A SUCCESS stays as it is, and a final state is replaced by final states alone.

        Whoever calls this may have lost his lease and not know it yet (STARTED, ``update_state``): what he says of a task on its
        way must not hide that it has ended. A state that was not stored is not announced.
        """

    def load(self, ids: Sequence[str]) -> Sequence[bytes | None]:
        """Return the encoded task meta of each id; ``None`` where nothing is stored or it has expired."""

    def forget(self, ids: Sequence[str]) -> None:
        """Delete what is stored."""

    def watch(self, ids: Sequence[str], notify: Callable[[str, bytes], None]) -> None:
        """From now on call ``notify(id, body)`` for each state stored under one of these ids, until ``unwatch``.

        What was stored before may not be announced: call ``load`` after ``watch``. ``notify`` is called from a thread of the
        store, must not block, and may be told the same state twice. A connection that broke is renewed in the
        background, and what was stored meanwhile is announced then.
        """

    def unwatch(self, ids: Sequence[str]) -> None:
        """Stop announcing these ids."""

    def close(self) -> None:
        """Close every connection. The object may be used again: it connects anew."""

    def abandon(self) -> None:
        """Drop every connection without a word to the server: they belong to the process that forked this one."""


class Chords(Protocol):
    """The parts of chords, kept by their place, never counted blindly."""

    def open_chords(self, openings: Sequence[Opening]) -> None:
        """Say how many parts each chord has. Before its last member is published; parts that came earlier are kept.

        One of the same id that is over begins anew: somebody sends the same workflow again.
        """

    def parts(self, chord: str) -> Sequence[bytes] | None:
        """Return the parts of ``chord`` by their places; none if it was forgotten. ``None``: it was closed, not long ago."""


class JoiningBackend(ResultBackend, Chords, Protocol):
    """A ResultBackend that joins chords for a Broker that cannot: the two are a ``Pair``."""

    def join(self, join: Join, *, claimant: str) -> bool:
        """Record parts; say whether they complete their chord, or ``claimant`` was told so before. To one claimant alone."""

    def open_if_new(self, opening: Opening) -> None:
        """Open a chord, unless it is open or over."""

    def close_chord(self, chord: str) -> None:
        """Forget the parts. Those that come within the next ``LATE_PARTS_S`` are not recorded; then all of it is forgotten."""


class Store(Broker, JoiningBackend, Protocol):
    """A Broker and a ResultBackend that settle in one step: result, follow-ups, join and delivery, or nothing."""
