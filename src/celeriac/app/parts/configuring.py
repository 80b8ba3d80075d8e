"""Configuring: the settings of an app, and where they come from.

In a program's life: at import, when ``Celery(...)`` is made and told its settings; they are read when something first needs
them. Does not know: tasks, stores.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import tzinfo
from typing import Any

from celeriac.abc import Runtime
from celeriac.app.dispatch import Signal
from celeriac.app.parts.zones import zone_of
from celeriac.config.sections import Settings
from celeriac.config.settings import Conf
from celeriac.config.sources import default_source, from_object, is_absent
from celeriac.config.words import settings_from
from celeriac.core.codecs import content_types
from celeriac.core.errors import ImproperlyConfigured


class Configuring:
    """The part of an app that knows its settings."""

    runtime: Runtime
    """Clock, ids, chance."""
    namespace: str | None = None
    """What names in sources begin with, for every source that is not told another."""
    on_configure: Signal = None  # type: ignore[assignment]  # a class has none, an app always
    """Signal, sent when a setting is first asked for, before the source is read. A subclass may have a method of this name."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        """``given`` is what the app was made with; it wins over files and objects."""
        self.conf = Conf(given, environ=os.environ)
        """The settings, by Celery's names."""
        if self.on_configure is None:
            self.on_configure = Signal(name="on_configure")
        self.on_after_configure = Signal(("source",), name="on_after_configure")
        """Sent when it has been read, with the settings as ``source``."""
        self.conf.default_to(self._default_settings)
        self.conf.call_around_reading(
            before=self._announce_reading,
            after=self._announce_read,
        )

    def _default_settings(self) -> Mapping[str, Any]:
        """Return the settings of an app that was told no source."""
        return default_source(os.environ, told_nothing=self.conf.is_untold)

    def _announce_reading(self) -> None:
        if isinstance(self.on_configure, Signal):
            self.on_configure.send(self)
        else:
            self.on_configure()

    def _announce_read(self, conf: Conf) -> None:
        self.on_after_configure.send(self, source=conf)

    @property
    def settings(self) -> Settings:
        """The settings as typed sections."""
        return self.conf.settings()

    @property
    def configured(self) -> bool:
        """Whether the settings have been read."""
        return self.conf.is_read

    @property
    def timezone(self) -> tzinfo:
        """Where times without a zone are meant."""
        general = self.settings.general
        return zone_of(general.timezone, enable_utc=general.enable_utc, now=self.runtime.now())

    @property
    def accept_content(self) -> frozenset[str]:
        """Content types that may be read."""
        return content_types(self.settings.general.accept_content)

    def config_from_object(self, obj: Any, silent: bool = False, force: bool = False, namespace: str | None = None) -> None:
        """Take the settings from a mapping, module, class or object, or the dotted name of one.

        It is read when a setting is first needed: until then it may be changed, and it may import the app. What was set before is
        forgotten, but for what the app was made with; what is set afterwards wins over it.

        Args:
            obj: Where they are.
            silent: A module that is not there is no error.
            force: Read it now.
            namespace: Only names with this prefix, such as ``"CELERY"``.

        Raises:
            ImproperlyConfigured: with ``force``: it cannot be imported, or holds a setting that does not exist or is wrong.
                Without: whoever first needs a setting is told.

        Source: Celery's guide, "Application", on configuration.
        """
        self.namespace = namespace = namespace or self.namespace

        def read() -> dict[str, Any]:
            try:
                return dict(self.prepare_config(from_object(obj, namespace=namespace)))
            except ImproperlyConfigured as error:
                if silent and isinstance(obj, str) and is_absent(error, obj):
                    return {}
                raise

        self.conf.read_from(read, origin=_called(obj))
        if force:
            self.conf.read()

    def prepare_config(self, c: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the names and values of a source as they shall be used. For subclasses, which may change them.

        Source: Celery's reference of ``Celery.prepare_config``.
        """
        return c

    def config_from_cmdline(self, argv: Iterable[str], namespace: str = "celery") -> None:
        """Set what words of a command line say, such as ``"worker.concurrency=3"`` or ``"task_acks_late=true"``.

        Args:
            argv: The words.
            namespace: Prefix of names that begin with a dot.

        Raises:
            ImproperlyConfigured: a word has another form, or names no setting, or a value that it cannot have.
        """
        try:
            self.conf.update(settings_from(argv, namespace=namespace))
        except ValueError as error:
            raise ImproperlyConfigured(f"{error.args[0]!r} is no setting such as task_acks_late=true") from None

    def config_from_envvar(self, variable_name: str, silent: bool = False, force: bool = False) -> bool:
        """Take the settings from the module that an environment variable names; return whether there is such a variable.

        Raises:
            ImproperlyConfigured: there is no such variable, unless ``silent``.
        """
        name = os.environ.get(variable_name)
        if name:
            self.config_from_object(name, silent=silent, force=force)
        elif not silent:
            raise ImproperlyConfigured(f"the environment variable {variable_name} names no module with settings")
        return bool(name)

    def add_defaults(self, fun: Mapping[str, Any] | Callable[[], Mapping[str, Any]]) -> None:
        """Add settings that hold where nothing else is set. A function is called when a setting is first needed.

        Source: Celery's reference of ``Celery.add_defaults``. There, they win over a configuration module; here they do not.
        """
        self.conf.add_defaults(fun)

    def setup_security(
        self,
        allowed_serializers: Iterable[str] | None = None,
        key: str | None = None,
        key_password: bytes | None = None,
        cert: str | None = None,
        store: str | None = None,
        digest: str = "sha256",
        serializer: str = "json",
    ) -> None:
        """Have messages signed. Not yet: a program that wants them signed must not run with messages that are not.

        Raises:
            ImproperlyConfigured: always, in this version.
        """
        del allowed_serializers, key, key_password, cert, store, digest, serializer
        raise ImproperlyConfigured("setup_security: this version cannot sign messages; the serializer 'auth' comes with them")


def _called(source: Any) -> str:
    """Return what messages call a source. Not its repr: it holds values."""
    if isinstance(source, str):
        return f"the configuration {source!r}"
    name = getattr(source, "__name__", None) or type(source).__name__
    return f"the configuration {name!r}"
