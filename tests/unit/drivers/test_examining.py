"""What a server or a file says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from celeriac.core.remark import Level
from celeriac.drivers.redis.examining import judge, read_info
from celeriac.drivers.sqlite.examining import examine_sqlite

WELL = {"redis_version": "7.2.4", "maxmemory_policy": "noeviction", "maxmemory": "0", "used_memory": "5", "aof_enabled": "1"}


def remarks(**changes: str) -> list[tuple[Level, str]]:
    found = judge({**WELL, **changes}, saves=False, skew_s=0.0, took_s=0.001)
    return [(remark.level, remark.text) for remark in found if remark.level is not Level.FINE]


def test_a_server_that_keeps_everything_is_well() -> None:
    found = remarks()

    assert found == []


@pytest.mark.parametrize(
    ("changes", "level", "text"),
    [
        ({"redis_version": "5.0.7"}, Level.ERROR, "too old"),
        ({"maxmemory_policy": "allkeys-lru", "maxmemory": "100"}, Level.ERROR, "drops messages"),
        ({"maxmemory_policy": "allkeys-lru"}, Level.WARNING, "no maxmemory now"),
        ({"evicted_keys": "7"}, Level.ERROR, "dropped 7 keys"),
        ({"maxmemory": "100", "used_memory": "90"}, Level.WARNING, "90% of its maxmemory"),
        ({"aof_enabled": "0"}, Level.WARNING, "saves nothing"),
        ({"rdb_last_bgsave_status": "err"}, Level.ERROR, "attempt to save failed"),
        ({"role": "slave"}, Level.ERROR, "replica"),
        ({"cluster_enabled": "1"}, Level.ERROR, "cluster"),
    ],
)
def test_a_server_that_may_lose_work_is_told(changes: dict[str, str], level: Level, text: str) -> None:
    [(found_level, found_text)] = remarks(**changes)

    assert found_level is level
    assert text in found_text


def test_a_clock_that_differs_and_an_answer_that_is_slow_are_told() -> None:
    found = judge(WELL, saves=True, skew_s=-5.0, took_s=0.2)

    assert [remark.about for remark in found if remark.level is Level.WARNING] == ["clock", "redis"]


def test_the_answer_of_info_is_read() -> None:
    info = read_info(b"# Server\r\nredis_version:7.0.1\r\n\r\nconfig_file:/a:b\r\n")

    assert info == {"redis_version": "7.0.1", "config_file": "/a:b"}


def test_a_file_on_a_network_drive_is_an_error(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\nserver:/export {tmp_path} nfs4 rw 0 0\n")

    found = examine_sqlite(str(tmp_path / "store.db"), mounts=str(mounts))

    assert [remark.level for remark in found] == [Level.FINE, Level.ERROR]
    assert "nfs4" in found[1].text


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    found = examine_sqlite(str(tmp_path / "nowhere" / "store.db"))

    assert [remark.level for remark in found] == [Level.ERROR]
