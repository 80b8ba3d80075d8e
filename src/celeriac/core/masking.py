"""What may be shown of a value that may hold secrets: of a URL, of a setting, of a mapping of options.

In a program's life: logs, the banner, reports and ``app.conf.table()`` ask before they show anything. Shown too little is a
nuisance, shown too much is a leak: in doubt it is masked. Does not know: drivers, settings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

MASK: Final = "**"
HIDDEN: Final = "********"
_SECRET_KEY: Final = re.compile(r"pass|secret|token|key|credential|signature", re.IGNORECASE)
_SECRET_NAME: Final = re.compile(r"pass|secret|token|key|credential|signature|auth|api", re.IGNORECASE)
_HARMLESS_NAME: Final = frozenset({"task_default_routing_key", "routing_key", "global_keyprefix"})
_FILES: Final = re.compile(r"(file|path|prefix)$", re.IGNORECASE)
"""The name of a file with a key in it is no secret, and a prefix of keys is none."""


def mask(url: str) -> str:
    """Return ``url`` as it may be shown: passwords, and parameters that look like secrets, replaced."""
    return ";".join(_mask_one(part) for part in url.split(";"))


def _mask_one(url: str) -> str:
    before, found, rest = url.partition("://")
    if not found:
        # A list of servers may go on without a scheme: user:password@host.
        before, rest = "", url
    address, question, query = rest.partition("?")
    if "@" in query and ":" in address and "@" not in address:
        # Perhaps a password with a "?" that somebody forgot to escape: nobody can tell where it ends.
        return f"{before}{found}{MASK}"
    # A password may hold "/" and "@" when somebody forgot to escape it: everything up to the last "@" is userinfo.
    userinfo, at, host = address.rpartition("@")
    if at:
        user, colon, _ = userinfo.partition(":")
        userinfo = f"{user}:{MASK}" if colon else user
    pairs = [_mask_pair(pair) for pair in query.split("&")] if question else []
    return f"{before}{found}{userinfo}{at}{host}{question}{'&'.join(pairs)}"


def _mask_pair(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    return f"{name}={MASK}" if equals and _SECRET_KEY.search(name) else pair


def censored(name: str, value: Any) -> Any:
    """Return ``value`` as it may be shown under ``name``: secrets masked, also inside of mappings, lists and URLs."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if _is_secret(name):
        return HIDDEN
    if isinstance(value, Mapping):
        return {str(key): censored(str(key), inner) for key, inner in value.items()}
    if isinstance(value, str):
        return mask(value) if "://" in value or "@" in value else value
    if type(value) in {list, tuple, set, frozenset}:
        return type(value)(censored(name, inner) for inner in value)
    return value


def _is_secret(name: str) -> bool:
    return name not in _HARMLESS_NAME and _SECRET_NAME.search(name) is not None and _FILES.search(name) is None
