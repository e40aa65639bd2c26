"""Writes the labels of teams, projects, models and jobs."""

import pandas as pd

from aiobserve.domain.frames import LABEL_KINDS
from aiobserve.domain.reason import Reason
from aiobserve.store.models import JobInterval, OrganisationRule
from aiobserve.store.write.copy import merge_frame
from aiobserve.store.write.watermark import want_again


class UnknownLabelKind(ValueError):
    """A label is given to something that carries none."""


def write_labels(organisation_id: int, labels: pd.DataFrame) -> None:
    """Write labels; days of jobs whose label a standing rule goes by become due.

    Raises:
        UnknownLabelKind: the message names the kind and those that are known.
    """
    unknown = sorted(set(labels["kind"]) - set(LABEL_KINDS))
    if unknown:
        raise UnknownLabelKind(f"labels.kind {unknown[0]!r} is not known; a label is of a {', '.join(LABEL_KINDS)}")
    columns = {"organisation_id": "int8", "kind": "varchar", "name": "varchar", "label": "varchar"}
    rows = labels.assign(organisation_id=organisation_id)
    changed = merge_frame("label", columns, rows, key=tuple(columns))
    if changed:
        _want_labelled_jobs(organisation_id, labels[labels["kind"] == "job"])


def _want_labelled_jobs(organisation_id: int, labels: pd.DataFrame) -> None:
    asked = OrganisationRule.objects.filter(organisation_id=organisation_id, withdrawn_at__isnull=True)
    ruled = labels[labels["label"].isin(list(asked.exclude(label="").values_list("label", flat=True)))]
    held = JobInterval.objects.filter(job__organisation_id=organisation_id, job__key__in=list(ruled["name"]))
    for site_id, start_at, end_at in held.values_list("job__site_id", "start_at", "end_at"):
        want_again([site_id], start_at, end_at, reason=Reason.ORGANISATION)
