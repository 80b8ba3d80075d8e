"""Monitoring: events by way of an app, under Celery's names."""
