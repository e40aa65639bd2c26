"""`GET /api/v1/reconciliation`: the ledger beside the imported bill."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aiobserve.api.v1.money import ExactMoneySerializer
from aiobserve.api.v1.query import SCOPE_PARAMETERS, FromToSerializer, scope_of, text
from aiobserve.ledger.reconcile import REASONS, Status
from aiobserve.reports.finance_json import reconciliation_values
from aiobserve.reports.reconciliation import reconciliation

STATUSES = [status.value for status in Status]


class ReasonsSerializer(serializers.Serializer):
    """An amount for each reason that has a name."""

    price = ExactMoneySerializer()
    time = ExactMoneySerializer(help_text="Hours or kWh billed less those offered, at the ledger's price")
    discount = ExactMoneySerializer()
    rounding = ExactMoneySerializer()
    amortisation = ExactMoneySerializer(help_text="Billed less effective cost")
    tax = ExactMoneySerializer()


class ReconciliationLineSerializer(serializers.Serializer):
    """One comparison; billed = ledger + explained + unexplained."""

    period = serializers.DateField(help_text="First day of the calendar month")
    provider = serializers.CharField(allow_blank=True)
    service = serializers.CharField(allow_blank=True)
    resources = serializers.ListField(child=serializers.CharField())
    stands_for = serializers.CharField(allow_null=True, help_text="The part of the ledger; null for none")
    bill_lines = serializers.IntegerField()
    status = serializers.ChoiceField(choices=STATUSES)
    billed = ExactMoneySerializer()
    ledger = ExactMoneySerializer()
    difference = ExactMoneySerializer()
    explained = ReasonsSerializer()
    unexplained = ExactMoneySerializer()
    words = serializers.CharField()


class ReconciliationSerializer(FromToSerializer):
    """The whole comparison; `bill` is null and `lines` empty where no bill touches the days."""

    organisation = serializers.CharField()
    simulated = serializers.BooleanField()
    tz = serializers.CharField()
    provider = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=STATUSES, required=False)
    bill = ExactMoneySerializer(allow_null=True)
    ledger = ExactMoneySerializer(required=False)
    explained = ReasonsSerializer(required=False)
    unexplained = ExactMoneySerializer(required=False)
    not_on_a_bill = ExactMoneySerializer(required=False, help_text="What the ledger has that no bill is about")
    lines = ReconciliationLineSerializer(many=True)


class ReconciliationView(APIView):
    """The ledger beside the bill."""

    @extend_schema(
        operation_id="getReconciliation",
        summary="The ledger beside the imported bill",
        description=(
            "By calendar month and part of the ledger: what was billed, what the ledger has, and the difference by reason ("
            + ", ".join(REASONS)
            + "). bill = ledger + explained + unexplained, to the microdollar."
        ),
        parameters=[*SCOPE_PARAMETERS, OpenApiParameter("bill", str, description="Only the bill of this provider")],
        responses=ReconciliationSerializer,
    )
    def get(self, request: Request) -> Response:
        """Return the comparison of a period."""
        scope = scope_of(request, more=("bill",))
        return Response(reconciliation_values(reconciliation(scope, provider=text(request, "bill"))))
