"""`GET /api/v1/costs`: what was spent in money, energy and carbon, by any dimensions."""

from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aiobserve.api.problems import BadParameter
from aiobserve.api.v1.money import ExactMoneySerializer
from aiobserve.api.v1.query import FILTER, SCOPE_PARAMETERS, SHARING, SHARING_PARAMETERS, scope_of
from aiobserve.domain.account import MEASURES
from aiobserve.domain.quality import Quality
from aiobserve.domain.units import SECONDS_PER_HOUR, usd
from aiobserve.reports.amounts import Amounts
from aiobserve.reports.finance_json import bill_values
from aiobserve.reports.reconciliation import reconciliation
from aiobserve.reports.sharing import described
from aiobserve.reports.spend import DIMENSIONS, SpendRow, spend

LARGEST_PAGE, DEFAULT_PAGE = 1000, 200
GRANULARITIES = ("none", "hour", "day", "month")
OWN = (*SHARING, "group_by", "granularity", "limit", "starting_after")


class MoneySerializer(serializers.Serializer):
    """An amount of money: a decimal as text, so that no client rounds it by accident."""

    amount = serializers.CharField(help_text="Decimal, two places, e.g. 18211.40")
    currency = serializers.CharField(help_text="ISO 4217, always USD")


class QuantitySerializer(serializers.Serializer):
    """A physical quantity with its unit; a decimal as text."""

    value = serializers.CharField()
    unit = serializers.CharField()


class EnergySerializer(QuantitySerializer):
    """Energy with its error band."""

    error = serializers.CharField(help_text="How far off it may be, either way, in the same unit")


class MethodSerializer(QuantitySerializer):
    """Emissions with the method behind them."""

    method = serializers.CharField(
        help_text=(
            "location_hourly: energy x PUE x hourly average intensity of the grid zone; market_hourly: contracts first, "
            "the rest at the residual mix; manufacture_by_gpu_hour: emissions of manufacture over the hours of a life"
        )
    )


class EmissionsSerializer(MethodSerializer):
    """Location-based emissions with their error band."""

    error = serializers.CharField(
        help_text="How far off they may be because the energy is, either way; the error of the intensity is not known"
    )


class QualitySerializer(serializers.Serializer):
    """Shares of the energy by how it is known; they sum to 1."""

    measured = serializers.CharField()
    estimated = serializers.CharField()
    assumed = serializers.CharField()


class ExactSerializer(serializers.Serializer):
    """The ledger's own integers, as text, for sums that have to agree to the unit."""

    cost_microusd = serializers.CharField(help_text="Effective cost: capacity, electricity and API together")
    capacity_microusd = serializers.CharField()
    electricity_microusd = serializers.CharField()
    api_microusd = serializers.CharField(help_text="Tokens that were bought")
    list_microusd = serializers.CharField(help_text="The same at list price")
    energy_millij = serializers.CharField()
    energy_error_millij = serializers.CharField(help_text="How far off the energy may be, either way")
    carbon_microg = serializers.CharField(help_text="Location-based")
    carbon_market_microg = serializers.CharField(help_text="Market-based")
    embodied_microg = serializers.CharField(help_text="From manufacture, by GPU-hour")
    water_microl = serializers.CharField()
    gpu_millis = serializers.CharField(help_text="Thousandths of a GPU times seconds")


class AmountsSerializer(serializers.Serializer):
    """What a group comes to."""

    cost = MoneySerializer()
    capacity_cost = MoneySerializer()
    electricity_cost = MoneySerializer()
    list_cost = MoneySerializer(help_text="The same at list price")
    gpu_hours = serializers.CharField()
    energy = EnergySerializer()
    emissions = EmissionsSerializer()
    emissions_market = MethodSerializer()
    embodied = MethodSerializer()
    water = QuantitySerializer()
    quality = QualitySerializer()
    exact = ExactSerializer()


class CostRowSerializer(AmountsSerializer):
    """A group: its dimensions, as asked for, and what it comes to."""

    dimensions = serializers.DictField(child=serializers.CharField(allow_blank=True))


# `to` is exclusive; a day on which clocks change has 23 or 25 hours. `from` is no name that a class body could have.
PERIOD = inline_serializer(
    name="Period",
    fields={
        "from": serializers.DateTimeField(),
        "to": serializers.DateTimeField(),
        "hours": serializers.IntegerField(),
    },
)


class BillSerializer(serializers.Serializer):
    """The bills of the whole period, whatever is filtered: billed = ledger + explained + unexplained."""

    billed = ExactMoneySerializer()
    ledger = ExactMoneySerializer(help_text="What the ledger has for what was billed")
    explained = ExactMoneySerializer()
    unexplained = ExactMoneySerializer()
    status = serializers.CharField()
    words = serializers.CharField()


class SharingSerializer(serializers.Serializer):
    """Who bears idle capacity and overhead in this answer."""

    idle = serializers.CharField()
    overhead = serializers.CharField()
    utilisation_floor = serializers.CharField(allow_null=True)


