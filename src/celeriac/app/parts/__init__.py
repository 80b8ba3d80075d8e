"""The parts of the class ``Celery``, each knowing those before it, and what they are made from."""
