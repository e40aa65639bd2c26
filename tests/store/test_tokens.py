"""From counters, usage and prices of tokens to a balanced ledger, in a real PostgreSQL."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module

import pandas as pd
import pytest
from click.testing import CliRunner
from django.db import connection
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce

from aiobserve.commands.ledger import check
from aiobserve.domain import frames
from aiobserve.domain.account import Account, Component
from aiobserve.domain.quality import Quality
from aiobserve.domain.schema import BadFrame
from aiobserve.domain.window import Span
from aiobserve.pipeline.check import check_all
from aiobserve.pipeline.collect import Collected, collect
from aiobserve.pipeline.sweep import Swept, attribute_due
from aiobserve.store.models import Posting, ServingWeight, TokenShare, TokenShareSeal, TokenUsage
from aiobserve.store.read import fleet, ledger
from aiobserve.store.write.organisation import ensure_organisation
from aiobserve.store.write.tokens import SHARE_COLUMNS
from aiobserve.store.write.watermark import want_again
from collectors.base import Batch
from tests.worlds import World, at, frame

pytestmark = pytest.mark.django_db

LATER_AT = at(100)
TEAMS = ("NLP", "Search", "Vision")


@dataclass
class TokenWorld(World):
    """A world with servers, tenants and a provider of tokens."""

    counters: list[dict[str, object]] = field(default_factory=list)
    usage: list[dict[str, object]] = field(default_factory=list)
    prices: list[dict[str, object]] = field(default_factory=list)

    def use(
        self,
        account: str,
        *,
        start: float,
        end: float,
        job: str | None = None,
        model: str | None = None,
        key: str = "",
        **tokens: int,
    ) -> "TokenWorld":
        """Add one request of an account between two hours; without a job it was bought from the provider."""
        self.usage.append(
            {
                "usage_key": key or f"request-{len(self.usage)}", "job_key": job, "provider": None if job else "example",
                "account": account, "model": model, "start_at": at(start), "end_at": at(end), "requests": 1,
                **{f"{kind}_tokens": 0 for kind in ("input", "cached_read", "cache_write", "output", "reasoning")},
                **{f"{kind}_tokens": count for kind, count in tokens.items()},
            }
        )  # fmt: skip
        return self

    def price(self, kind: str, usd: float, *, listed: float | None = None, start: float = -1000) -> "TokenWorld":
        """Add a price of a million tokens of the provider's model from an hour on."""
        self.prices.append(
            {"provider": "example", "model": "frontier", "kind": kind, "usd_per_million": usd, "list_usd_per_million": listed or usd,
             "valid_from_at": at(start), "quality": int(Quality.MEASURED), "source": "contract"}
        )  # fmt: skip
        return self

    def reading(
        self, hour: float, decode: float, *, seconds: float = 0, replica: str = "a", job: str = "server"
    ) -> "TokenWorld":
        """Add a reading of a server's counters in which every request has ended."""
        self.counters.append(
            {"job_key": job, "replica": replica, "at": at(hour), "prefill_tokens": decode, "cached_tokens": 0.0,
             "decode_tokens": decode, "requests": 1.0, "prefill_s": seconds / 100, "decode_s": seconds,
             "finished_prompt_tokens": decode, "finished_decode_tokens": decode}
        )  # fmt: skip
        return self

    def collect(self, span: Span | None = None) -> Iterator[Batch]:
        """Yield one batch with everything."""
        for batch in super().collect(span):
            more = {"serving_counters": self.counters, "token_usage": self.usage, "token_prices": self.prices}
            made = {name: frame(frames.FRAMES[name], *rows) for name, rows in more.items() if rows}
            yield Batch(batch.source, batch.batch_id, batch.frames | made, batch.rejections)


def world(**more: object) -> TokenWorld:
    """Three teams, and a server of the first that holds a GPU from one to two o'clock at 100 W."""
    accounts = [
        {"account": team.lower(), "team": team, "project": "chat", "valid_from_at": at(-1000)} for team in TEAMS
    ]
    made = TokenWorld(accounts=accounts, **more)  # type: ignore[arg-type]
    made.job("server", start=1, end=2, workload_type="interactive").power("busy_gpu", watts=100, start=0, end=25)
    return made


def run(one: World) -> tuple[int, Collected, Swept]:
    organisation_id = ensure_organisation("world", name="World")
    return (
        organisation_id,
        collect(organisation_id, one, now_at=LATER_AT),
        attribute_due(organisation_id, now_at=LATER_AT),
    )


