"""`/api/v1/budgets`: budgets and how they stand; set and removed by JSON alone, and an answer for schedulers.

Writing takes JSON and nothing else: a page elsewhere cannot send that, or DELETE, without the browser asking first. Who
may write is not decided here yet: the server listens on the loopback interface.
"""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aiobserve.api.problems import BadParameter
from aiobserve.api.v1.query import ORG, FromToSerializer, refuse_unknown, text
from aiobserve.ledger.budget import DEFAULT_THRESHOLDS, MEASURES, SCOPES, WINDOWS, Budget, State
from aiobserve.pipeline.budgets import remove_budget, set_budget
from aiobserve.reports import budgets as reports
from aiobserve.reports.finance_json import budget_values, standing_values
from aiobserve.reports.scope import organisation_of, zone_of

LARGEST = 2**63 - 1


class BudgetSerializer(serializers.Serializer):
    """A budget. The amount is in the ledger's unit: microdollars, millijoules, micrograms of CO2e."""

    name = serializers.CharField(max_length=200)
    scope = serializers.ChoiceField(choices=SCOPES, default="whole")
    subject = serializers.CharField(max_length=200, allow_blank=True, default="")
    measure = serializers.ChoiceField(choices=list(MEASURES), default="cost")
    amount = serializers.IntegerField(min_value=1, max_value=LARGEST)
    window = serializers.ChoiceField(choices=WINDOWS, default="month")
    timezone = serializers.CharField(max_length=64, default="UTC")
    hard = serializers.BooleanField(default=False)
    thresholds = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=1000), default=list(DEFAULT_THRESHOLDS), max_length=20
    )
    valid_from = serializers.DateField(required=False)
    valid_to = serializers.DateField(required=False, allow_null=True)


class StandingSerializer(FromToSerializer, BudgetSerializer):
    """A budget with how it stands in the window of the last posting; amounts are text."""

    amount = serializers.CharField()  # type: ignore[assignment]
    amount_words = serializers.CharField()
    state = serializers.ChoiceField(choices=[state.value for state in State])
    spent = serializers.CharField()
    spent_words = serializers.CharField()
    per_cent = serializers.IntegerField()
    committed = serializers.CharField(help_text="What running jobs will still take, where their run time is known")
    left = serializers.CharField()
    expected = serializers.CharField(help_text="At the end of the window")
    expected_words = serializers.CharField()
    interval_80 = serializers.ListField(child=serializers.CharField())
    crossed = serializers.ListField(child=serializers.IntegerField())
    reached_on = serializers.DateField(allow_null=True)
    short_history = serializers.BooleanField()


class BudgetListSerializer(serializers.Serializer):
    """Budgets, those that are over first."""

    organisation = serializers.CharField()
    data = StandingSerializer(many=True)  # type: ignore[assignment]  # DRF's own `data` is the rendered form


class AnswerSerializer(serializers.Serializer):
    """Whether work may start, and why."""

    allowed = serializers.BooleanField()
    words = serializers.CharField()


class BudgetsView(APIView):
    """Budgets: all of them, and a new one."""

    parser_classes = [JSONParser]

    @extend_schema(
        operation_id="listBudgets",
        summary="Budgets and how they stand",
        parameters=[ORG],
        responses=BudgetListSerializer,
    )
    def get(self, request: Request) -> Response:
        """Return every budget that holds in the window of the last posting."""
        refuse_unknown(request, ("org",))
        organisation = organisation_of(text(request, "org"))
        found = reports.standings(organisation)
        return Response({"organisation": organisation.slug, "data": [standing_values(one) for one in found]})

    @extend_schema(
        operation_id="setBudget",
        summary="Set a budget, in place of the one of its name",
        parameters=[ORG],
        request=BudgetSerializer,
        responses={201: BudgetSerializer, 200: BudgetSerializer},
    )
    def post(self, request: Request) -> Response:
        """Set a budget."""
        refuse_unknown(request, ("org",))
        organisation = organisation_of(text(request, "org"))
        budget = _budget(request.data)
        is_new = set_budget(organisation.pk, budget)
        return Response(budget_values(budget), status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)


class BudgetView(APIView):
    """One budget."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="removeBudget", summary="Remove a budget", parameters=[ORG], responses={204: None})
    def delete(self, request: Request, name: str) -> Response:
        """Remove the budget of a name."""
        refuse_unknown(request, ("org",))
        if "\0" in name or not remove_budget(organisation_of(text(request, "org")).pk, name):
            raise NotFound("no budget of that name")
        return Response(status=status.HTTP_204_NO_CONTENT)


class MayStartView(APIView):
    """The answer for schedulers."""

    @extend_schema(
        operation_id="mayStart",
        summary="May work start under the budgets that apply to it?",
        description="No, with the reason in words, when a hard budget would be exceeded by what is spent, committed and asked for.",
        parameters=[
            ORG,
            OpenApiParameter(
                "expected", int, required=True, description="What the work will take, in the ledger's unit"
            ),
            OpenApiParameter("measure", str, enum=list(MEASURES), description="cost by default"),
            OpenApiParameter("team", str),
            OpenApiParameter("project", str),
            OpenApiParameter("model", str),
        ],
        responses=AnswerSerializer,
    )
    def get(self, request: Request) -> Response:
        """Return the answer."""
        refuse_unknown(request, ("org", "expected", "measure", "team", "project", "model"))
        expected, measure = text(request, "expected") or "", text(request, "measure") or "cost"
        if not (expected.isascii() and expected.isdigit() and len(expected) < 19):
            raise BadParameter(f"expected={expected[:40]!r} must be a whole number in the ledger's unit")
        if measure not in MEASURES:
            raise BadParameter(f"measure={measure!r}; choose from {', '.join(MEASURES)}")
        found = reports.answer(
            organisation_of(text(request, "org")),
            expected=int(expected),
            measure=measure,
            team=text(request, "team") or "",
            project=text(request, "project") or "",
            model=text(request, "model") or "",
        )
        return Response({"allowed": found.allowed, "words": found.words})


def _budget(body: Any) -> Budget:
    serializer = BudgetSerializer(data=body)
    if not serializer.is_valid():
        raise BadParameter("; ".join(f"{name}: {' '.join(map(str, told))}" for name, told in serializer.errors.items()))
    unknown = sorted(set(body) - set(serializer.fields))
    if unknown:
        raise BadParameter(f"unknown field {unknown[0][:40]!r}; known are {', '.join(serializer.fields)}")
    values = dict(serializer.validated_data)
    values["thresholds"] = tuple(values["thresholds"])
    values["timezone"] = zone_of(values["timezone"])
    values["is_hard"] = values.pop("hard")
    return Budget(**values)
