"""Ring the bells that a transaction has chosen, when it has committed; choose others where a process is gone.

In a job's life: after publish, settle, keep. Does not know: messages, results.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Sequence

from celeriac.core.errors import OperationalError
from celeriac.drivers.sqlite import waiters, watchers
from celeriac.drivers.sqlite.bells import BellFolder
from celeriac.drivers.sqlite.connection import Connections
from celeriac.drivers.sqlite.waiters import Call

log = logging.getLogger(__name__)


def ring(connections: Connections, folder: BellFolder, calls: Sequence[Call], awaiting: Collection[str] = ()) -> None:
    """Ring for each call, and for each bell in ``awaiting``, which has news.

    Never raises for the database: what was committed stays committed, and who was not rung looks by himself in a second.
    """
    unheard = Counter(call.queue for call in calls if not folder.ring(call.bell) and call.queue is not None)
    gone = [bell for bell in awaiting if not folder.ring(bell)]
    try:
        while unheard or gone:
            with connections.writing() as db:
                for bell in gone:
                    # Once more: its process may have renewed it meanwhile.
                    if not folder.ring(bell):
                        watchers.drop_all(db, bell)
                chosen = waiters.choose(db, unheard)
            unheard = Counter(call.queue for call in chosen if not folder.ring(call.bell) and call.queue is not None)
            gone = []
    except OperationalError as error:
        log.debug("cannot choose another waiter: %s", error)
