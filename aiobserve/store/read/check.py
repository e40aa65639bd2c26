"""Reads everything that the check of the ledger needs: sums by window, seals of batches, and what stands."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection

from aiobserve.domain.account import MEASURES, Account
from aiobserve.store.write.ledger import CHECKSUM
from aiobserve.store.write.tokens import SHARE_CHECKSUM


@dataclass(frozen=True)
class CheckedLedger:
    """What the check of a ledger found.

    Attributes:
        windows: number of (site, window) pairs looked at.
        charged, metered: sum of each measure on either side.
        unbalanced: (site, window start, differences by measure) of each window that does not sum to zero.
        altered: (site, day, what is wrong) of each batch whose postings are not those that were posted.
        not_standing: (site, window start) of each window whose postings sum to something else than what stands for it.
        orphans: postings of batches that are not there.
        altered_shares: (site, day, what is wrong) of each day whose division over tokens is not the one that was written.
    """

    windows: int
    charged: dict[str, int]
    metered: dict[str, int]
    unbalanced: list[tuple[str, datetime, dict[str, int]]]
    altered: list[tuple[str, date, str]]
    not_standing: list[tuple[str, datetime]]
    orphans: int
    altered_shares: list[tuple[str, date, str]]


def check(organisation_id: int) -> CheckedLedger:
    """Sum every window of an organisation on every measure, and compare every batch with its seal."""
    sides = ", ".join(
        f"coalesce(sum({measure}) FILTER (WHERE account <> {int(Account.METERED)}), 0)::bigint,"
        f" coalesce(-sum({measure}) FILTER (WHERE account = {int(Account.METERED)}), 0)::bigint"
        for measure in MEASURES
    )
    zero = " OR ".join(f"sum({measure}) <> 0" for measure in MEASURES)
    differences = ", ".join(f"sum({measure})::bigint" for measure in MEASURES)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(DISTINCT (site_id, window_start_at)), {sides} FROM posting WHERE organisation_id = %s",  # noqa: S608
            [organisation_id],
        )
        windows, *amounts = cursor.fetchone() or (0,)
        cursor.execute(
            f"""SELECT site.name, window_start_at, {differences} FROM posting JOIN site ON site.id = posting.site_id
                WHERE posting.organisation_id = %s GROUP BY site.name, window_start_at HAVING {zero}
                ORDER BY window_start_at, site.name""",  # noqa: S608 - names are our own constants
            [organisation_id],
        )
        unbalanced = [
            (row[0], row[1], dict(zip(MEASURES, map(int, row[2:]), strict=True))) for row in cursor.fetchall()
        ]
    return CheckedLedger(
        windows=int(windows),
        charged=dict(zip(MEASURES, map(int, amounts[0::2]), strict=True)),
        metered=dict(zip(MEASURES, map(int, amounts[1::2]), strict=True)),
        unbalanced=unbalanced,
        altered=_altered(organisation_id),
        not_standing=_not_standing(organisation_id),
        orphans=_orphans(organisation_id),
        altered_shares=_altered_shares(organisation_id),
    )


def _altered(organisation_id: int) -> list[tuple[str, date, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT site.name, batch.day, batch.postings, count(posting.id), batch.checksum, {CHECKSUM}
                FROM ledger_batch AS batch JOIN site ON site.id = batch.site_id
                LEFT JOIN LATERAL (SELECT * FROM posting WHERE posting.batch_id = batch.id) AS posting ON true
                WHERE batch.organisation_id = %s GROUP BY batch.id, site.name ORDER BY batch.day""",  # noqa: S608
            [organisation_id],
        )
        rows = cursor.fetchall()
    return [
        (name, day, f"sealed with {sealed} postings, has {found}" if sealed != found else "a posting was altered")
        for name, day, sealed, found, sealed_checksum, checksum in rows
        if sealed != found or (found and sealed_checksum != checksum)
    ]


def _not_standing(organisation_id: int) -> list[tuple[str, datetime]]:
    """Find windows in which what was reversed does not cancel out, account by account."""
    off = " OR ".join(
        f"sum(posting.{name}) <> coalesce(sum(posting.{name}) FILTER (WHERE version.id IS NOT NULL), 0)"
        for name in MEASURES
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT DISTINCT site.name, found.incurred_at FROM (
                    SELECT posting.site_id, coalesce(posting.corrects_window_start_at, posting.window_start_at) AS incurred_at
                    FROM posting LEFT JOIN ledger_window AS version ON version.batch_id = posting.batch_id
                        AND version.window_start_at = coalesce(posting.corrects_window_start_at, posting.window_start_at)
                        AND version.reversed_by_id IS NULL
                    WHERE posting.organisation_id = %s GROUP BY 1, 2, posting.account HAVING {off}) AS found
                JOIN site ON site.id = found.site_id ORDER BY 2, 1""",  # noqa: S608 - names are our own constants
            [organisation_id],
        )
        return [(str(site), at) for site, at in cursor.fetchall()]


def _orphans(organisation_id: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT count(*) FROM posting WHERE organisation_id = %s
               AND NOT EXISTS (SELECT 1 FROM ledger_batch WHERE ledger_batch.id = posting.batch_id)""",
            [organisation_id],
        )
        return int((cursor.fetchone() or (0,))[0])


def _altered_shares(organisation_id: int) -> list[tuple[str, date, str]]:
    """Find site-days whose shares and seal differ, in one statement: attribution may be replacing both."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH ours AS (SELECT id, name FROM site WHERE organisation_id = %s),
                found AS (SELECT site_id, day, count(*) AS shares, {SHARE_CHECKSUM} AS checksum
                          FROM token_share WHERE site_id IN (SELECT id FROM ours) GROUP BY site_id, day),
                sealed AS (SELECT site_id, day, shares, checksum
                           FROM token_share_seal WHERE site_id IN (SELECT id FROM ours))
                SELECT ours.name, day, sealed.shares, coalesce(found.shares, 0)
                FROM sealed FULL JOIN found USING (site_id, day) JOIN ours ON ours.id = site_id
                WHERE (sealed.shares, sealed.checksum) IS DISTINCT FROM (found.shares, found.checksum)
                ORDER BY day, ours.name""",  # noqa: S608 - names are our own constants
            [organisation_id],
        )
        rows = cursor.fetchall()
    return [(name, day, _wrong_with_shares(sealed, found)) for name, day, sealed, found in rows]


def _wrong_with_shares(sealed: int | None, found: int) -> str:
    if sealed is None:
        return f"has {found} token shares that no seal vouches for"
    if sealed != found:
        return f"sealed with {sealed} token shares, has {found}"
    return "a token share was altered"
