"""The content security policy: nothing is loaded from anywhere else, and no inline script runs."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# Plotly makes an empty style element and fills it by script: this is the hash of the empty text. It also sets
# style attributes on what it draws.
POLICY = (
    "default-src 'self'; script-src 'self'; "
    "style-src-elem 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; style-src-attr 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
# The page of the API's documentation brings inline styles and starts a worker from a blob.
DOCS_PATH = "/api/v1/docs"
DOCS_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; frame-ancestors 'none'"
)


class ContentSecurityPolicyMiddleware:
    """Sends the policy with every answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the answer with its policy."""
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", DOCS_POLICY if request.path == DOCS_PATH else POLICY)
        return response
