"""The pages."""

from django.urls import path

from dashboards.organisation_views import organisation
from dashboards.views import explain, finance, models, overview, runs

app_name = "dashboards"
urlpatterns = [
    path("", overview, name="overview"),
    path("explain", explain, name="explain"),
    path("finance", finance, name="finance"),
    path("models", models, name="models"),
    path("organisation", organisation, name="organisation"),
    path("runs", runs, name="runs"),
]
