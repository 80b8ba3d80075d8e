"""Which app and which task are the current ones, under Celery's path."""

from celeriac.app.current import (
    app_or_default,
    connect_on_app_finalize,
    disable_trace,
    enable_trace,
    get_current_app,
    set_default_app,
)
from celeriac.app.current import deregister_app as _deregister_app
from celeriac.app.current import get_active_apps as _get_active_apps
from celeriac.app.current import register_app as _register_app
from celeriac.app.current import set_current as _set_current_app
from celeriac.app.joining import join_will_block as task_join_will_block
from celeriac.app.standing import current_app, current_task, get_current_task, get_current_worker_task
from celeriac.app.standing import task_stack as _task_stack

_get_current_app = get_current_app
_app_or_default = app_or_default
push_current_task = _task_stack.push
pop_current_task = _task_stack.pop
