"""When settings are read, and which of several sources wins."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from celeriac.config.settings import Conf
from celeriac.config.sources import StillImported
from celeriac.core.errors import ImproperlyConfigured


class Source:
    """A source that counts how often it is asked."""

    def __init__(self, **values: Any) -> None:
        self.values, self.asked = values, 0

    def __call__(self) -> Mapping[str, Any]:
        self.asked += 1
        return self.values


def test_a_source_is_asked_when_a_setting_is_first_needed_and_once() -> None:
    conf, source = Conf(), Source(task_serializer="pickle")
    conf.read_from(source, origin="here")
    before = (source.asked, conf.is_read)

    values = [conf.task_serializer, conf["task_serializer"], conf.settings().task.serializer]

    assert (before, values, source.asked, conf.is_read) == ((0, False), ["pickle"] * 3, 1, True)


def test_writing_and_naming_settings_reads_nothing() -> None:
    conf, source = Conf(), Source()
    conf.read_from(source, origin="here")

    conf.task_acks_late = True
    conf.add_defaults({"task_serializer": "pickle"})
    _ = conf.revision, repr(conf), "task_acks_late" in conf, len(conf)

    assert source.asked == 0


def test_reading_changes_no_revision_so_that_nobody_computes_twice() -> None:
    conf = Conf()
    conf.read_from(Source(task_acks_late=True), origin="here")
    before = conf.revision

    conf.settings()

    assert conf.revision == before


def test_what_is_set_after_the_source_was_named_wins_and_what_was_set_before_is_forgotten() -> None:
    conf = Conf({"task_default_queue": "made-with"})
    conf.update(task_serializer="forgotten", task_compression="gzip")
    conf.read_from(Source(task_serializer="source", task_default_queue="source", timezone="UTC"), origin="here")
    conf.timezone = "Europe/Paris"

    read = (conf.task_serializer, conf.task_compression, conf.task_default_queue, conf.timezone)

    assert read == ("source", None, "made-with", "Europe/Paris")


def test_what_is_forgotten_is_told(caplog: pytest.LogCaptureFixture) -> None:
    conf = Conf({"timezone": "UTC"})
    conf.read_from(Source(), origin="the first")
    conf.update(task_serializer="json", task_acks_late=True)

    with caplog.at_level(logging.WARNING, "celeriac.config"):
        conf.read_from(Source(), origin="the second")

    assert [record.getMessage() for record in caplog.records] == [
        "the second replaces what was set before it was named: task_acks_late, task_serializer must be set after that"
    ]


def test_added_defaults_are_weaker_than_everything_that_is_set_and_computed_late() -> None:
    conf, late = Conf({"task_default_queue": "made-with"}), Source(task_default_queue="late", task_compression="gzip")
    conf.read_from(Source(task_serializer="source"), origin="here")
    conf.add_defaults({"task_serializer": "default", "timezone": "Europe/Paris"})
    conf.add_defaults(late)
    asked = late.asked

    read = (conf.task_serializer, conf.timezone, conf.task_default_queue, conf.task_compression)
    conf.add_defaults(lambda: {"result_serializer": "pickle"})

    assert (asked, late.asked) == (0, 1)
    assert read == ("source", "Europe/Paris", "made-with", "gzip")
    assert (conf.result_serializer, conf.explicit("timezone")) == ("pickle", True)


def test_defaults_that_could_not_be_computed_are_asked_for_again() -> None:
    conf, answers = Conf(), iter([OSError("no network"), None])

    def late() -> dict[str, Any]:
        if (error := next(answers)) is not None:
            raise error
        return {"task_compression": "gzip"}

    conf.add_defaults(late)

    with pytest.raises(OSError, match="no network"):
        _ = conf.task_compression
    assert conf.task_compression == "gzip"


def test_a_source_may_ask_for_settings_itself() -> None:
    conf = Conf({"task_default_queue": "made-with"})
    seen = []

    def source() -> dict[str, Any]:
        seen.append((conf.task_default_queue, conf.settings().task.serializer))
        return {"task_serializer": "pickle"}

    conf.read_from(source, origin="here")

    assert (conf.task_serializer, seen) == ("pickle", [("made-with", "json")])
    assert conf.settings().task.serializer == "pickle"


def test_a_wrong_source_is_told_to_everybody_who_asks_and_named() -> None:
    conf = Conf()
    conf.read_from(Source(task_seralizer="json"), origin="the configuration 'shop.settings'")

    for _ in range(2):
        with pytest.raises(ImproperlyConfigured, match=r"in the configuration 'shop.settings': there is no setting"):
            _ = conf.task_serializer

    assert conf.is_read is False


def test_hooks_are_called_around_the_reading_and_may_set_and_read() -> None:
    calls: list[Any] = []
    conf = Conf()

    def before() -> None:
        calls.append("before")
        conf.read_from(Source(task_serializer="from-hook"), origin="the hook")

    def after(read: Conf) -> None:
        calls.append(("after", read.task_serializer))
        read.task_compression = "gzip"

    conf.call_around_reading(before, after)
    named = list(calls)
    first = conf.settings().task
    second = conf.settings().task

    assert (named, calls) == ([], ["before", ("after", "from-hook")])
    assert (first.serializer, first.compression, second.compression) == ("from-hook", "gzip", "gzip")


def test_many_threads_that_ask_first_ask_the_source_once() -> None:
    conf, source = Conf(), Source(task_serializer="pickle")
    conf.read_from(source, origin="here")
    start, seen = threading.Barrier(8), []

    def ask() -> None:
        start.wait()
        seen.append(conf.settings().task.serializer)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (seen, source.asked) == (["pickle"] * 8, 1)


def test_a_thread_that_imports_the_module_does_not_wait_for_one_that_waits_for_the_module() -> None:
    conf, importing, reading, imported = Conf(), threading.current_thread(), threading.Event(), threading.Event()

    def source() -> dict[str, Any]:
        if threading.current_thread() is importing:
            raise StillImported("shop.settings")
        reading.set()
        assert imported.wait(10)
        return {"task_serializer": "pickle"}

    conf.read_from(source, origin="here")
    reader = threading.Thread(target=conf.read)
    reader.start()
    reading.wait(10)

    meanwhile = conf.settings().task.serializer
    imported.set()
    reader.join()

    assert (meanwhile, conf.settings().task.serializer) == ("json", "pickle")


def test_who_leaves_the_threads_of_a_parent_behind_reads_anew() -> None:
    conf, inside, release = Conf(), threading.Event(), threading.Event()

    def source() -> dict[str, Any]:
        first = not inside.is_set()
        inside.set()
        if first:
            release.wait(10)
        return {"task_serializer": "pickle"}

    conf.read_from(source, origin="here")
    other = threading.Thread(target=conf.read)
    other.start()
    inside.wait(10)

    conf.abandon()
    read = conf.task_serializer
    release.set()
    other.join()

    assert (read, conf.is_read) == ("pickle", True)


def test_the_zone_of_a_django_project_is_ours_unless_we_have_one() -> None:
    conf, own = Conf(), Conf({"timezone": "UTC"})
    for each in (conf, own):
        each.read_from(Source(TIME_ZONE="Europe/Paris"), origin="django")

    zones = [(each.timezone, each.settings().general.timezone) for each in (conf, own)]

    assert zones == [("Europe/Paris", "Europe/Paris"), ("UTC", "UTC")]
