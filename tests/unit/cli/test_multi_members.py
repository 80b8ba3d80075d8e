"""Which nodes a command line of ``multi`` means, and what starts them."""

from __future__ import annotations

import shlex
import signal

import pytest

from celeriac.cli.cluster.members import Member, find, members_of
from celeriac.cli.cluster.words import parse_words, signal_of
from celeriac.core.errors import ImproperlyConfigured

FILES = "--pidfile=/run/%n.pid --logfile=/log/%n%I.log"


def members(line: str) -> list[Member]:
    return members_of(parse_words(shlex.split(line)), host="here.org", python="python")


def names(line: str) -> list[str]:
    return [member.name for member in members(line)]


def of_option(line: str, flag: str) -> list[str | None]:
    """Return what each node's command says behind a short option."""
    found: list[str | None] = []
    for member in members(line):
        words = list(member.arguments)
        found.append(words[words.index(flag) + 1] if flag in words else None)
    return found


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("3", ["celery1@here.org", "celery2@here.org", "celery3@here.org"]),
        ("2 --range-prefix=w", ["w1@here.org", "w2@here.org"]),
        ("a b", ["a@here.org", "b@here.org"]),
        ("a b --prefix=w", ["wa@here.org", "wb@here.org"]),
        ("a b@there.org c@%h", ["a@here.org", "b@there.org", "c@here.org"]),
        ("a --hostname=x.y", ["a@x.y"]),
        ("a -n x.y", ["a@x.y"]),
        ("a --suffix=x.y", ["a@x.y"]),
        ("1-3", ["1-3@here.org"]),
        ("", []),
    ],
)
def test_nodes_are_counted_or_named(line: str, expected: list[str]) -> None:
    found = names(line)

    assert found == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("3 -c 3", ["3", "3", "3"]),
        ("3 -c 3 -c:1 10", ["10", "3", "3"]),
        ("4 -c 3 -c:1-3 10", ["10", "10", "10", "3"]),
        ("4 -c 3 -c:1,3 10", ["10", "3", "10", "3"]),
        ("5 -c:1-2,4 10", ["10", "10", None, "10", None]),
        ("a b c -c 3 -c:b 10", ["3", "10", "3"]),
        ("a b c -c:2 10", [None, "10", None]),
        ("a b c -c:a,c 10", ["10", None, "10"]),
        ("a b c -c:a,2 10", ["10", "10", None]),
        ("a b -c:b@here.org 10", [None, "10"]),
    ],
)
def test_options_behind_a_colon_are_for_some(line: str, expected: list[str | None]) -> None:
    found = of_option(line, "-c")

    assert found == expected


def test_an_option_for_a_node_that_is_not_there_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="for node 9, and there are 3"):
        members("3 -c:9 2")


def test_the_command_of_a_node_is_that_of_celery() -> None:
    [member] = members(f"a -A shop -Q 'one two' {FILES} --append=x=%n -- task_acks_late=1")

    assert member.command_line() == (
        "-m celeriac -A shop worker --detach -Q 'one two' --pidfile=/run/a.pid --logfile=/log/a%I.log -n a@here.org "
        "--executable=python -- task_acks_late=1 x=a"
    )


def test_the_files_are_those_that_the_worker_will_write() -> None:
    [member] = members(f"a {FILES}")

    assert (member.pidfile, member.logfile) == ("/run/a.pid", "/log/a.log")


def test_without_a_word_files_are_where_celery_has_them() -> None:
    [member] = members("1")

    assert (member.pidfile, member.logfile) == ("/var/run/celery/celery1.pid", "/var/log/celery/celery1.log")


def test_placeholders_are_those_of_celery() -> None:
    [member] = members("a")

    text = member.expand("%n %N %d %h %p %i %I %%")

    assert text == "a a here.org a@here.org a@here.org %i %I %"


@pytest.mark.parametrize("name", ["b", "b@here.org"])
def test_a_node_is_found_by_its_whole_or_its_short_name(name: str) -> None:
    found = find(members("a b"), name)

    assert found is not None
    assert found.name == "b@here.org"


@pytest.mark.parametrize(
    ("word", "expected"),
    [("-9", signal.SIGKILL), ("-KILL", signal.SIGKILL), ("-SIGINT", signal.SIGINT), ("-15", signal.SIGTERM), ("-c", None)],
)
def test_a_signal_is_a_number_or_a_name(word: str, expected: signal.Signals | None) -> None:
    found = signal_of(word)

    assert found == expected


def test_a_signal_eats_no_name_and_is_not_for_the_nodes() -> None:
    words = parse_words(["-KILL", "a", "b"], signals=True)

    assert (words.signal, words.names, words.options) == (signal.SIGKILL, ["a", "b"], {})
