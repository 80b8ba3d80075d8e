"""Redis and Valkey: broker and result backend in one, with Celery's queue keys, envelope and result keys."""
