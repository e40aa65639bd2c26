"""The Celery application: JSON only, late acknowledgement, no ETA, one 60-second tick.

State lives in PostgreSQL. A task is a poke to look at it: it may be lost, doubled or late, and nothing breaks,
because tasks are idempotent and the tick finds what was missed.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aiobserve.settings")

TICK_S = 60.0
# Longer than the longest task, or the broker would hand a running one out again.
VISIBILITY_TIMEOUT_S = 900

app = Celery("aiobserve", broker=os.environ.get("BROKER_URL") or None)
app.conf.update(
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_time_limit=VISIBILITY_TIMEOUT_S - 60,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "visibility_timeout": VISIBILITY_TIMEOUT_S,
        # kombu looks for unacknowledged messages every interval x throttle; its default is 100 s.
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
    },
    timezone="UTC",
    beat_schedule={"tick": {"task": "aiobserve.tick", "schedule": TICK_S}},
)
app.autodiscover_tasks(["aiobserve"])
