"""The states of a task, under Celery's path."""

from celeriac.core import states
from celeriac.core.states import *  # for type checkers; what is asked of this module at run time is asked of that one
from celery._alias import stand_in

stand_in(__name__, states)
