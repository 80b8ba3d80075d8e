"""The worker, under Celery's path."""
