"""Where everything is."""

from django.urls import include, path

from aiobserve.api.health import livez, readyz

urlpatterns = [
    path("", include("dashboards.urls")),
    path("api/v1/", include("aiobserve.api.v1.urls")),
    path("livez", livez, name="livez"),
    path("readyz", readyz, name="readyz"),
]
