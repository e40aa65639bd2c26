"""`/api/v1/organisation/...`: the rules of the organisation map, what a change would move, and the change itself."""

from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aiobserve.api.problems import BadParameter
from aiobserve.api.v1.query import SCOPE_PARAMETERS, refuse_unknown, scope_of
from aiobserve.pipeline.organise import apply_change
from aiobserve.reports.organisation import ACTIONS, BadRule, all_rules, preview
from aiobserve.reports.organisation_values import preview_values, rule_values

FIELDS = (
    "action", "rule", "at", "tz", "priority", "account", "user", "site", "model", "job_name", "label", "team", "project",
    "valid_from", "valid_to", "reason",
)  # fmt: skip


class ChangeSerializer(serializers.Serializer):
    """A change of the rules. Instants are dates (midnight in `tz`) or ISO instants, on quarters of an hour."""

    action = serializers.ChoiceField(list(ACTIONS))
    rule = serializers.CharField(required=False, help_text="Number of the rule, but for add")
    at = serializers.CharField(required=False, help_text="When the rule ends, for end")
    tz = serializers.CharField(required=False)
    priority = serializers.CharField(required=False, help_text="The higher one counts; 100 by default")
    account = serializers.CharField(required=False)
    user = serializers.CharField(required=False)
    site = serializers.CharField(required=False)
    model = serializers.CharField(required=False)
    job_name = serializers.CharField(required=False, help_text="With * for any text and ? for any character")
    label = serializers.CharField(required=False)  # type: ignore[assignment]  # DRF keeps declared fields apart
    team = serializers.CharField(required=False)
    project = serializers.CharField(required=False)
    valid_from = serializers.CharField(required=False)
    valid_to = serializers.CharField(required=False)
    reason = serializers.CharField(required=False)


class RuleSerializer(serializers.Serializer):
    """A rule; withdrawn ones stay to be seen and restored."""

    rule = serializers.IntegerField()
    stands = serializers.BooleanField()
    priority = serializers.IntegerField()
    account = serializers.CharField(allow_blank=True)
    user = serializers.CharField(allow_blank=True)
    site = serializers.CharField(allow_blank=True)
    model = serializers.CharField(allow_blank=True)
    job_name = serializers.CharField(allow_blank=True)
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    team = serializers.CharField()
    project = serializers.CharField()
    valid_from = serializers.DateTimeField()
    valid_to = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)
    replaces = serializers.IntegerField(allow_null=True)
    made_at = serializers.DateTimeField()
    withdrawn_at = serializers.DateTimeField(allow_null=True)


class RuleListSerializer(serializers.Serializer):
    """All rules, those that stand first."""

    organisation = serializers.CharField()
    rules = RuleSerializer(many=True)


class MovedSerializer(serializers.Serializer):
    """An amount; decimals and the ledger's integers as text."""

    cost_usd = serializers.CharField()
    energy_kwh = serializers.CharField()
    carbon_kg = serializers.CharField()
    gpu_hours = serializers.CharField()
    cost_microusd = serializers.CharField()
    energy_millij = serializers.CharField()
    carbon_microg = serializers.CharField()


class MoveSerializer(serializers.Serializer):
    """What would go from one team and project to another; empty for nobody."""

    from_team = serializers.CharField(allow_blank=True)
    from_project = serializers.CharField(allow_blank=True)
    to_team = serializers.CharField(allow_blank=True)
    to_project = serializers.CharField(allow_blank=True)
    jobs = serializers.IntegerField()
    amounts = MovedSerializer()


class TeamMovedSerializer(serializers.Serializer):
    """What a team bears of its jobs before and after."""

    team = serializers.CharField(allow_blank=True)
    before = MovedSerializer()
    after = MovedSerializer()


class TotalMovedSerializer(serializers.Serializer):
    """The sums, which are equal."""

    before = MovedSerializer()
    after = MovedSerializer()


class PreviewSerializer(serializers.Serializer):
    """What a change would move; nothing is written."""

    withdraws = serializers.ListField(child=serializers.IntegerField())
    restores = serializers.ListField(child=serializers.IntegerField())
    adds = serializers.BooleanField()
    moves = MoveSerializer(many=True)
    teams = TeamMovedSerializer(many=True)
    total = TotalMovedSerializer()
    days_due_anyway = serializers.IntegerField()


class AppliedSerializer(serializers.Serializer):
    """What became of a change; due days are attributed by the next tick or `aiobserve attribute`."""

    rule = serializers.IntegerField(help_text="Number of the new rule, 0 when none was made")
    withdrawn = serializers.ListField(child=serializers.IntegerField())
    restored = serializers.ListField(child=serializers.IntegerField())
    days_due = serializers.IntegerField()


class RulesView(APIView):
    """The rules."""

    @extend_schema(
        operation_id="listRules",
        summary="Rules of the organisation map",
        parameters=SCOPE_PARAMETERS[:1],
        responses=RuleListSerializer,
    )
    def get(self, request: Request) -> Response:
        """Return every rule."""
        refuse_unknown(request, ["org"])
        scope = scope_of(request)
        return Response(
            {
                "organisation": scope.organisation.slug,
                "rules": [rule_values(row) for row in all_rules(scope.organisation.pk)],
            }
        )


class PreviewView(APIView):
    """What a change would move."""

    # A form of another site could be sent here unasked; JSON could not.
    parser_classes = (JSONParser,)

    @extend_schema(
        operation_id="previewChange",
        summary="What a change of the rules would move over a period; writes nothing",
        parameters=SCOPE_PARAMETERS,
        request=ChangeSerializer,
        responses=PreviewSerializer,
    )
    def post(self, request: Request) -> Response:
        """Return what would move."""
        try:
            return Response(preview_values(preview(scope_of(request), _texts(request))))
        except BadRule as error:
            raise BadParameter(str(error)) from error


class ChangesView(APIView):
    """A change of the rules."""

    parser_classes = (JSONParser,)

    @extend_schema(
        operation_id="applyChange",
        summary="Change the rules; the days that it touches become due",
        parameters=SCOPE_PARAMETERS[:1],
        request=ChangeSerializer,
        responses=AppliedSerializer,
    )
    def post(self, request: Request) -> Response:
        """Carry the change out, all of it or nothing."""
        refuse_unknown(request, ["org"])
        try:
            done = apply_change(scope_of(request).organisation.pk, _texts(request), clock_at=datetime.now(UTC))
        except BadRule as error:
            raise BadParameter(str(error)) from error
        return Response(
            {
                "rule": done.rule,
                "withdrawn": list(done.withdrawn),
                "restored": list(done.restored),
                "days_due": done.days_due,
            }
        )


def _texts(request: Request) -> dict[str, str]:
    data: Any = request.data
    if not isinstance(data, dict):
        raise BadParameter("send a JSON object with the fields of a change")
    unknown = sorted(set(data) - set(FIELDS))
    if unknown:
        raise BadParameter(f"unknown field {unknown[0]!r}; known are {', '.join(FIELDS)}")
    if any(isinstance(value, dict | list | bool) for value in data.values()):
        raise BadParameter("every field is a text or a number")
    return {name: str(value) for name, value in data.items() if value is not None}
