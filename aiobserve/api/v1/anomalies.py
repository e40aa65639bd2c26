"""`GET /api/v1/anomalies`: days that cost other than expected, and what drove them."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aiobserve.api.v1.money import ExactMoneySerializer
from aiobserve.api.v1.query import SCOPE_PARAMETERS, FromSerializer, FromToSerializer, scope_of
from aiobserve.ledger.drivers import DRIVERS
from aiobserve.reports.anomalies import anomaly_report
from aiobserve.reports.finance_json import anomaly_values


class DriversSerializer(serializers.Serializer):
    """The part of each driver in a change; they sum to it."""

    volume = ExactMoneySerializer()
    mix = ExactMoneySerializer()
    utilisation = ExactMoneySerializer()
    price = ExactMoneySerializer()
    idle = ExactMoneySerializer()
    other = ExactMoneySerializer()


class AnomalousDaySerializer(serializers.Serializer):
    """One day, and the day it is compared with."""

    day = serializers.DateField()
    compared_with = serializers.DateField()
    cost = ExactMoneySerializer()
    expected = ExactMoneySerializer()
    change = ExactMoneySerializer()
    parts = DriversSerializer()


class EpisodeSerializer(FromSerializer):
    """Neighbouring days of one scope; `words` tell its largest day."""

    scope = serializers.CharField()
    last_day = serializers.DateField()
    days = serializers.IntegerField()
    driver = serializers.ChoiceField(choices=DRIVERS)
    change = ExactMoneySerializer()
    parts = DriversSerializer()
    words = serializers.CharField()
    each = AnomalousDaySerializer(many=True)


class AnomaliesSerializer(FromToSerializer):
    """Episodes, the largest change first."""

    organisation = serializers.CharField()
    simulated = serializers.BooleanField()
    tz = serializers.CharField()
    known_days = serializers.IntegerField(help_text="Whole days that could be compared with")
    data = EpisodeSerializer(many=True)  # type: ignore[assignment]  # DRF's own `data` is the rendered form


class AnomaliesView(APIView):
    """Days that stand out."""

    @extend_schema(
        operation_id="listAnomalies",
        summary="Days that cost other than expected, with what drove them",
        description=(
            "Each day is compared with the same weekday of the weeks before. The change is split exactly into "
            + ", ".join(DRIVERS)
            + "; the driver is the largest part in the direction of the change."
        ),
        parameters=SCOPE_PARAMETERS,
        responses=AnomaliesSerializer,
    )
    def get(self, request: Request) -> Response:
        """Return the episodes of a period."""
        return Response(anomaly_values(anomaly_report(scope_of(request))))
