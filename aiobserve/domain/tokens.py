"""The kinds of token. A token is of exactly one kind, so that the kinds of a request sum to its tokens."""

from enum import IntEnum


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
