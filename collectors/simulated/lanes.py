"""Lanes: GPUs that one stream of jobs holds, one job after another. Lanes never share a GPU at one time."""

from dataclasses import dataclass

from collectors.simulated.company import MIG_GPU, MIG_SHARES_MILLIS
from collectors.simulated.shapes import ALLOCATED_SHARE, MEDIAN_DURATION_S


@dataclass(frozen=True)
class Work:
    """A kind of job on a lane: who runs it, on which model, how often relative to its neighbours, how hard it draws."""

    account: str
    model: str
    workload_type: str
    weight: float = 1.0
    utilisation: float = 0.8


@dataclass(frozen=True)
class Lane:
    """GPUs of a node that hold one job at a time.

    Attributes:
        pattern: renewal (jobs and pauses), serving (round the clock), office (held always, used in office hours),
            evening (one batch at the dearest hour of each working day).
        median_s: median duration of its jobs.
        busy_share: share of the time that it is held (renewal only).
        share_millis: what a job holds of each GPU.
    """

    name: str
    node: str
    gpus: tuple[int, ...]
    works: tuple[Work, ...]
    pattern: str = "renewal"
    median_s: float = MEDIAN_DURATION_S
    busy_share: float = ALLOCATED_SHARE
    share_millis: int = 1000


CHAT_LARGE = Work("assistant-prod", "chat-70b", "interactive", utilisation=0.75)
CHAT_SMALL = Work("assistant-prod", "chat-7b", "interactive", utilisation=0.6)
BASE_MODEL = Work("nlp-train", "base-13b", "training", utilisation=0.92)
TUNING = Work("nlp-train", "base-13b", "fine_tuning", weight=0.6, utilisation=0.85)
EVALUATION = Work("assistant-eval", "chat-70b", "evaluation", utilisation=0.7)
DETECTOR = Work("vision-research", "detector-xl", "training", utilisation=0.88)
VISION_BATCH = Work("vision-prod", "vit-inspect", "batch_inference", utilisation=0.65)
VOICE = Work("speech", "asr-large", "training", utilisation=0.86)
VOICE_OUT = Work("speech", "tts-small", "fine_tuning", weight=0.5, utilisation=0.8)
RERANKING = Work("search-batch", "rerank-xl", "batch_inference", utilisation=0.72)
EMBEDDING = Work("search-embed", "embed-base", "embedding", utilisation=0.55)
FOLDING = Work("science", "fold-3b", "training", utilisation=0.9)
FOLD_TUNING = Work("science", "fold-3b", "fine_tuning", weight=0.5, utilisation=0.82)
CONTRACT = Work("contractors", "", "other", weight=0.25, utilisation=0.5)

LANES = (
    Lane("chat-large", "fra-h1", (0, 1, 2, 3), (CHAT_LARGE,), "serving"),
    Lane("base-model", "fra-h1", (4, 5, 6, 7), (BASE_MODEL, TUNING), median_s=30_000, busy_share=0.8),
    Lane("office", "fra-h2", (0, 1, 2, 3), (FOLDING,), "office"),
    *(
        Lane(f"mig-{profile}", MIG_GPU[0], (MIG_GPU[1],), (EMBEDDING, EVALUATION), median_s=7_000, share_millis=share)
        for profile, share in MIG_SHARES_MILLIS.items()
    ),
    Lane("detector", "fra-h2", (5, 6), (DETECTOR,), median_s=20_000, busy_share=0.6),
    Lane("spare", "fra-h2", (7,), (EVALUATION, VISION_BATCH), busy_share=0.45),
    Lane("voice-1", "fra-a1", (0, 1), (VOICE, VOICE_OUT), median_s=15_000),
    Lane("voice-2", "fra-a1", (2, 3), (VOICE, VISION_BATCH), median_s=12_000),
    Lane("batch-1", "fra-a1", (4,), (VISION_BATCH, CONTRACT)),
    Lane("batch-2", "fra-a1", (5,), (EMBEDDING, VISION_BATCH)),
    Lane("batch-3", "fra-a1", (6,), (EVALUATION, EMBEDDING), busy_share=0.5),
    Lane("batch-4", "fra-a1", (7,), (VISION_BATCH, EVALUATION), busy_share=0.4),
    Lane("folding", "iad-a1", (0, 1, 2, 3, 4, 5, 6, 7), (FOLDING, FOLD_TUNING), median_s=40_000, busy_share=0.7),
    Lane("chat-small", "iad-l1", (0, 1), (CHAT_SMALL,), "serving"),
    Lane("embed-1", "iad-l1", (2,), (EMBEDDING,), busy_share=0.6),
    Lane("embed-2", "iad-l1", (3,), (EMBEDDING, CONTRACT), busy_share=0.5),
    Lane("evening", "iad-l2", (0, 1), (RERANKING,), "evening"),
    Lane("rerank", "iad-l2", (2, 3), (RERANKING, EMBEDDING), busy_share=0.5),
)
