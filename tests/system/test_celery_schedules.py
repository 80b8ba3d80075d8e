"""The same crontabs and intervals in celeriac and in a real Celery: due or not, and when next.

``CELERIAC_TEST_CELERY_PYTHON`` names an interpreter that has Celery; without it these tests are skipped. Compared is where both
promise the same: not in the hour that happens twice, through which only celeriac goes on, and no interval below a second by
the clock, which Celery cuts at full seconds.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from celeriac import Celery
from celeriac.app.schedules import crontab, schedule
from celeriac.core.schedules.fields import ParseException

CELERY_PYTHON = os.environ.get("CELERIAC_TEST_CELERY_PYTHON", "")
CELERY_ANSWERS = """
import json, sys
from datetime import datetime, timedelta
from celery import Celery
from celery.schedules import crontab, schedule

app = Celery(set_as_current=False)
answers = []
for case in json.load(sys.stdin):
    app.conf.timezone = case["zone"]
    app.__dict__.pop("timezone", None)
    clock = {"nowfun": lambda: datetime.fromisoformat(case["now"]), "app": app}
    try:
        made = crontab(*case["fields"], **clock) if "fields" in case else schedule(case["every"], case["relative"], **clock)
        due, again = made.is_due(datetime.fromisoformat(case["last"]).astimezone(app.timezone))
        answers.append([repr(made), due, round(again, 3)])
    except ValueError:
        answers.append(None)
print(json.dumps(answers))
"""

pytestmark = [
    pytest.mark.skipif(not CELERY_PYTHON, reason="CELERIAC_TEST_CELERY_PYTHON names no interpreter that has Celery"),
    pytest.mark.timeout(120),
]


def a_field(chance: random.Random, lowest: int, highest: int) -> Any:
    first, last = (chance.randint(lowest, highest) for _ in range(2))
    return chance.choice(
        ["*", "*", f"*/{chance.randint(1, 9)}", f"{first}-{last}", f"{first}-{last}/2", f"{first},{last}", [first, last]]
    )


def crontabs(chance: random.Random) -> list[Any]:
    return [a_field(chance, *bounds) for bounds in ((0, 59), (0, 23), (0, 6), (1, 31), (1, 12))]


def in_celeriac(case: dict[str, Any], app: Celery) -> list[Any] | None:
    def now() -> datetime:
        return datetime.fromisoformat(case["now"])

    app.conf.timezone = case["zone"]
    try:
        made = (
            crontab(*case["fields"], nowfun=now, app=app)
            if "fields" in case
            else schedule(case["every"], case["relative"], nowfun=now, app=app)
        )
    except ParseException:
        return None
    if isinstance(made, crontab) and made.fields().never:
        return None  # an error with Celery
    due, again = made.is_due(datetime.fromisoformat(case["last"]))
    return [repr(made), due, round(again, 3)]


def differing(cases: list[dict[str, Any]]) -> list[Any]:
    """Return the cases in which the two differ, with both answers."""
    command = [CELERY_PYTHON, "-W", "ignore", "-c", CELERY_ANSWERS]
    answer = subprocess.run(command, input=json.dumps(cases), capture_output=True, text=True, check=True)
    with Celery("compared", broker="memory://compared") as app:
        ours = [in_celeriac(case, app) for case in cases]
    triples = zip(cases, ours, json.loads(answer.stdout), strict=True)
    return [triple for triple in triples if triple[1] != triple[2]]


def test_any_crontab_is_due_when_celery_says_and_next_when_celery_says() -> None:
    chance = random.Random(5)
    cases = []
    for _ in range(3000):
        now = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(4 * 366 * 86400))
        last = now - timedelta(seconds=chance.choice([30, 3000, 90_000, 9_000_000]) * chance.random())
        cases.append({"fields": crontabs(chance), "zone": "Asia/Tokyo", "now": now.isoformat(), "last": last.isoformat()})

    assert differing(cases) == []


def test_a_daily_run_comes_when_celery_says_on_days_when_clocks_change() -> None:
    cases = []
    for day in (datetime(2026, 3, 28, 20, tzinfo=UTC), datetime(2026, 10, 24, 20, tzinfo=UTC)):
        for hour in range(24):
            fields = [30, hour, "*", "*", "*"]
            cases.append({"fields": fields, "zone": "Europe/Berlin", "now": day.isoformat(), "last": day.isoformat()})

    assert differing(cases) == []


def test_any_interval_is_due_when_celery_says_by_the_clock_and_without() -> None:
    chance = random.Random(6)
    cases = []
    for number in range(2000):
        every = chance.choice([1, 30, 60, 90, 3600, 5000, 7200, 86_400, 100_000, 604_800])
        now = datetime(2026, 3, 20, tzinfo=UTC) + timedelta(
            seconds=chance.randrange(300 * 86400), milliseconds=chance.randrange(1000)
        )
        last = now - timedelta(seconds=2 * every * chance.random())
        case = {"every": every, "relative": bool(number % 2), "zone": "Europe/Berlin"}
        cases.append({**case, "now": now.isoformat(), "last": last.isoformat()})

    assert differing(cases) == []
