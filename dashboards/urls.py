"""The pages."""

from django.urls import path

from dashboards.views import finance, models, overview

app_name = "dashboards"
urlpatterns = [
    path("", overview, name="overview"),
    path("models", models, name="models"),
    path("finance", finance, name="finance"),
]
