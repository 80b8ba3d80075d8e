"""Results, under Celery's path."""

from celeriac.app.eager_result import EagerResult
from celeriac.app.group_result import GroupResult, result_from_tuple
from celeriac.app.joining import allow_join_result, assert_will_not_block, denied_join_result
from celeriac.app.joining import join_will_block as task_join_will_block
from celeriac.app.result import AsyncResult
from celeriac.app.result_set import ResultSet
from celeriac.app.results.result_states import ResultBase
