"""``celeriac schedule`` and what a beat says of wrong words, as somebody types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from celeriac import Celery, crontab
from celeriac.cli.main import celeriac
from celeriac.core.errors import CeleriacError


@pytest.fixture
def app(tmp_path: Path) -> Celery:
    app = Celery("typed", broker=f"sqlite:///{tmp_path / 'typed.db'}", set_as_current=False)
    app.conf.timezone = "Europe/Berlin"
    return app


def typed(app: Celery, *words: str) -> Result:
    return CliRunner().invoke(celeriac, ["schedule", *words], obj=app)


def test_an_entry_goes_through_its_life(app: Celery) -> None:
    assert typed(app, "add", "report", "shop.report", "--cron", "30 7 * * mon-fri", "--args", "[1]").output == "report: added.\n"
    assert typed(app, "add", "poll", "shop.poll", "--every", "30", "--overlap", "skip", "--catch-up", "5").exit_code == 0
    table = typed(app, "list").output
    assert "report  shop.report  30 7 * * mon-fri" in table
    assert "every 30 s" in table
    assert typed(app, "pause", "poll").output == "poll: paused.\n"
    [poll, report] = json.loads(typed(app, "list", "--json").output)
    assert (poll["paused"], poll["next_run"], poll["details"]["catch_up"]) == (True, None, 5)
    assert report["details"]["args"] == [1]
    assert typed(app, "resume", "poll").output == "poll: goes on.\n"
    assert len(typed(app, "run", "poll").output.strip()) == 36
    assert app.store.depth(["celery"]) == [1]
    assert typed(app, "remove", "poll").output == "poll: removed.\n"
    assert "poll" not in typed(app, "list").output


def test_the_next_runs_are_printed_by_the_clock_of_the_zone(app: Celery) -> None:
    app.schedules.add("night", crontab(30, 2), "shop.report", starts="2030-03-30T00:00")

    shown = typed(app, "next", "night", "--count", "3").output

    assert shown.splitlines() == [
        "2030-03-30 02:30:00+01:00 CET",
        "2030-03-31 03:30:00+02:00 CEST",
        "2030-04-01 02:30:00+02:00 CEST",
    ]
    assert json.loads(typed(app, "next", "night", "--json").output) == ["2030-03-30T02:30:00+01:00"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("add", "a", "t"), "say when: either --every SECONDS or --cron LINE"),
        (("add", "a", "t", "--every", "5", "--cron", "* * * * *"), "say when: either"),
        (("add", "a", "t", "--every", "* * * * *"), "a line of cron goes with --cron"),
        (("add", "a", "t", "--every", "5", "--args", "5"), "not an array"),
    ],
)
def test_what_is_typed_wrongly_is_told(app: Celery, words: tuple[str, ...], sentence: str) -> None:
    ran = typed(app, *words)

    assert ran.exit_code == 2
    assert sentence in ran.output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("add", "a", "t", "--cron", "61 * * * *"), "minute = '61' cannot be read"),
        (("add", "a", "t", "--every", "5", "--timezone", "Mars/Olympus"), "names no time zone"),
        (("add", "a", "t", "--every", "5", "--catch-up", "some"), "catch_up = 'some' is neither none, nor last"),
        (("pause", "nobody"), "no entry of the beat is called 'nobody'"),
        (("next", "nobody"), "no entry of the beat is called 'nobody'"),
    ],
)
def test_what_cannot_be_done_is_told(app: Celery, words: tuple[str, ...], sentence: str) -> None:
    ran = typed(app, *words)

    assert isinstance(ran.exception, CeleriacError)
    assert sentence in str(ran.exception)


def test_who_removes_nothing_is_told(app: Celery) -> None:
    ran = typed(app, "remove", "nobody")

    assert "no entry of the beat is called 'nobody'" in ran.output
    assert app.schedules.get("nobody") is None
