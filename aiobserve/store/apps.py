"""Registers the store with Django."""

from django.apps import AppConfig


class StoreConfig(AppConfig):
    """The store: every model of the project."""

    name = "aiobserve.store"
    label = "store"
    default_auto_field = "django.db.models.BigAutoField"
