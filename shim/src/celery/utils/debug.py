"""Memory, threads and what blocks, under Celery's path."""

from celeriac.app.borrowed.debugging import (
    UNITS,
    blockdetection,
    cry,
    hfloat,
    humanbytes,
    mem_rss,
    memdump,
    ps,
    sample,
    sample_mem,
)
