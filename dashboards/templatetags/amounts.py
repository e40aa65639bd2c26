"""The formats of amounts as template filters."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.html import format_html

from dashboards import formats

register = template.Library()
register.filter("money", formats.money)
register.filter("energy", formats.energy)
register.filter("carbon", formats.carbon)
register.filter("hours", formats.hours)
register.filter("span_of", formats.span_of)


@register.filter
def linked(text: str, url: str | None) -> str:
    """Return a figure with a link to where it is explained, or the figure alone where there is no link."""
    return format_html('<a href="{}">{}</a>', url, text) if url else text


@register.filter
def at(values: Mapping[str, Any], key: str) -> Any:
    """Return the value of a key that a template holds in a variable."""
    return values.get(key)
