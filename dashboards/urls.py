"""The pages."""

from django.urls import path

from dashboards.views import finance, overview

app_name = "dashboards"
urlpatterns = [path("", overview, name="overview"), path("finance", finance, name="finance")]
