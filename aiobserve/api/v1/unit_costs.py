"""`GET /api/v1/unit-costs`: what a million tokens cost, and the joules and grams of one."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aiobserve.api.problems import BadParameter
from aiobserve.api.v1.costs import PERIOD
from aiobserve.domain.units import SECONDS_PER_HOUR
from aiobserve.reports.scope import resolve
from aiobserve.reports.units import CLASSES, DIMENSIONS, Unit, UnitRow, unit_costs

PARAMETERS = ("org", "from", "to", "tz", "group_by")


class UnitSerializer(serializers.Serializer):
    """Tokens of a class, what they came to exactly, and each per token; a price is null where there is no token."""

    tokens = serializers.CharField()
    cost_microusd = serializers.CharField()
    energy_millij = serializers.CharField()
    carbon_microg = serializers.CharField()
    usd_per_million = serializers.CharField(allow_null=True, help_text="Six places")
    j_per_token = serializers.CharField(allow_null=True, help_text="Four places")
    g_per_token = serializers.CharField(allow_null=True, help_text="Nine places, location-based")


class UnitTotalsSerializer(serializers.Serializer):
    """Input, cached, output and idle; they sum to `total`, which is what the ledger says."""

    input = UnitSerializer()
    cached = UnitSerializer()
    output = UnitSerializer()
    idle = UnitSerializer(help_text="Reserved, and nothing asked of it")
    total = UnitSerializer()
    residual_microusd = serializers.CharField(help_text="Cost less tokens x the rounded prices, idle left out")


class UnitRowSerializer(UnitTotalsSerializer):
    """A group: its dimensions, as asked for, and what its tokens came to."""

    dimensions = serializers.DictField(child=serializers.CharField(allow_blank=True))


class WeightSerializer(serializers.Serializer):
    """What the tokens of a model on a kind of GPU were weighed by."""

    model = serializers.CharField(allow_blank=True)
    gpu = serializers.CharField(allow_blank=True)
    quality = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # DRF's own `source` names an attribute


class UnitCostListSerializer(serializers.Serializer):
    """All groups of a period."""

    object = serializers.CharField()
    organisation = serializers.CharField()
    simulated = serializers.BooleanField()
    tz = serializers.CharField()
    period = PERIOD
    data = UnitRowSerializer(many=True)  # type: ignore[assignment]  # DRF's own `data` is the rendered form
    totals = UnitTotalsSerializer()
    weights = WeightSerializer(many=True)


class UnitCostsView(APIView):
    """What tokens cost."""

    @extend_schema(
        operation_id="listUnitCosts",
        summary="Money, energy and carbon per token of input, cache and output",
        description=(
            "Own model servers and bought tokens alike. Amounts are the ledger's, divided over tokens by work; input, "
            "cached, output and idle sum to them exactly. Dimensions: " + ", ".join(DIMENSIONS) + "."
        ),
        parameters=[
            OpenApiParameter("org", str, description="Slug of the organisation; the first one by default"),
            OpenApiParameter("from", str, description="First local day, 2026-10-01; by default 30 days before `to`"),
            OpenApiParameter(
                "to", str, description="Local day after the last; by default the day after the last posting"
            ),
            OpenApiParameter("tz", str, description="IANA time zone in which days begin and end; UTC by default"),
            OpenApiParameter("group_by", str, description="Dimensions, comma separated; `model,gpu` by default"),
        ],
        responses=UnitCostListSerializer,
    )
    def get(self, request: Request) -> Response:
        """Return the groups of a period."""
        query = request.query_params
        for name, text in query.dict().items():
            if "\0" in name or "\0" in str(text):
                raise BadParameter("a parameter holds a NUL character, which no name has")
            if name not in PARAMETERS:
                raise BadParameter(f"unknown parameter {name!r}; known are {', '.join(PARAMETERS)}")
        scope = resolve(
            clock_at=datetime.now(UTC),
            organisation=query.get("org"),
            first_day=query.get("from"),
            end_day=query.get("to"),
            timezone=query.get("tz"),
        )
        group_by = [name for name in str(query.get("group_by", "model,gpu")).split(",") if name]
        found = unit_costs(scope, group_by=group_by)
        return Response(
            {
                "object": "list",
                "organisation": scope.organisation.slug,
                "simulated": scope.organisation.simulated,
                "tz": scope.timezone,
                "period": {
                    "from": scope.span.start_at.isoformat(),
                    "to": scope.span.end_at.isoformat(),
                    "hours": scope.span.duration_s // SECONDS_PER_HOUR,
                },
                "data": [{"dimensions": row.keys, **_row(row)} for row in found.rows],
                "totals": _row(found.total),
                "weights": [
                    {"model": model, "gpu": sku, "quality": quality.label, "source": source}
                    for model, sku, quality, source in found.weights
                ],
            }
        )


def _row(row: UnitRow) -> dict[str, Any]:
    classes = {name: _unit(getattr(row, name)) for name in (*CLASSES, "idle", "total")}
    return {**classes, "residual_microusd": str(row.residual_microusd)}


def _unit(unit: Unit) -> dict[str, Any]:
    return {
        **{name: str(getattr(unit, name)) for name in ("tokens", "cost_microusd", "energy_millij", "carbon_microg")},
        **{name: _text(getattr(unit, name)) for name in ("usd_per_million", "j_per_token", "g_per_token")},
    }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"
