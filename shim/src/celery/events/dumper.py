"""Events as lines."""

from celeriac.app.monitoring.dumper import HUMAN_TYPES, TASK_NAMES, Dumper, evdump, humanize_type

__all__ = ("Dumper", "evdump")
