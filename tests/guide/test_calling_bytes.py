"""The examples of Celery's chapter "Calling Tasks": serializers, compression, and what is accepted."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from celeriac import Celery
from celeriac.core.message import Parcel
from guide.conftest import Serve
from unit.app.serving import fetched

TYPES = {
    "json": "application/json",
    "pickle": "application/x-python-serialize",
    "yaml": "application/x-yaml",
    "msgpack": "application/x-msgpack",
}
METHODS = {
    "brotli": "application/x-brotli",
    "bzip2": "application/x-bz2",
    "gzip": "application/x-gzip",
    "lzma": "application/x-lzma",
    "zlib": "application/x-gzip",
    "zstd": "application/zstd",
}


def waiting(app: Celery) -> list[Parcel]:
    """Take what waits, as it travels."""
    parcels = [delivery.parcel for delivery in fetched(app)]
    return [parcel for parcel in parcels if isinstance(parcel, Parcel)]


@pytest.mark.parametrize("serializer", TYPES)
def test_every_serializer_takes_arguments_and_result_there_and_back(app: Celery, serve: Serve, serializer: str) -> None:
    app.conf.update(accept_content=[serializer], result_serializer=serializer)
    value = {"text": "naïve ✓", "numbers": [1, 2.5, None, True]}

    echo = app.task(name="echo")(lambda what: what)
    serve()

    assert echo.apply_async((value,), serializer=serializer).get(timeout=5) == value


def test_json_also_carries_dates_decimals_and_uuids_as_celerys_does(app: Celery, serve: Serve) -> None:
    values = [datetime(2030, 5, 17, 8, 30, tzinfo=UTC), date(2030, 5, 17), Decimal("1.10"), UUID(int=7)]

    @app.task
    def kinds(*what: Any) -> list[Any]:
        return [[type(each).__name__ for each in what], list(what)]

    serve()

    assert kinds.delay(*values).get(timeout=5) == [["datetime", "date", "Decimal", "UUID"], values]


def test_json_makes_texts_of_keys(app: Celery, serve: Serve) -> None:
    echo = app.task(name="echo")(lambda what: what)
    serve()

    assert echo.delay({1: "one"}).get(timeout=5) == {"1": "one"}


def test_pickle_carries_any_type_where_the_app_accepts_it(app: Celery, serve: Serve) -> None:
    app.conf.update(task_serializer="pickle", result_serializer="pickle", accept_content=["pickle"])

    @app.task
    def both(left: set[int], right: set[int]) -> set[int]:
        return left & right

    serve()

    assert both.delay({1, 2}, {2, 3}).get(timeout=5) == {2}


def test_what_is_not_accepted_is_never_read_and_fails(app: Celery, serve: Serve) -> None:
    echo = app.task(name="echo")(lambda what: what)
    serve()

    with pytest.raises(Exception, match="x-python-serialize"):
        echo.apply_async(([1],), serializer="pickle").get(timeout=5)
    assert echo.delay([2]).get(timeout=5) == [2]


def test_the_call_then_the_task_then_the_setting_choose_the_serializer(app: Celery) -> None:
    app.conf.update(task_serializer="yaml", accept_content=["json", "yaml", "msgpack"])
    plain = app.task(name="plain")(lambda x: x)
    chosen = app.task(name="chosen", serializer="msgpack")(lambda x: x)

    plain.delay(1)
    chosen.delay(2)
    chosen.apply_async((3,), serializer="json")

    assert [parcel.content_type for parcel in waiting(app)] == [TYPES["yaml"], TYPES["msgpack"], TYPES["json"]]


@pytest.mark.parametrize("method", METHODS)
def test_a_compressed_message_is_short_and_arrives_whole(app: Celery, serve: Serve, method: str) -> None:
    echo = app.task(name="echo")(lambda what: what)
    echo.apply_async(("long " * 1000,), compression=method)
    [parcel] = waiting(app)
    serve()

    assert (parcel.headers["compression"], len(parcel.body) < 500) == (METHODS[method], True)
    assert echo.apply_async(("long " * 1000,), compression=method).get(timeout=5) == "long " * 1000


def test_the_call_then_the_task_then_the_setting_choose_the_compression(app: Celery) -> None:
    app.conf.task_compression = "bzip2"
    plain = app.task(name="plain")(lambda x: x)
    chosen = app.task(name="chosen", compression="lzma")(lambda x: x)

    plain.delay(1)
    chosen.delay(2)
    chosen.apply_async((3,), compression="zlib")

    assert [parcel.headers["compression"] for parcel in waiting(app)] == [METHODS["bzip2"], METHODS["lzma"], METHODS["zlib"]]
