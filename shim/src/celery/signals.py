"""Hooks for users, under Celery's path."""

from celeriac.app import signals
from celeriac.app.signals import *  # for type checkers; what is asked of this module at run time is asked of that one
from celery._alias import stand_in

stand_in(__name__, signals)
