"""Reads labels, and what a report needs to know of shared pools."""

from aiobserve.store.models import Label, SharedPool


def labels(organisation_id: int) -> dict[str, dict[str, frozenset[str]]]:
    """Return the labels of each team, project, model and job by kind and name."""
    found: dict[str, dict[str, set[str]]] = {}
    rows = Label.objects.filter(organisation_id=organisation_id).values_list("kind", "name", "label")
    for kind, name, label in rows:
        found.setdefault(kind, {}).setdefault(name, set()).add(label)
    return {kind: {name: frozenset(words) for name, words in names.items()} for kind, names in found.items()}


def declared_pools(organisation_id: int) -> list[tuple[int, str, int, str, str]]:
    """Return the shared pools of an organisation: id, name, component, key, and the label that restricts who shares it."""
    found = SharedPool.objects.filter(site__organisation_id=organisation_id).order_by("pk")
    return list(found.values_list("pk", "name", "component", "shared_by", "label"))
