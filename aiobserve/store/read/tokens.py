"""Reads counters, usage and prices of tokens, and how postings divide over tokens."""

import numpy as np
import pandas as pd
from django.db import connection

from aiobserve.domain.account import CHARGED, COST_MEASURES, Component
from aiobserve.domain.tokens import TOKEN_COLUMNS, TokenKind
from aiobserve.domain.units import PICOUSD_PER_MICROUSD
from aiobserve.domain.window import Span
from aiobserve.store.columns import FAR_PAST_S, epoch_sql, read_columns
from aiobserve.store.models import Job, ServingWeight

COUNTERS = (
    "prefill_tokens", "cached_tokens", "decode_tokens", "prefill_s", "decode_s", "finished_prompt_tokens",
    "finished_decode_tokens",
)  # fmt: skip
PARTS = ("input_parts", "cached_parts", "output_parts", "idle_parts")
MEASURES = ("cost_microusd", "energy_millij", "carbon_microg")


def any_tokens(site_id: int, span: Span) -> bool:
    """Return whether a site's servers were read, or tokens were used there, in a span."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT EXISTS (SELECT FROM token_usage WHERE site_id = %(site)s AND start_at < %(end)s AND end_at >= %(start)s)
                   OR EXISTS (SELECT FROM serving_counter JOIN job ON job.id = job_id
                              WHERE job.site_id = %(site)s AND at >= %(start)s AND at < %(end)s)""",
            {"site": site_id, "start": span.start_at, "end": span.end_at},
        )
        return bool((cursor.fetchone() or [False])[0])


def usage(site_id: int, span: Span) -> pd.DataFrame:
    """Return usage rows that touch a span: job_id, account, model_id, start_s, end_s, requests and tokens by kind.

    A row ends at least one second after it starts, so that it has a place. Without a model of its own it has its job's.
    """
    columns = ["job_id", "account", "model_id", "start_s", "end_s", "requests", *TOKEN_COLUMNS]
    statement = f"""
        SELECT used.job_id::float8, used.account, coalesce(used.model_id, job.model_id)::float8,
               floor(extract(epoch FROM used.start_at))::int8,
               greatest(floor(extract(epoch FROM used.end_at)), floor(extract(epoch FROM used.start_at)) + 1)::int8,
               requests, {", ".join(TOKEN_COLUMNS)}
        FROM token_usage used LEFT JOIN job ON job.id = used.job_id
        WHERE used.site_id = %s AND used.start_at < %s AND used.end_at >= %s ORDER BY used.id"""  # noqa: S608 - our own names
    types = [np.float64, object, np.float64, *[np.int64] * (len(columns) - 3)]
    return pd.DataFrame(
        read_columns(statement, [site_id, span.end_at, span.start_at], dict(zip(columns, types, strict=True)))
    )


def counters(site_id: int, span: Span) -> pd.DataFrame:
    """Return readings of a site's servers in a span, sorted by job, replica and time: job_id, replica, at_s, started_s, counters."""
    columns = ["job_id", "replica", "at_s", "started_s", *COUNTERS]
    statement = f"""
        SELECT job_id, replica, extract(epoch FROM at)::float8, extract(epoch FROM process_started_at)::float8,
               {", ".join(COUNTERS)}
        FROM serving_counter JOIN job ON job.id = job_id
        WHERE job.site_id = %s AND at >= %s AND at <= %s ORDER BY job_id, replica, at"""  # noqa: S608 - our own names
    types = [np.int64, object, *[np.float64] * (len(columns) - 2)]
    return pd.DataFrame(
        read_columns(statement, [site_id, span.start_at, span.end_at], dict(zip(columns, types, strict=True)))
    )


def servers(job_ids: list[int]) -> pd.DataFrame:
    """Return job_id, key, model_id and sku of servers, by job_id."""
    rows = Job.objects.filter(pk__in=job_ids).order_by("pk")
    return pd.DataFrame(
        list(rows.values_list("pk", "key", "model_id", "sku")), columns=["job_id", "key", "model_id", "sku"]
    )


def prices(site_id: int) -> pd.DataFrame:
    """Return the prices of a provider as `attribution.token_prices` wants them, picodollars a token."""
    found = read_columns(
        f"""SELECT model_id, ai_model.name, kind, usd_per_million, list_usd_per_million, quality,
                   {epoch_sql("valid_from_at", missing=FAR_PAST_S)}, {epoch_sql("valid_to_at")}
            FROM token_price JOIN ai_model ON ai_model.id = model_id WHERE site_id = %s ORDER BY token_price.id""",  # noqa: S608 - our own names
        [site_id],
        {
            "model_id": np.int64, "model": object, "kind": np.int64, "picousd": np.float64, "list_picousd": np.float64,
            "quality": np.int8, "valid_from_s": np.int64, "valid_to_s": np.int64,
        },
    )  # fmt: skip
    labels = np.array([kind.label for kind in TokenKind], dtype=object)
    picousd = {
        name: np.rint(found[name] * PICOUSD_PER_MICROUSD).astype(np.int64) for name in ("picousd", "list_picousd")
    }
    return pd.DataFrame({**found, **picousd, "kind": labels[found["kind"]]})


