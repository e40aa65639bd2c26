"""`GET /api/v1/explain`: how a figure came about, from the amount down to the samples."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aiobserve.api.v1.query import SCOPE_PARAMETERS, SHARING, SHARING_PARAMETERS, repeated_filters, scope_of
from aiobserve.reports.explain import FIGURES, explain, question_of

OWN = ("figure", "window", "device")


class SectionSerializer(serializers.Serializer):
    """A heading and its lines."""

    title = serializers.CharField()
    lines = serializers.ListField(child=serializers.CharField())


class ExplanationSerializer(serializers.Serializer):
    """A figure and what is behind it; `text` is what the command and the page print."""

    object = serializers.CharField()
    title = serializers.CharField()
    figure = serializers.CharField()
    exact = serializers.CharField(help_text="The amount in the ledger's unit")
    posted = serializers.CharField(
        help_text="What the postings sum to; differs only where idle or overhead is shared out"
    )
    postings = serializers.IntegerField()
    batches = serializers.ListField(child=serializers.IntegerField())
    window = serializers.DateTimeField(allow_null=True, help_text="The window whose formula is filled in")
    reckoned = serializers.CharField(allow_null=True, help_text="What that window comes to when it is worked out again")
    reckoned_posted = serializers.CharField(allow_null=True, help_text="What was posted for it")
    sections = SectionSerializer(many=True)
    text = serializers.CharField()


class ExplainView(APIView):
    """How a figure came about."""

    @extend_schema(
        operation_id="explainFigure",
        summary="From a figure down to postings, inputs, prices, formula and samples",
        description=(
            "Any cell of a report: days, and values of dimensions by `filter.<dimension>`, repeated for several values. A job "
            "is `filter.job=KEY`."
        ),
        parameters=[
            *SCOPE_PARAMETERS,
            *SHARING_PARAMETERS,
            OpenApiParameter("figure", str, enum=list(FIGURES), description="What is explained; cost by default"),
            OpenApiParameter(
                "window", str, description="Quarter of an hour whose formula is filled in, 2026-10-15T06:00Z"
            ),
            OpenApiParameter("device", str, description="Uid of a device whose samples in that window are listed"),
            OpenApiParameter("filter.team", str, description="As an example of a filter: a team; may be repeated"),
        ],
        responses=ExplanationSerializer,
    )
    def get(self, request: Request) -> Response:
        """Return the explanation of a figure."""
        scope = scope_of(request, more=(*SHARING, *OWN), filters=True)
        asked = {name: request.query_params.get(name) for name in OWN}
        found = explain(question_of(scope, repeated_filters(request), **asked))
        return Response(
            {
                "object": "explanation",
                "title": found.title,
                "figure": found.question.figure,
                "exact": str(found.exact),
                "posted": str(found.posted),
                "postings": found.postings,
                "batches": list(found.batches),
                "window": found.window_at.isoformat() if found.window_at else None,
                "reckoned": str(found.reckoned[0]) if found.reckoned else None,
                "reckoned_posted": str(found.reckoned[1]) if found.reckoned else None,
                "sections": [{"title": one.title, "lines": list(one.lines)} for one in found.sections],
                "text": "\n".join(found.lines),
            }
        )