def charged(
    organisation_id: int, *by: str, hours: tuple[float, float] = (0, 24)
) -> dict[tuple[object, ...], dict[str, int]]:
    rows = ledger.sums(organisation_id, Span(at(hours[0]), at(hours[1])), group_by=by)
    return {row.keys: row.sums for row in rows}


def test_a_server_is_paid_by_its_tenants_and_still_costs_what_it_cost() -> None:
    """Three parts of the tokens are Search's and one is Vision's in the first window; nothing is asked in the others."""
    shared = world()
    shared.use("search", job="server", start=1, end=1.25, output=300).use(
        "vision", job="server", start=1, end=1.25, output=100
    )
    organisation_id, _, _ = run(shared)

    by_team = charged(organisation_id, "team", "job")

    assert by_team[("Search", "server")]["energy_millij"] == 67_500_000
    assert by_team[("Vision", "server")]["energy_millij"] == 22_500_000
    assert by_team[("NLP", "server")]["energy_millij"] == 270_000_000  # three idle windows
    assert sum(sums["capacity_microusd"] for keys, sums in by_team.items() if keys[1] == "server") == 2_000_000
    assert check_all("world")["balanced"]


def test_without_a_request_the_server_s_own_team_pays() -> None:
    organisation_id, _, _ = run(world())

    assert charged(organisation_id, "team", "job")[("NLP", "server")]["energy_millij"] == 360_000_000


def test_a_tenant_that_no_team_answers_for_is_unattributed_with_its_server() -> None:
    organisation_id, _, _ = run(world().use("strangers", job="server", start=1, end=1.25, output=300))

    assert charged(organisation_id, "account", "job")[(Account.UNATTRIBUTED, "server")]["energy_millij"] == 90_000_000


def test_a_tenant_that_moves_takes_only_later_tokens_along() -> None:
    moving = world().use("roving", job="server", start=1, end=2, output=3600)
    moving.usage[-1]["requests"] = 40
    moving.accounts += [
        {"account": "roving", "team": "Search", "project": "chat", "valid_from_at": at(-9), "valid_to_at": at(1.5)},
        {"account": "roving", "team": "Vision", "project": "chat", "valid_from_at": at(1.5)},
    ]
    organisation_id, _, _ = run(moving)

    by_team = charged(organisation_id, "team", "job")
    assert (
        by_team[("Search", "server")]["energy_millij"] == by_team[("Vision", "server")]["energy_millij"] == 180_000_000
    )


def test_the_weights_are_measured_when_there_are_phase_times_and_say_so() -> None:
    read = world().use("search", job="server", start=1.05, end=1.2, output=900)
    for hour, decode in ((0.9, 0), (1, 0), (1.25, 900), (2, 900), (2.1, 900)):
        read.reading(hour, decode, seconds=decode * 0.02)
    organisation_id, _, _ = run(read)

    weight = ServingWeight.objects.get(site__organisation_id=organisation_id)
    assert weight.quality == Quality.MEASURED
    assert weight.decode_s == pytest.approx(0.02)
    # 18 s of decoding in a window of 900 s: the other 98 % of it were idle, and its computed prompt is nobody's.
    own, tenant = (
        charged(organisation_id, "team", "job")[(team, "server")]["energy_millij"] for team in ("NLP", "Search")
    )
    assert own + tenant == 360_000_000
    assert tenant == pytest.approx(90_000_000 * 18 / 900, rel=0.001)


def test_bought_tokens_are_charged_by_kind_at_the_price_of_their_time() -> None:
    bought = (
        world()
        .price("input", 3.0)
        .price("cached_read", 0.3)
        .price("output", 15.0, listed=20.0)
        .price("output", 10.0, start=12)
    )
    bought.use("search", model="frontier", start=10, end=10.1, input=1_000_000, cached_read=1_000_000)
    bought.use("vision", model="frontier", start=11, end=11.1, output=100_000).use(
        "vision", model="frontier", start=13, end=13, reasoning=100_000
    )
    organisation_id, _, _ = run(bought)

    by_team = charged(organisation_id, "site", "component", "team", "model")
    assert by_team[("example", Component.API, "Search", "frontier")]["api_microusd"] == 3_300_000
    vision = by_team[("example", Component.API, "Vision", "frontier")]
    assert (vision["api_microusd"], vision["list_microusd"]) == (1_500_000 + 1_000_000, 2_000_000 + 1_000_000)
    assert vision["energy_millij"] == 0
    assert check_all("world")["balanced"]


