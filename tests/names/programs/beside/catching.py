"""A program that catches kombu's and billiard's errors where Celery's are raised."""

import json
import pickle
import sys

if sys.argv[1] == "before":
    import billiard.exceptions
    import kombu.exceptions
import celery.exceptions

if sys.argv[1] == "after":
    import billiard.exceptions
    import kombu.exceptions
from celery import Celery

caught = []
app = Celery("catching", broker="redis://127.0.0.1:1/0", broker_connection_timeout=0.2)
app.conf.broker_transport_options = {"socket_connect_timeout": 0.2}


@app.task
def add(x, y):
    return x + y


try:
    add.apply_async((1, 2), retry=False)
except kombu.exceptions.OperationalError as error:
    caught.append([type(error).__module__, isinstance(pickle.loads(pickle.dumps(error)), kombu.exceptions.KombuError)])
try:
    add.delay(object(), 2)
except kombu.exceptions.EncodeError as error:
    caught.append(isinstance(error, ValueError))
for kind in ("SoftTimeLimitExceeded", "TimeLimitExceeded", "WorkerLostError"):
    try:
        raise getattr(celery.exceptions, kind)(5)
    except getattr(billiard.exceptions, kind) as error:
        caught.append(kind)
print(json.dumps(caught))
