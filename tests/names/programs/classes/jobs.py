"""Tasks as classes, hooks, signals, results."""

from functools import cached_property

import celery
from celery import Celery, Task, states
from celery.app.task import Context
from celery.exceptions import Ignore
from celery.result import AsyncResult
from celery.signals import task_prerun

app = Celery("jobs")
heard = []


class Connected(Task):
    abstract = True
    opened = 0

    @cached_property
    def db(self):
        Connected.opened += 1
        return {"rows": 3}

    def on_success(self, retval, task_id, args, kwargs):
        heard.append(("success", retval))


@app.task(base=Connected)
def rows():
    return rows.db["rows"], Connected.opened


class Square(celery.Task):
    name = "jobs.square"

    def run(self, x):
        assert isinstance(self.request, Context)
        return x * x


square = app.register_task(Square())


app.conf.ONCE = {"prefix": "qo_"}


class Once(Task):
    """As packages bring it: refuses a call that is sent already, by settings of its own."""

    abstract = True
    once = {"keys": None}
    queued = set()

    def apply_async(self, args=None, kwargs=None, **options):
        key = self._get_app().conf.ONCE["prefix"] + repr(args)
        if key in self.queued:
            return "already queued"
        self.queued.add(key)
        return super().apply_async(args, kwargs, **options)


@app.task(base=Once, once={"keys": ["x"]})
def twice(x):
    return x, twice.once


@task_prerun.connect
def note(sender=None, task_id=None, **kwargs):
    heard.append(("prerun", sender.name))


@app.task
def listening():
    return [list(one) for one in heard]


@app.task(bind=True)
def progress(self):
    self.update_state(state="PROGRESS", meta={"done": 1})
    return AsyncResult(self.request.id, app=app).state == "PROGRESS" and "PROGRESS" not in states.ALL_STATES


@app.task
def ignoring():
    raise Ignore
