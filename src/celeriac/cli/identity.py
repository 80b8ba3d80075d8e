"""Become another user, for programs that are started as root: user, group, umask.

In a node's life: after its app was found, before it opens or writes anything. Whoever gave up root does not get it back.
Does not know: programs. Source: Celery's guide "Daemonization".
"""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Callable

from celeriac.core.errors import ImproperlyConfigured


def become(*, uid: str | int | None, gid: str | int | None, umask: str | int | None) -> None:
    """Give this process its user, its group and its umask; ``None``: as it is.

    Raises:
        ImproperlyConfigured: there is no such user or group, or only root could do it.
    """
    if umask is not None:
        os.umask(umask_of(umask))
    user = None if uid is None else user_of(uid)
    group = group_of(gid) if gid is not None else (user.pw_gid if user is not None else None)
    if group is not None and group != os.getegid():
        _as_root("--gid", gid if gid is not None else group, lambda: os.setgid(group))
    if user is not None and (user.pw_uid, user.pw_uid) != (os.getuid(), os.geteuid()):
        _as_root("--uid", uid, lambda: os.initgroups(user.pw_name, os.getgid()))
        _as_root("--uid", uid, lambda: os.setuid(user.pw_uid))
        if user.pw_uid != 0:
            _cannot_return(uid)


def user_of(uid: str | int) -> pwd.struct_passwd:
    """Find a user by name or number.

    Raises:
        ImproperlyConfigured: there is none.
    """
    try:
        return pwd.getpwuid(int(uid)) if str(uid).isdigit() else pwd.getpwnam(str(uid))
    except KeyError:
        raise ImproperlyConfigured(f"--uid {uid}: there is no such user") from None


def group_of(gid: str | int) -> int:
    """Find a group by name or number.

    Raises:
        ImproperlyConfigured: there is none.
    """
    try:
        return grp.getgrgid(int(gid)).gr_gid if str(gid).isdigit() else grp.getgrnam(str(gid)).gr_gid
    except KeyError:
        raise ImproperlyConfigured(f"--gid {gid}: there is no such group") from None


def umask_of(umask: str | int) -> int:
    """Read a umask: text is octal, as in ``chmod``; a number is itself.

    Raises:
        ImproperlyConfigured: it is none.
    """
    try:
        number = umask if isinstance(umask, int) else int(umask, 8)
    except ValueError:
        number = -1
    if not 0 <= number <= 0o777:
        raise ImproperlyConfigured(f"--umask {umask}: not an octal number such as 022")
    return number


def _as_root(option: str, value: object, act: Callable[[], None]) -> None:
    try:
        act()
    except PermissionError:
        raise ImproperlyConfigured(f"{option} {value}: only root can become another user or group") from None


def _cannot_return(uid: object) -> None:
    try:
        os.setuid(0)
    except PermissionError:
        return
    raise ImproperlyConfigured(f"--uid {uid}: this process could become root again, so it does not run")