class CostListSerializer(serializers.Serializer):
    """A page of groups. `totals` are of the whole answer, not of the page."""

    object = serializers.CharField()
    organisation = serializers.CharField()
    simulated = serializers.BooleanField()
    tz = serializers.CharField()
    period = PERIOD
    sharing = SharingSerializer()
    data = CostRowSerializer(many=True)  # type: ignore[assignment]  # DRF's own `data` is the rendered form
    totals = AmountsSerializer()
    bill = BillSerializer(allow_null=True)
    has_more = serializers.BooleanField()
    next = serializers.CharField(allow_null=True)


class CostsView(APIView):
    """What was spent, by any dimensions."""

    @extend_schema(
        operation_id="listCosts",
        summary="Cost, energy and carbon by any dimensions",
        description=(
            "Everything that was charged in a period: jobs, idle capacity, facility overhead and what nobody could be "
            "found for. The groups sum to the totals exactly. Filter with `filter.<dimension>=a,b`; an unknown parameter "
            "is an error. Dimensions: " + ", ".join(DIMENSIONS) + "."
        ),
        parameters=[
            *SCOPE_PARAMETERS,
            *SHARING_PARAMETERS,
            OpenApiParameter("group_by", str, description="Dimensions, comma separated; `account,team` by default"),
            OpenApiParameter("granularity", str, enum=GRANULARITIES, description="Time step; none by default"),
            OpenApiParameter("filter.team", str, description="As an example of a filter: teams, comma separated"),
            OpenApiParameter("limit", int, description=f"Groups a page, at most {LARGEST_PAGE}"),
            OpenApiParameter("starting_after", int, description="Number of groups to skip; from `next`"),
        ],
        responses=CostListSerializer,
    )
    def get(self, request: Request) -> Response:
        """Return the groups of a period."""
        query = request.query_params
        scope = scope_of(request, more=OWN, filters=True)
        filters = {
            name.removeprefix(FILTER): text.split(",") for name, text in query.dict().items() if name.startswith(FILTER)
        }
        group_by = [name for name in str(query.get("group_by", "account,team")).split(",") if name]
        granularity = query.get("granularity", "none")
        if granularity not in GRANULARITIES:
            raise BadParameter(f"granularity={granularity!r}; choose from {', '.join(GRANULARITIES)}")
        found = spend(scope, group_by=[*([] if granularity == "none" else [granularity]), *group_by], filters=filters)
        limit = _number(query.get("limit"), "limit", default=DEFAULT_PAGE, largest=LARGEST_PAGE)
        skip = _number(query.get("starting_after"), "starting_after", default=0, largest=10**9)
        has_more = len(found.rows) > skip + limit
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
                "sharing": described(scope.sharing),
                "data": [_row(row) for row in found.rows[skip : skip + limit]],
                "totals": _amounts(found.total),
                "bill": bill_values(reconciliation(scope)),
                "has_more": has_more,
                "next": _next(request, skip + limit) if has_more else None,
            }
        )


def _number(text: str | None, name: str, *, default: int, largest: int) -> int:
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) > largest:
        raise BadParameter(f"{name}={text[:40]!r} must be a whole number up to {largest}")
    return int(text)


def _next(request: Request, skip: int) -> str:
    query = {**request.query_params.dict(), "starting_after": str(skip)}
    return f"{request.path}?{urlencode(query)}"


def _row(row: SpendRow) -> dict[str, Any]:
    return {"dimensions": row.keys, **_amounts(row.amounts)}


def _amounts(amounts: Amounts) -> dict[str, Any]:
    return {
        "cost": _money(amounts.cost_microusd),
        "capacity_cost": _money(amounts.capacity_microusd),
        "electricity_cost": _money(amounts.electricity_microusd),
        "list_cost": _money(amounts.list_microusd),
        "gpu_hours": str(amounts.gpu_hours),
        "energy": {**_quantity(amounts.energy_kwh, "kWh"), "error": str(amounts.energy_error_kwh)},
        "emissions": {
            **_quantity(amounts.carbon_kg, "kgCO2e"),
            "error": str(amounts.carbon_error_kg),
            "method": "location_hourly",
        },
        "emissions_market": {**_quantity(amounts.carbon_market_kg, "kgCO2e"), "method": "market_hourly"},
        "embodied": {**_quantity(amounts.embodied_kg, "kgCO2e"), "method": "manufacture_by_gpu_hour"},
        "water": _quantity(amounts.water_l, "L"),
        "quality": {quality.label: str(amounts.quality_share(quality)) for quality in Quality},
        "exact": {name: str(getattr(amounts, name)) for name in ("cost_microusd", *MEASURES)},
    }


def _quantity(value: Decimal, unit: str) -> dict[str, str]:
    return {"value": str(value), "unit": unit}


def _money(cost_microusd: int) -> dict[str, str]:
    return {"amount": str(usd(cost_microusd)), "currency": "USD"}
