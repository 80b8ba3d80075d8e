"""Where tracers take hold, under Celery's path: what is replaced here is what runs."""

from celeriac.app import trace
from celeriac.app.trace import *  # for type checkers; what is asked of this module at run time is asked of that one
from celery._alias import stand_in

stand_in(__name__, trace)
