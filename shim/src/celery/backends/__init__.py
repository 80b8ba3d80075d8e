"""Result backends, under Celery's path."""
