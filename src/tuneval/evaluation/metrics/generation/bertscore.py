"""BERTScore of one pair: how near each token of one text comes to some token of the other.

As in the package bert_score, without its rescaling: cosines of the encoder's last hidden states;
precision is the mean over the answer's tokens of the best cosine with a token of the reference,
recall the same the other way round, F1 their harmonic mean. Tokens such as [CLS] have no weight
but may be a best match. With idf a token weighs log((N + 1) / (n + 1)), where n of the N
references have it. Of several references the best one counts.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

from tuneval.evaluation.kinds import OfArgument, PerItem
from tuneval.evaluation.kinds.per_item import lacks_texts, texts_of
from tuneval.evaluation.metric import About, Unscored

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.models.encoder import Encoder, Ids, TokenStates
    from tuneval.statistics.sample import Floats

PAIRS_AT_ONCE = 128
"""Pairs whose token states are held at once: about 100 MB at 256 tokens of 384 numbers."""
AUTO = "auto"
NO_WEIGHT = "every token stands in all references, so that idf leaves nothing to compare"
IDF_OF_MANY = "idf weights are those of a whole set; grade its items together"


@dataclass(frozen=True, slots=True)
class Weights:
    """What a token counts: by id, else `unseen`; without idf, 1 for all."""

    by_id: Mapping[int, float]
    unseen: float = 1.0

    def of(self, text: TokenStates) -> Floats:
        """The weight of each token of a text, 0 where it stands for no part of it."""
        import numpy as np

        weights = [self.by_id.get(int(token), self.unseen) for token in text.ids]
        return np.array(weights, dtype=np.float64) * text.is_text


EQUAL = Weights({})


def idf(references: Sequence[Ids]) -> Weights:
    """Inverse document frequency of each token id over the references."""
    n = len(references)
    holders = Counter(token for ids in references for token in {int(i) for i in ids})
    by_id = {token: math.log((n + 1) / (count + 1)) for token, count in holders.items()}
    return Weights(by_id, unseen=math.log(n + 1))


def bertscore(said: TokenStates, wanted: TokenStates, weights: Weights = EQUAL) -> float | Unscored:
    """F1 of two texts; 0 where one has no token of its own."""
    if not said.is_text.any() or not wanted.is_text.any():
        return 0.0
    cosines = (said.states @ wanted.states.T).astype("float64")
    ours, theirs = weights.of(said), weights.of(wanted)
    if not ours.any() or not theirs.any():
        return Unscored(NO_WEIGHT)
    precision = float(cosines.max(axis=1) @ ours / ours.sum())
    recall = float(cosines.max(axis=0) @ theirs / theirs.sum())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@dataclass(frozen=True, slots=True)
class _Grader:
    """Grades items by one encoder; the `batch` of a PerItem."""

    name: str
    encoder: str
    has_idf: bool

    def __call__(self, items: Sequence[Item]) -> list[Mapping[str, float | Unscored]]:
        """The grade of each item that has both texts, nothing for the others; in order."""
        places = [place for place, item in enumerate(items) if lacks_texts(item) is None]
        grades: list[Mapping[str, float | Unscored]] = [{}] * len(items)
        scores = self._scores([texts_of(items[place]) for place in places])
        for place, score in zip(places, scores, strict=True):
            grades[place] = {self.name: score}
        return grades

    def score(self, item: Item) -> float | Unscored:
        """The grade of one item."""
        reason = lacks_texts(item) or (IDF_OF_MANY if self.has_idf else None)
        return next(self._scores([texts_of(item)])) if reason is None else Unscored(reason)

    def _scores(self, texts: Sequence[tuple[str, tuple[str, ...]]]) -> Iterator[float | Unscored]:
        """Of each answer with its references the best score; in order."""
        pairs = [(said, reference) for said, references in texts for reference in references]
        found = self._of_pairs(pairs)
        for _, references in texts:
            scores = list(islice(found, len(references)))
            yield max((s for s in scores if not isinstance(s, Unscored)), default=scores[0])

    def _of_pairs(self, pairs: Sequence[tuple[str, str]]) -> Iterator[float | Unscored]:
        encoder = _encoder(self.encoder)
        weights = idf(encoder.token_ids([r for _, r in pairs])) if self.has_idf else EQUAL
        for start in range(0, len(pairs), PAIRS_AT_ONCE):
            block = pairs[start : start + PAIRS_AT_ONCE]
            states = encoder.token_states([text for pair in block for text in pair])
            for said, wanted in zip(states[::2], states[1::2], strict=True):
                yield bertscore(said, wanted, weights)


def _of_encoder(argument: str) -> PerItem:
    head, _, rest = argument.partition(":")
    has_idf = head == "idf"
    encoder = (rest or AUTO) if has_idf else argument
    name = BERTSCORE.about.name if argument == AUTO else f"{BERTSCORE.about.name}:{argument}"
    grader = _Grader(name, encoder, has_idf)
    return PerItem(about=replace(BERTSCORE.about, name=name), score=grader.score, batch=grader)


@cache
def _encoder(text: str) -> Encoder:
    from tuneval.models.embeddings import load_encoder

    return load_encoder(text)


BERTSCORE = OfArgument(
    about=About(
        name="bertscore",
        family="generation",
        unit="",
        higher_is_better=True,
        range=(-1.0, 1.0),
        needs=("prediction", "reference", "encoder"),
        source="F1 of Zhang et al. (2020), not rescaled, on all-MiniLM-L6-v2; `:idf` weighs rare "
        "tokens more, `:ENCODER` or `:idf:ENCODER` takes another encoder; of several references "
        "the best",
        use="where the meaning counts and the wording is free",
        avoid="as an absolute figure: it is high for any two sentences, and no two encoders "
        "compare; the default one reads English only, `:model:REFERENCE` what a language model "
        "reads",
    ),
    argument="encoder",
    make=_of_encoder,
    default=AUTO,
    example="idf",
)
