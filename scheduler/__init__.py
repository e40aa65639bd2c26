"""The planner: which work waits, until when, and why. Pure: no clock, no database, no Celery."""
