"""Fresh ids for tasks."""

from celeriac.app.runtime import uuid

__all__ = ["uuid"]
