"""The formats of amounts as template filters."""

from django import template

from dashboards import formats

register = template.Library()
register.filter("money", formats.money)
register.filter("energy", formats.energy)
register.filter("carbon", formats.carbon)
register.filter("hours", formats.hours)
register.filter("span_of", formats.span_of)
