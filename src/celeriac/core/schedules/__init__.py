"""When is it time? Intervals, crontabs and the sun, as frozen data and pure functions: the moment comes in, a moment goes out.

In a program's life: read when settings are, asked by whoever sends periodic tasks. The clock and Celery's classes are put on top
in ``app``. Does not know: clocks, apps, what is to be sent.
"""
