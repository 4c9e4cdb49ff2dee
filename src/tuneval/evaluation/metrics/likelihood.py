"""Figures from the likelihood of the true response, by teacher forcing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tuneval.evaluation.kinds import OfSums, PerItem
from tuneval.evaluation.metric import About, Unscored

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item, TeacherForced
    from tuneval.statistics.sample import Floats

PERPLEXITY = "response_perplexity"
TOKEN_ACCURACY = "token_accuracy"
SAMPLE_MEAN = "token_accuracy_sample_mean"
WHOLE_SEQUENCE = "token_accuracy_whole_sequence"
TEACHER_FORCED = (PERPLEXITY, TOKEN_ACCURACY, SAMPLE_MEAN, WHOLE_SEQUENCE)
"""What every evaluation of examples tells. The last is shown as a mistake to know."""

FURTHEST, NOT_FINITE = 1e100, "its likelihood is no finite number"
"""Nats, more than which no text has; what a model says of whose numbers overflow."""

Values = Callable[["TeacherForced"], tuple[float, float]]


def unmeasured(item: Item) -> str | None:
    """Why an item has no likelihood of its response; None when it has."""
    forced = item.teacher_forced
    if forced is None:
        return item.skipped.get("teacher_forced", "not measured")
    if not forced.n_tokens:
        return "the response has no token"
    return None if abs(forced.nll) <= FURTHEST else NOT_FINITE


def _columns(values: Values) -> Callable[[Sequence[Item]], Floats]:
    def columns(items: Sequence[Item]) -> Floats:
        import numpy as np

        return np.array([values(_measured(item)) for item in items], dtype=np.float64)

    return columns


def _measured(item: Item) -> TeacherForced:
    if item.teacher_forced is None:
        raise ValueError(f"item {item.id} was not measured; ask `missing` first")
    return item.teacher_forced


def _perplexity(sums: Floats) -> Floats:
    import numpy as np

    return np.asarray(np.exp(sums[..., 0] / sums[..., 1]))


def _ratio(sums: Floats) -> Floats:
    ratio: Floats = sums[..., 0] / sums[..., 1]
    return ratio


def _share_of_tokens(item: Item) -> float | Unscored:
    reason = unmeasured(item)
    if reason is not None:
        return Unscored(reason)
    forced = _measured(item)
    return forced.n_correct / forced.n_tokens


RESPONSE_PERPLEXITY = OfSums(
    about=About(
        name=PERPLEXITY,
        family="likelihood",
        unit="",
        higher_is_better=False,
        range=(1.0, float("inf")),
        needs=("likelihood",),
        source="exp of the mean negative log-likelihood per token; Jelinek et al. (1977)",
        use="to see whether the model has learnt the data's answers, without asking it to write",
        avoid="to compare models with different tokenizers: use bits per byte",
    ),
    reason=unmeasured,
    columns=_columns(lambda t: (t.nll, t.n_tokens)),
    statistic=_perplexity,
)
TOKENS_RIGHT = OfSums(
    about=About(
        name=TOKEN_ACCURACY,
        family="likelihood",
        unit="share",
        higher_is_better=True,
        range=(0.0, 1.0),
        needs=("likelihood",),
        source="share of response tokens that are the model's first choice, all tokens together",
        use="beside perplexity, as the number that trainers print",
        avoid="as a measure of answers: one early wrong token can spoil all that follows",
    ),
    reason=unmeasured,
    columns=_columns(lambda t: (t.n_correct, t.n_tokens)),
    statistic=_ratio,
    is_share=True,
)
TOKENS_RIGHT_BY_ITEM = PerItem(
    about=About(
        name=SAMPLE_MEAN,
        family="likelihood",
        unit="share",
        higher_is_better=True,
        range=(0.0, 1.0),
        needs=("likelihood",),
        source="the mean over items of each item's token accuracy (LLaMA-Factory's eval_accuracy)",
        use="to compare with LLaMA-Factory, or where short answers must count like long ones",
        avoid="where a few items have one or two tokens: they weigh like whole pages",
    ),
    score=_share_of_tokens,
)
TOKENS_RIGHT_WITH_PROMPT = OfSums(
    about=About(
        name=WHOLE_SEQUENCE,
        family="likelihood",
        unit="share",
        higher_is_better=True,
        range=(0.0, 1.0),
        needs=("likelihood",),
        source="token accuracy over the whole sequence, prompt included: a common mistake",
        use="to recognise the mistake in other people's numbers",
        avoid="always: it mostly tells how predictable the prompts are",
    ),
    reason=unmeasured,
    columns=_columns(lambda t: (t.n_correct_whole, t.n_whole)),
    statistic=_ratio,
    is_share=True,
)
