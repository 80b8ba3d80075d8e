"""Speaking to running workers, under Celery's path."""

from celeriac.control.client import Control
from celeriac.control.inspecting import Inspect, flatten_reply
