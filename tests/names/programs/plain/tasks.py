"""As in a first tutorial."""

from celery import Celery
from celery.utils.log import get_task_logger

app = Celery("tasks")
app.conf.update(
    task_serializer="json", result_serializer="json", accept_content=["json"], timezone="Europe/Oslo", enable_utc=True
)

logger = get_task_logger(__name__)


@app.task
def add(x, y):
    logger.info("adding %s and %s", x, y)
    return x + y


@app.task(bind=True, max_retries=3, default_retry_delay=0)
def stubborn(self):
    try:
        if self.request.retries < 2:
            raise ConnectionError("not yet")
    except ConnectionError as exc:
        raise self.retry(exc=exc, countdown=0)
    return self.request.retries


@app.task(autoretry_for=(ZeroDivisionError,), retry_kwargs={"max_retries": 1, "countdown": 0})
def divide(x, y):
    return x / y
