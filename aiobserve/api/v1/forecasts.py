"""`GET /api/v1/forecasts`: what the month will come to, with an interval."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aiobserve.api.problems import BadParameter
from aiobserve.api.v1.query import ORG, TZ, FromToSerializer, refuse_unknown, scope_of, text
from aiobserve.ledger.budget import MEASURES, SCOPES
from aiobserve.reports.finance_json import forecast_values
from aiobserve.reports.forecast import month_forecast

KNOWN = ("org", "tz", "measure", "by", "subject")


class IntervalSerializer(serializers.Serializer):
    """Where the month's total lies with a coverage."""

    coverage = serializers.CharField()
    low = serializers.CharField()
    high = serializers.CharField()


class ForecastDaySerializer(serializers.Serializer):
    """A day of the month."""

    day = serializers.DateField()
    amount = serializers.CharField()
    forecast = serializers.BooleanField(help_text="False for a day that is over")


class ForecastSerializer(FromToSerializer):
    """The month that holds the last posting, in the ledger's unit of the measure (microdollars, mJ, micrograms)."""

    measure = serializers.CharField()
    by = serializers.ChoiceField(SCOPES, help_text="Whose month it is")
    subject = serializers.CharField(
        allow_blank=True, help_text="Name of the team, project or model; empty for the whole"
    )
    today = serializers.DateField()
    spent = serializers.CharField()
    expected = serializers.CharField()
    expected_words = serializers.CharField()
    run_rate = serializers.CharField(help_text="What the days so far come to when they simply go on")
    intervals = IntervalSerializer(many=True)
    past_errors = serializers.IntegerField(help_text="Past forecasts that the interval rests on")
    short_history = serializers.BooleanField(help_text="True when the interval is wide and a guess")
    days = ForecastDaySerializer(many=True)


class ForecastsView(APIView):
    """The forecast of the month."""

    @extend_schema(
        operation_id="getForecast",
        summary="What the month will come to, with an interval",
        parameters=[
            ORG,
            TZ,
            OpenApiParameter("measure", str, enum=list(MEASURES), description="cost by default"),
            OpenApiParameter("by", str, enum=SCOPES, description="whole by default"),
            OpenApiParameter(
                "subject", str, description="Name of the team, project or model; needed unless by is whole"
            ),
        ],
        responses=ForecastSerializer,
    )
    def get(self, request: Request) -> Response:
        """Return the forecast."""
        refuse_unknown(request, KNOWN)
        measure, by = text(request, "measure") or "cost", text(request, "by") or "whole"
        for name, value, known in (("measure", measure, tuple(MEASURES)), ("by", by, SCOPES)):
            if value not in known:
                raise BadParameter(f"{name}={value!r}; choose from {', '.join(known)}")
        scope = scope_of(request, more=KNOWN)
        found = month_forecast(scope, measure=measure, by=by, subject=text(request, "subject") or "")
        if found is None:
            raise BadParameter("nothing was posted yet: there is nothing to forecast from")
        return Response(forecast_values(found))
