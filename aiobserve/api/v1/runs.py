"""`GET /api/v1/runs`: what runs cost, attempt by attempt, and what of it was wasted and lost."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aiobserve.api.v1.query import SCOPE_PARAMETERS, scope_of
from aiobserve.reports.training import TRAINING, runs
from aiobserve.reports.training_values import as_values


class RunAmountsSerializer(serializers.Serializer):
    """What a run, an attempt or a part of it came to; decimals and the ledger's integers as text."""

    cost_usd = serializers.CharField()
    energy_kwh = serializers.CharField()
    carbon_kg = serializers.CharField()
    gpu_hours = serializers.CharField()
    cost_microusd = serializers.CharField()
    energy_millij = serializers.CharField()
    carbon_microg = serializers.CharField()


class AttemptSerializer(serializers.Serializer):
    """One attempt; of one that did not complete, what a checkpoint kept and what was lost."""

    key = serializers.CharField()
    attempt = serializers.IntegerField()
    state = serializers.CharField()
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    checkpoint_at = serializers.DateTimeField(allow_null=True)
    amounts = RunAmountsSerializer()
    kept = RunAmountsSerializer()
    lost = RunAmountsSerializer()
    lost_is_assumed = serializers.BooleanField(help_text="No checkpoint is known: what is lost is an upper bound")


class RunSerializer(serializers.Serializer):
    """All attempts of one piece of work."""

    name = serializers.CharField()
    account = serializers.CharField()
    teams = serializers.ListField(child=serializers.CharField())
    model = serializers.CharField(allow_blank=True)
    workload_type = serializers.CharField()
    state = serializers.CharField()
    amounts = RunAmountsSerializer()
    waste = RunAmountsSerializer()
    lost = RunAmountsSerializer()
    lost_is_assumed = serializers.BooleanField()
    attempts = AttemptSerializer(many=True)


class RunListSerializer(serializers.Serializer):
    """Runs of a period, dearest first, with their sums."""

    organisation = serializers.CharField()
    total = RunAmountsSerializer()
    waste = RunAmountsSerializer()
    kept = RunAmountsSerializer()
    lost = RunAmountsSerializer()
    lost_assumed = RunAmountsSerializer()
    runs = RunSerializer(many=True)


class RunsView(APIView):
    """What runs cost."""

    @extend_schema(
        operation_id="listRuns",
        summary="Cost, energy and carbon of runs, of attempts that did not complete, and of work lost since a checkpoint",
        parameters=[
            *SCOPE_PARAMETERS,
            OpenApiParameter(
                "workload_types", str, description=f"Comma separated; {','.join(TRAINING)} by default; `all` for all"
            ),
        ],
        responses=RunListSerializer,
    )
    def get(self, request: Request) -> Response:
        """Return the runs of a period."""
        scope = scope_of(request, more=("workload_types",))
        asked = request.query_params.get("workload_types", ",".join(TRAINING))
        types = () if asked == "all" else tuple(name for name in asked.split(",") if name)
        return Response(as_values(runs(scope, workload_types=types)))