def test_tokens_without_a_price_wait_and_say_which() -> None:
    missing = world().price("input", 3.0).use("search", model="frontier", start=10, end=10.1, cached_read=10)
    organisation_id, _, swept = run(missing)

    assert (
        "no price of cached_read tokens of 'frontier' is known at 2026-03-02T10:00" in swept.blocked[0].blocked_reason
    )
    priced = TokenWorld(name="priced").price("cached_read", 0.5)
    collect(organisation_id, priced, now_at=LATER_AT)
    attribute_due(organisation_id, now_at=LATER_AT)
    assert charged(organisation_id, "component")[(Component.API,)]["api_microusd"] == 5


def test_tokens_are_taken_in_once_and_attributed_once() -> None:
    once = world().price("output", 3.0).use("search", model="frontier", start=10, end=10.1, output=10_000)
    once.use("search", job="server", start=1, end=1.25, output=300).reading(1, 0).reading(2, 300)
    organisation_id, _, _ = run(once)
    of_world = [model.objects.filter(organisation_id=organisation_id) for model in (Posting, TokenShare)]
    before = [rows.count() for rows in of_world]

    _, collected, swept = run(once)
    want_again([site.pk for site in fleet.sites(organisation_id)], at(0), None)
    again = attribute_due(organisation_id, now_at=LATER_AT)

    assert (collected.new_batches, swept.days, again.posted) == (0, 0, 0)
    assert [rows.count() for rows in of_world] == before


def test_usage_that_is_corrected_reverses_and_posts_anew() -> None:
    organisation_id, _, _ = run(world().use("search", job="server", start=1, end=1.25, output=300, key="r"))

    run(TokenWorld(name="later", accounts=[]).use("vision", job="server", start=1.25, end=1.5, output=300, key="r"))

    by_team = charged(organisation_id, "team", "job")
    assert ("Search", "server") not in by_team or by_team[("Search", "server")]["energy_millij"] == 0
    assert by_team[("Vision", "server")]["energy_millij"] == 90_000_000
    assert TokenUsage.objects.filter(organisation_id=organisation_id).count() == 1
    assert check_all("world")["balanced"]


def test_late_usage_reopens_only_its_days() -> None:
    organisation_id, _, _ = run(world())

    collect(
        organisation_id,
        TokenWorld(name="late", accounts=[]).use("search", job="server", start=1, end=1.25, output=300),
        now_at=LATER_AT,
    )

    due = {str(day) for _, day in fleet.due_days(organisation_id)}
    assert "2026-03-02" in due


def test_a_request_over_midnight_is_in_both_days_and_counted_once() -> None:
    over = world().price("output", 1.0).use("search", model="frontier", start=23.5, end=24.5, output=4_000_000)
    organisation_id, _, _ = run(over)

    days = charged(organisation_id, "day", "component", hours=(0, 48))
    assert [sums["api_microusd"] for keys, sums in days.items() if keys[1] == Component.API] == [2_000_000, 2_000_000]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"job_key": "server"}, "exactly one of job_key and provider"),
        ({"output_tokens": -1}, "a token count is negative"),
        ({"end_at": at(9)}, "it ends before it starts"),
    ],
)
def test_usage_that_cannot_be_is_refused_by_name_and_nothing_is_written(wrong: dict[str, object], said: str) -> None:
    bad = world().use("search", model="frontier", start=10, end=10.1, output=1, key="bad")
    bad.usage[-1] |= wrong

    with pytest.raises(BadFrame, match=rf"row 1 \(usage_key 'bad'\): {said}"):
        run(bad)

    organisation_id = ensure_organisation("world", name="World")
    assert TokenUsage.objects.filter(organisation_id=organisation_id).count() == 0
    assert fleet.sites(organisation_id) == []


def test_shares_name_the_same_windows_as_the_postings() -> None:
    shared = world().use("search", job="server", start=1, end=1.25, output=300)
    organisation_id, _, _ = run(shared)

    of_world = TokenShare.objects.filter(organisation_id=organisation_id)
    windows = pd.Series(sorted(set(of_world.values_list("window_start_at", flat=True))))
    assert windows.tolist() == [at(1) + timedelta(minutes=15 * n) for n in range(4)]


def two_days() -> TokenWorld:
    """A served request on the first day and a bought one on the second; each makes shares."""
    one = world().price("output", 1.0).use("search", job="server", start=1, end=1.25, output=300)
    return one.use("search", model="frontier", start=30, end=30.1, output=1_000)


