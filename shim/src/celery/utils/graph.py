"""The graph of results, under Celery's path."""

from celeriac.app.results.result_graph import DependencyGraph, GraphFormatter
