"""A tracing tool that takes hold as such tools do: it replaces the maker of tracers, and methods of tasks and apps."""

from functools import wraps

import celery.app.trace as trace
from celery import Celery
from celery.app.task import Task
from celery.app.trace import task_has_custom

spans = []


def wrap_call(task, function):
    @wraps(function)
    def call(*args, **kwargs):
        spans.append(["call", task.name, task.request.headers.get("trace")])
        return function(*args, **kwargs)

    return call


def wrap_send(function):
    @wraps(function)
    def send(*args, **kwargs):
        kwargs["headers"] = {**(kwargs.get("headers") or {}), "trace": "abc"}
        return function(*args, **kwargs)

    return send


original = trace.build_tracer


def build_tracer(name, task, *args, **kwargs):
    if not getattr(task, "_is_patched", False):
        if task_has_custom(task, "__call__"):
            type(task).__call__ = wrap_call(task, type(task).__call__)
        else:
            task.run = wrap_call(task, task.run)
        task._is_patched = True
    tracer = original(name, task, *args, **kwargs)

    @wraps(tracer)
    def traced(*args, **kwargs):
        spans.append(["begin", task.name, (args[3].get("headers") or {}).get("trace")])
        try:
            return tracer(*args, **kwargs)
        finally:
            spans.append(["end", task.name, None])

    return traced


trace.build_tracer = build_tracer
Task.apply_async = wrap_send(Task.apply_async)
Celery.send_task = wrap_send(Celery.send_task)
