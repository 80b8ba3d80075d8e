"""Results behind ``AsyncResult``: how they are waited for, read and kept. What users hold is in ``result.py`` above."""
