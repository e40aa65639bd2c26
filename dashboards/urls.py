"""The pages."""

from django.urls import path

from dashboards.views import overview

app_name = "dashboards"
urlpatterns = [path("", overview, name="overview")]
