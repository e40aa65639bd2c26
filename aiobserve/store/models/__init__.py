"""Every table, one noun a file. Fields and constraints only: rules live in the pure packages."""

from aiobserve.store.models.billing import BillDocument, BillLine, BillRule
from aiobserve.store.models.budgets import Budget
from aiobserve.store.models.checkpoints import Checkpoint
from aiobserve.store.models.fleet import Dedication, Device, IdleObservation, Node, Site
from aiobserve.store.models.ingest import CollectRequest, IngestBatch, IngestContent, IngestRejection
from aiobserve.store.models.ledger import LedgerBatch, LedgerWindow, Posting
from aiobserve.store.models.organisation import AccountMapping, AiModel, Organisation, Project, Team
from aiobserve.store.models.periods import LedgerAudit, LedgerPeriod
from aiobserve.store.models.plans import Plan, PlanDecision
from aiobserve.store.models.rates import GpuRate, SignalSeries, SignalValue
from aiobserve.store.models.rules import Label, OrganisationRule
from aiobserve.store.models.telemetry import TelemetryChunk, TelemetrySample
from aiobserve.store.models.terms import Commitment, EmbodiedFactor, EnergyContract, SharedPool
from aiobserve.store.models.tokens import (
    ServingCounter,
    ServingWeight,
    TokenPrice,
    TokenShare,
    TokenShareSeal,
    TokenUsage,
)
from aiobserve.store.models.watermark import Watermark
from aiobserve.store.models.workloads import Job, JobActivity, JobInterval

__all__ = [
    "AccountMapping",
    "AiModel",
    "BillDocument",
    "BillLine",
    "BillRule",
    "Budget",
    "Checkpoint",
    "CollectRequest",
    "Commitment",
    "Dedication",
    "Device",
    "EmbodiedFactor",
    "EnergyContract",
    "GpuRate",
    "IdleObservation",
    "IngestBatch",
    "IngestContent",
    "IngestRejection",
    "Job",
    "JobActivity",
    "JobInterval",
    "Label",
    "LedgerAudit",
    "LedgerBatch",
    "LedgerPeriod",
    "LedgerWindow",
    "Node",
    "Organisation",
    "OrganisationRule",
    "Plan",
    "PlanDecision",
    "Posting",
    "Project",
    "SharedPool",
    "ServingCounter",
    "ServingWeight",
    "SignalSeries",
    "SignalValue",
    "Site",
    "Team",
    "TelemetryChunk",
    "TelemetrySample",
    "TokenPrice",
    "TokenShare",
    "TokenShareSeal",
    "TokenUsage",
    "Watermark",
]
