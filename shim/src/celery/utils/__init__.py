"""Small works, by the names of Celery and kombu. What celeriac itself has is re-exported; the rest is written here."""

from __future__ import annotations

from functools import cached_property

from celery._ids import uuid
from celery.utils.functional import chunks, memoize, noop
from celery.utils.imports import gen_task_name, import_from_cwd, instantiate, qualname, symbol_by_name
from celery.utils.log import LOG_LEVELS
from celery.utils.nodenames import nodename, nodesplit, worker_direct

gen_unique_id = uuid
get_cls_by_name = symbol_by_name
get_full_cls_name = qualname
