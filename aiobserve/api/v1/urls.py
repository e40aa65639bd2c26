"""The resources of version 1, its schema and its documentation."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView

from aiobserve.api.v1.costs import CostsView
from aiobserve.api.v1.unit_costs import UnitCostsView

app_name = "api-v1"
urlpatterns = [
    path("costs", CostsView.as_view(), name="costs"),
    path("unit-costs", UnitCostsView.as_view(), name="unit-costs"),
    path("schema", SpectacularAPIView.as_view(), name="schema"),
    path("docs", SpectacularRedocView.as_view(url_name="api-v1:schema", template_name="api/docs.html"), name="docs"),
]
