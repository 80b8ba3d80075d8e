"""Becoming somebody else, for good."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from celeriac.cli.identity import become, umask_of
from celeriac.core.errors import ImproperlyConfigured

NOBODY = 65534
as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
SHOW = """
import os
from celeriac.cli.identity import become
become(uid={uid!r}, gid={gid!r}, umask="027")
try:
    os.setuid(0)
except PermissionError:
    print(*os.getresuid(), os.getegid(), oct(os.umask(0)), 0 in os.getgroups())
"""


def shown(**who: object) -> list[str]:
    code = SHOW.format(**who)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30).stdout.split()


@as_root
def test_root_becomes_a_user_with_his_groups_and_cannot_return() -> None:
    identity = shown(uid="nobody", gid=None)

    assert identity == [*[str(NOBODY)] * 3, str(NOBODY), "0o27", "False"]


@as_root
def test_a_group_of_ones_own_choice_wins() -> None:
    identity = shown(uid=NOBODY, gid="daemon")

    assert identity[3] == "1"


@pytest.mark.parametrize(
    ("who", "sentence"),
    [
        ({"uid": "who-is-this"}, "there is no such user"),
        ({"gid": "who-are-these"}, "there is no such group"),
        ({"umask": "9"}, "not an octal number"),
        ({"umask": "7777"}, "not an octal number"),
    ],
)
def test_who_is_nobody_is_refused_by_name(who: dict[str, str], sentence: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=sentence):
        become(**{"uid": None, "gid": None, "umask": None, **who})


@pytest.mark.parametrize(("umask", "expected"), [("022", 0o22), ("77", 0o77), (18, 0o22)])
def test_a_umask_in_text_is_octal(umask: str | int, expected: int) -> None:
    number = umask_of(umask)

    assert number == expected
