"""Fresh ids for tasks."""

from celeriac.app.runtime import SystemRuntime

uuid = SystemRuntime().new_id
