"""Celery's interface of a scheduler, for classes that were written for it: those that keep entries in a database, above all."""
