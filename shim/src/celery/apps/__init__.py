"""Programs, under Celery's path."""
