"""Settings without a prefix, and those of remote control, events and security.

In a program's life: handed to the app and to whoever reads messages. Does not know: where values come from.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from msgspec import Struct

from celeriac.config.sections.kinds import WITH_SECURITY, Harmless, Names, Seconds, Secretive, Text

_NO_QUEUE: Final = Harmless("a monitor listens, and has no queue that is kept for it")


class GeneralSettings(Struct, frozen=True, kw_only=True):
    """Settings without a prefix."""

    accept_content: Names = ("json",)
    """``accept_content``: serializer names or content types that may be decoded; anything else is refused."""
    enable_utc: bool = True
    """``enable_utc``: times are read and written in UTC; when off, in the local zone unless ``timezone`` says otherwise."""
    timezone: Any = None
    """``timezone``: IANA name (or tzinfo) in which naive times are read. ``None``: ``TIME_ZONE`` of Django's settings, or UTC."""
    imports: Names = ()
    """``imports``: modules that a worker imports when it starts, in this order."""
    include: Names = ()
    """``include``: more modules, after ``imports``."""


class ControlSettings(Struct, frozen=True, kw_only=True):
    """``control_*``: how workers are asked and answer."""

    queue_ttl: Seconds = 300.0
    """``control_queue_ttl``: how long an answer waits to be read, at most; see the next one."""
    queue_expires: Seconds = 10.0
    """``control_queue_expires``: how long an answer waits for somebody who has gone; the smaller of the two counts."""
    queue_exclusive: Annotated[bool, Harmless("who listens has no queue on these stores")] = True
    """``control_queue_exclusive``: such a queue belongs to one connection."""
    queue_durable: Annotated[bool, Harmless("who listens has no queue on these stores")] = False
    """``control_queue_durable``: such a queue survives a restart of the broker; not together with exclusive."""
    exchange: str = "celery"
    """``control_exchange``: name of the mailbox; apps with different ones do not hear each other."""


class EventSettings(Struct, frozen=True, kw_only=True):
    """``event_*``: what workers tell monitors."""

    queue_expires: Annotated[Seconds, _NO_QUEUE] = 60.0
    """``event_queue_expires``: how long a monitor's queue outlives the monitor."""
    queue_ttl: Annotated[Seconds, _NO_QUEUE] = 5.0
    """``event_queue_ttl``: how long an event waits to be read."""
    queue_prefix: Annotated[str, _NO_QUEUE] = "celeryev"
    """``event_queue_prefix``: how names of monitors' queues begin."""
    queue_exclusive: Annotated[bool, _NO_QUEUE] = True
    """``event_queue_exclusive``: a monitor's queue belongs to one connection."""
    queue_durable: Annotated[bool, _NO_QUEUE] = False
    """``event_queue_durable``: it survives a restart of the broker; not together with exclusive."""
    serializer: str = "json"
    """``event_serializer``: how events become bytes."""
    exchange: str = "celeryev"
    """``event_exchange``: where events are published."""


class EventsProgramSettings(Struct, frozen=True, kw_only=True):
    """``events_*``: the monitor of events as a detached program."""

    logfile: Text = None
    """``events_logfile``: file for the log of a camera, ``celeriac events -c``."""
    pidfile: Text = None
    """``events_pidfile``: file that holds a camera's process id."""
    uid: str | int | None = None
    """``events_uid``: user that a camera becomes."""
    gid: str | int | None = None
    """``events_gid``: group that it becomes."""
    umask: str | int | None = None
    """``events_umask``: permissions that its new files lack."""
    executable: Text = None
    """``events_executable``: the Python that runs it."""


class SecuritySettings(Secretive, Struct, frozen=True, kw_only=True):
    """``security_*``: signed messages."""

    certificate: Annotated[Text, WITH_SECURITY] = None
    """``security_certificate``: file of the certificate that goes with the key."""
    cert_store: Annotated[Text, WITH_SECURITY] = None
    """``security_cert_store``: folder or pattern of files of certificates that are trusted."""
    key: Annotated[Text, WITH_SECURITY] = None
    """``security_key``: file of the private key that signs."""
    key_password: Annotated[Any, WITH_SECURITY] = None
    """``security_key_password``: what unlocks the key, bytes or text."""
    digest: Annotated[str, WITH_SECURITY] = "sha256"
    """``security_digest``: name of the hash in signatures."""
