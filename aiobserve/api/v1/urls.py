"""The resources of version 1, its schema and its documentation."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView

from aiobserve.api.v1.anomalies import AnomaliesView
from aiobserve.api.v1.budgets import BudgetsView, BudgetView, MayStartView
from aiobserve.api.v1.costs import CostsView
from aiobserve.api.v1.explain import ExplainView
from aiobserve.api.v1.forecasts import ForecastsView
from aiobserve.api.v1.organisation import ChangesView, PreviewView, RulesView
from aiobserve.api.v1.periods import PeriodsView
from aiobserve.api.v1.reconciliation import ReconciliationView
from aiobserve.api.v1.runs import RunsView
from aiobserve.api.v1.unit_costs import UnitCostsView

app_name = "api-v1"
urlpatterns = [
    path("costs", CostsView.as_view(), name="costs"),
    path("explain", ExplainView.as_view(), name="explain"),
    path("organisation/rules", RulesView.as_view(), name="rules"),
    path("organisation/preview", PreviewView.as_view(), name="preview"),
    path("organisation/changes", ChangesView.as_view(), name="changes"),
    path("runs", RunsView.as_view(), name="runs"),
    path("unit-costs", UnitCostsView.as_view(), name="unit-costs"),
    path("periods", PeriodsView.as_view(), name="periods"),
    path("reconciliation", ReconciliationView.as_view(), name="reconciliation"),
    path("budgets", BudgetsView.as_view(), name="budgets"),
    path("budgets/may-start", MayStartView.as_view(), name="may-start"),
    path("budgets/<path:name>", BudgetView.as_view(), name="budget"),
    path("forecasts", ForecastsView.as_view(), name="forecasts"),
    path("anomalies", AnomaliesView.as_view(), name="anomalies"),
    path("schema", SpectacularAPIView.as_view(), name="schema"),
    path("docs", SpectacularRedocView.as_view(url_name="api-v1:schema", template_name="api/docs.html"), name="docs"),
]
