"""The settings and what they are when nobody sets them, under Celery's path."""

from __future__ import annotations

from typing import Any, Final

from celeriac.config.namespaces import (
    NAMESPACES,
    TO_NEW_KEY,
    TO_OLD_KEY,
    Namespace,
    Option,
    find,
    find_deprecated_settings,
    flatten,
    searchresult,
)

__all__ = ("DEFAULTS", "NAMESPACES", "Namespace", "Option", "find", "find_deprecated_settings", "flatten", "searchresult")

DEFAULTS: Final[dict[str, Any]] = {key: found.default for key, found in flatten(NAMESPACES)}
SETTING_KEYS: Final = set(DEFAULTS)
DEFAULT_POOL: Final = DEFAULTS["worker_pool"]
DEFAULT_ACCEPT_CONTENT: Final = tuple(DEFAULTS["accept_content"])
DEFAULT_PROCESS_LOG_FMT: Final = DEFAULTS["worker_log_format"]
DEFAULT_TASK_LOG_FMT: Final = DEFAULTS["worker_task_log_format"]
DEFAULT_SECURITY_DIGEST: Final = DEFAULTS["security_digest"]
OLD_NS: Final = {"celery_{0}"}
OLD_NS_BEAT: Final = {"celerybeat_{0}"}
OLD_NS_WORKER: Final = {"celeryd_{0}"}
_TO_NEW_KEY: Final = TO_NEW_KEY
_TO_OLD_KEY: Final = TO_OLD_KEY
_OLD_DEFAULTS: Final = {old: DEFAULTS[new] for old, new in TO_NEW_KEY.items()}
_OLD_SETTING_KEYS: Final = set(_OLD_DEFAULTS)
