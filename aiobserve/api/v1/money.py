"""Money in answers: text, so that no client rounds it by accident."""

from rest_framework import serializers


class ExactMoneySerializer(serializers.Serializer):
    """An amount of money, to the cent and to the microdollar."""

    amount = serializers.CharField(help_text="Decimal, two places")
    currency = serializers.CharField(help_text="ISO 4217, always USD")
    microusd = serializers.CharField(help_text="Exactly, in millionths of a dollar")
