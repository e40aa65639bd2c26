"""The kinds of token, of which each token is exactly one, and the tables of servers, usage and prices."""

from enum import IntEnum

from aiobserve.domain.schema import INSTANT, TEXT, Column, Schema


class TokenKind(IntEnum):
    """What a token was. The kinds do not overlap: input excludes what came from a cache, output excludes reasoning.

    Sources differ: OpenTelemetry's `gen_ai.usage.input_tokens` includes cached tokens and its `output_tokens`
    includes reasoning, Anthropic's raw `input_tokens` excludes cached ones. A collector makes them disjoint.
    """

    INPUT = 0
    CACHED_READ = 1
    CACHE_WRITE = 2
    OUTPUT = 3
    REASONING = 4

    @property
    def label(self) -> str:
        """Return the word that reports print."""
        return self.name.lower()


TOKEN_COLUMNS = tuple(f"{kind.label}_tokens" for kind in TokenKind)
# A server of our own knows three costs of a token: a prompt token that it computed, one that it found in its
# cache, one that it generated. What is written to its cache was computed; reasoning was generated.
PHASES = ("prefill", "cached", "decode")
PHASE_OF = {
    TokenKind.INPUT: "prefill",
    TokenKind.CACHED_READ: "cached",
    TokenKind.CACHE_WRITE: "prefill",
    TokenKind.OUTPUT: "decode",
    TokenKind.REASONING: "decode",
}

# Counters of a model server's process, since it started. A server is a job; a replica is one process of it. Tokens are
# counted as they are made; seconds and finished tokens only when their request ends (vLLM's histograms). prefill_s and
# decode_s sum the seconds of requests, which run side by side. process_started_at tells a restart that overtook the
# old reading. Finished prompt tokens include those from the cache.
SERVING_COUNTERS = Schema(
    "serving_counters",
    {
        "job_key": Column(TEXT),
        "replica": Column(TEXT),
        "at": Column(INSTANT),
        "process_started_at": Column(INSTANT, nullable=True, default=None),
        "prefill_tokens": Column("float64"),
        "cached_tokens": Column("float64"),
        "decode_tokens": Column("float64"),
        "requests": Column("float64"),
        "prefill_s": Column("float64", nullable=True),
        "decode_s": Column("float64", nullable=True),
        "finished_prompt_tokens": Column("float64", nullable=True, default=float("nan")),
        "finished_decode_tokens": Column("float64", nullable=True, default=float("nan")),
    },
)

# Who used a model: one row a request, or a row for the requests of an account over a span. Either served by a job of
# ours (job_key), or bought from a provider. Kinds of token do not overlap (`domain.tokens.TokenKind`).
TOKEN_USAGE = Schema(
    "token_usage",
    {
        "usage_key": Column(TEXT),
        "job_key": Column(TEXT, nullable=True),
        "provider": Column(TEXT, nullable=True),
        "account": Column(TEXT),
        "model": Column(TEXT, nullable=True),
        "start_at": Column(INSTANT),
        "end_at": Column(INSTANT),
        "requests": Column("int64"),
        **{name: Column("int64") for name in TOKEN_COLUMNS},
    },
)

# Dated price of a million tokens of a kind: what is paid, and the list price.
TOKEN_PRICES = Schema(
    "token_prices",
    {
        "provider": Column(TEXT),
        "model": Column(TEXT),
        "kind": Column(TEXT),
        "usd_per_million": Column("float64"),
        "list_usd_per_million": Column("float64"),
        "valid_from_at": Column(INSTANT),
        "valid_to_at": Column(INSTANT, nullable=True),
        "quality": Column("int8"),
        "source": Column(TEXT),
    },
)
