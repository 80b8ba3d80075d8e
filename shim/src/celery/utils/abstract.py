"""What can be called as a task or as a signature, under Celery's path."""

from celeriac.app.borrowed.abstract import CallableSignature, CallableTask
