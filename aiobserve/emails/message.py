"""A digest as a message with the headers of automatic mail."""

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from aiobserve.domain.identity import digest as fingerprint
from aiobserve.emails.weekly import Digest


def message(digest: Digest, *, to: str, list_id: str) -> EmailMultiAlternatives:
    """Return the mail, not sent: text first, HTML beside it, the same Message-ID for the same mail to the same reader."""
    mail = EmailMultiAlternatives(
        subject=digest.subject,
        body=digest.text,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[to],
        headers={
            "Auto-Submitted": "auto-generated",
            "Precedence": "bulk",
            "List-Id": f"<{list_id}.digest.aiobserve>",
            "Message-ID": f"<{fingerprint(to, digest.subject, digest.text)[:40]}@aiobserve>",
        },
    )
    mail.attach_alternative(digest.html, "text/html")
    return mail
