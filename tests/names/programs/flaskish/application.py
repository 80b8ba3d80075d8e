"""As in Flask's pages, with a stand-in for Flask."""

from contextlib import contextmanager

from celery import Celery, Task, shared_task


class Flask:
    def __init__(self, name):
        self.name, self.config, self.extensions, self.active = name, {}, {}, False

    @contextmanager
    def app_context(self):
        self.active = True
        yield
        self.active = False


def celery_init_app(app: Flask) -> Celery:
    class FlaskTask(Task):
        def __call__(self, *args: object, **kwargs: object) -> object:
            with app.app_context():
                return self.run(*args, **kwargs)

    celery_app = Celery(app.name, task_cls=FlaskTask)
    celery_app.config_from_object(app.config["CELERY"])
    celery_app.set_default()
    app.extensions["celery"] = celery_app
    return celery_app


flask = Flask(__name__)
flask.config.update(CELERY={"task_ignore_result": False})
celery = celery_init_app(flask)


@shared_task(ignore_result=False)
def inside():
    return flask.active
