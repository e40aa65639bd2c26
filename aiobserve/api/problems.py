"""Errors as RFC 9457 problem details."""

from typing import Any

from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from aiobserve.ledger.budget import BadBudget
from aiobserve.reports.scope import BadScope
from aiobserve.reports.spend import UnknownDimension

CONTENT_TYPE = "application/problem+json"


class BadParameter(exceptions.APIException):
    """A query parameter is unknown or cannot be understood."""

    status_code = 400
    default_code = "bad_parameter"


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the problem document of an error; None for a fault of ours, which Django reports."""
    if isinstance(error, BadBudget | BadScope | UnknownDimension):
        error = BadParameter(str(error))
    response = exception_handler(error, context)
    if response is None:
        return None
    code = "not_found" if isinstance(error, Http404) else getattr(error, "default_code", "error")
    detail = response.data.get("detail", "") if isinstance(response.data, dict) else response.data
    response.data = {
        "type": f"urn:aiobserve:problem:{code}",
        "title": response.status_text,
        "status": response.status_code,
        "code": str(code),
        "detail": str(detail),
    }
    response.content_type = CONTENT_TYPE
    return response
