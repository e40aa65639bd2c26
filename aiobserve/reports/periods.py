"""Closed and open months of the books, and their audit."""

from aiobserve.store.read.periods import AuditRow, PeriodRow, audit, closed_periods, periods

__all__ = ["AuditRow", "PeriodRow", "audit", "closed_periods", "periods"]