def shares(organisation_id: int, span: Span) -> pd.DataFrame:
    """Return tokens, parts and the ledger's own amounts by site, window, job, team, project and model.

    Columns: the names of the keys (empty where there is none), sku, account kind, window_start_at, `TOKEN_COLUMNS`,
    `PARTS`, and `MEASURES`. Amounts of servers and of bought tokens without a share row come with parts of nought.
    """
    cost = " + ".join(f"posting.{name}" for name in COST_MEASURES)
    optional = ("job_id", "team_id", "project_id", "model_id")
    same = ", ".join(("site_id", "window_start_at", *optional))
    keys = ", ".join(("site_id", "window_start_at", *(f"coalesce({name}, 0) AS {name}" for name in optional)))
    summed = ", ".join(f"sum({name})::bigint AS {name}" for name in (*TOKEN_COLUMNS, *PARTS))
    shown = ", ".join(f"coalesce({name}, 0)" for name in (*TOKEN_COLUMNS, *PARTS, *MEASURES))
    here = "organisation_id = %(organisation)s AND window_start_at >= %(start)s AND window_start_at < %(end)s"
    statement = f"""
        WITH share AS (SELECT {keys}, {summed} FROM token_share WHERE {here} GROUP BY 1, 2, 3, 4, 5, 6),
        amount AS (
            SELECT {keys}, sum({cost})::bigint AS cost_microusd, sum(energy_millij)::bigint AS energy_millij,
                   sum(carbon_microg)::bigint AS carbon_microg
            FROM posting WHERE {here} AND account = ANY(%(charged)s)
              AND (component = %(api)s OR job_id IN (SELECT job_id FROM share WHERE job_id <> 0))
            GROUP BY 1, 2, 3, 4, 5, 6
        )
        SELECT site.name, coalesce(ai_model.name, ''), coalesce(team.name, ''), coalesce(project.name, ''),
               coalesce(job.key, ''), coalesce(job.sku, ''), window_start_at, {shown}
        FROM amount FULL JOIN share USING ({same})
        JOIN site ON site.id = site_id
        LEFT JOIN ai_model ON ai_model.id = model_id
        LEFT JOIN team ON team.id = team_id
        LEFT JOIN project ON project.id = project_id
        LEFT JOIN job ON job.id = job_id
        ORDER BY 7, 1, 2, 3, 4, 5"""  # noqa: S608 - names are our own constants
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            {
                "organisation": organisation_id, "start": span.start_at, "end": span.end_at,
                "charged": [int(account) for account in CHARGED], "api": int(Component.API),
            },
        )  # fmt: skip
        found = cursor.fetchall()
    names = ["site", "model", "team", "project", "job", "sku", "window_start_at", *TOKEN_COLUMNS, *PARTS, *MEASURES]
    return pd.DataFrame(found, columns=names)


def parts_of(site_id: int, span: Span, *, bought: bool) -> pd.DataFrame:
    """Return how a site's postings divide over tokens: of servers, or of tokens bought.

    Rows of the same ids stand in the order they were written; others do not, as COPY takes rows of one layout together.
    Columns: job_id, team_id, project_id, model_id (NaN for none), window_start_s, `TOKEN_COLUMNS` and `PARTS`.
    """
    ids = ("job_id", "team_id", "project_id", "model_id")
    counts = (*TOKEN_COLUMNS, *PARTS)
    statement = f"""
        SELECT {", ".join(f"{name}::float8" for name in ids)}, {epoch_sql("window_start_at")}, {", ".join(counts)}
        FROM token_share WHERE site_id = %s AND window_start_at >= %s AND window_start_at < %s
          AND (job_id IS NULL) = %s ORDER BY id"""  # noqa: S608 - our own names
    types = {**dict.fromkeys(ids, np.float64), **dict.fromkeys(("window_start_s", *counts), np.int64)}
    return pd.DataFrame(read_columns(statement, [site_id, span.start_at, span.end_at, bought], types))


def weights(organisation_id: int, span: Span) -> list[tuple[str, str, int, str]]:
    """Return (model, sku, quality, source) of the newest weights of each model and kind of GPU in a span."""
    rows = ServingWeight.objects.filter(
        site__organisation_id=organisation_id, day__gte=span.start_at.date(), day__lte=span.end_at.date()
    )
    newest: dict[tuple[str, str], tuple[int, str]] = {}
    for model, sku, quality, source in rows.order_by("day", "pk").values_list(
        "job__model__name", "job__sku", "quality", "source"
    ):
        newest[(model or "", sku)] = (quality, source)
    return [(model, sku, quality, source) for (model, sku), (quality, source) in sorted(newest.items())]
