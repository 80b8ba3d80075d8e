"""Further contributions, under Celery's path."""