def shares_of(organisation_id: int) -> "QuerySet[TokenShare]":
    return TokenShare.objects.filter(organisation_id=organisation_id)


def altered() -> object:
    checked = check_all("world")
    assert checked["balanced"] == ("altered_shares" not in checked)
    return checked.get("altered_shares")


def test_shares_as_they_were_written_are_what_was_sealed_and_days_without_any_need_no_seal() -> None:
    organisation_id, _, swept = run(two_days())

    seals = TokenShareSeal.objects.filter(site__organisation_id=organisation_id).order_by("day")
    assert [(seal.site.name, str(seal.day), seal.shares) for seal in seals] == [
        ("lab", "2026-03-02", 5),
        ("example", "2026-03-03", 1),
    ]
    assert swept.days > 2
    assert altered() is None


@pytest.mark.parametrize("name", list(SHARE_COLUMNS)[4:])
def test_an_altered_share_is_found_and_its_site_and_day_named_and_attribution_repairs_it(name: str) -> None:
    organisation_id, _, _ = run(two_days())
    some = shares_of(organisation_id).filter(day="2026-03-02").order_by("pk")[:1]
    shares_of(organisation_id).filter(pk__in=list(some.values_list("pk", flat=True))).update(
        **{name: Coalesce(F(name), 0) + 1}
    )

    assert altered() == [{"site": "lab", "day": "2026-03-02", "what": "a token share was altered"}]

    want_again([site.pk for site in fleet.sites(organisation_id)], at(0), None)
    attribute_due(organisation_id, now_at=LATER_AT)
    assert altered() is None


def test_parts_of_tokens_set_to_nought_fail_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    organisation_id, _, _ = run(two_days())
    shares_of(organisation_id).update(output_parts=0)
    monkeypatch.setattr("aiobserve.commands.ledger.database", nullcontext)

    ended = CliRunner().invoke(check, ["--org", "world"])

    assert ended.exit_code == 1
    assert "2026-03-02 at lab: a token share was altered" in ended.output
    assert "2026-03-03 at example: a token share was altered" in ended.output


def test_a_removed_an_added_and_a_moved_share_are_found() -> None:
    organisation_id, _, _ = run(two_days())
    shares_of(organisation_id).filter(day="2026-03-03").delete()
    one = shares_of(organisation_id).filter(day="2026-03-02").order_by("pk")[0]
    one.delete()
    assert altered() == [
        {"site": "lab", "day": "2026-03-02", "what": "sealed with 5 token shares, has 4"},
        {"site": "example", "day": "2026-03-03", "what": "sealed with 1 token shares, has 0"},
    ]

    one.pk = None
    one.save(force_insert=True)
    assert altered() == [{"site": "example", "day": "2026-03-03", "what": "sealed with 1 token shares, has 0"}]
    one.pk = None
    one.save(force_insert=True)
    shares_of(organisation_id).filter(pk=one.pk).update(day="2026-03-04")
    assert altered() == [
        {"site": "example", "day": "2026-03-03", "what": "sealed with 1 token shares, has 0"},
        {"site": "lab", "day": "2026-03-04", "what": "has 1 token shares that no seal vouches for"},
    ]


def test_a_seal_that_is_gone_is_missed_and_another_organisation_is_not_blamed() -> None:
    organisation_id, _, _ = run(two_days())
    ensure_organisation("other", name="Other")
    TokenShareSeal.objects.filter(site__organisation_id=organisation_id, day="2026-03-02").delete()

    assert altered() == [{"site": "lab", "day": "2026-03-02", "what": "has 5 token shares that no seal vouches for"}]
    assert check_all("other")["balanced"]


def test_an_upgrade_seals_the_shares_that_are_there() -> None:
    organisation_id, _, _ = run(two_days())
    TokenShareSeal.objects.all().delete()

    with connection.cursor() as cursor:
        cursor.execute(import_module("aiobserve.store.migrations.0011_token_seal").FILL)

    assert TokenShareSeal.objects.filter(site__organisation_id=organisation_id).count() == 2
    assert altered() is None


def test_tokens_that_are_gone_take_their_seal_along() -> None:
    organisation_id, _, _ = run(two_days())
    TokenUsage.objects.filter(organisation_id=organisation_id).delete()
    want_again([site.pk for site in fleet.sites(organisation_id)], at(0), None)

    attribute_due(organisation_id, now_at=LATER_AT)

    assert TokenShareSeal.objects.filter(site__organisation_id=organisation_id).count() == 0
    assert altered() is None
