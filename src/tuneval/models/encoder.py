"""How texts become vectors: tokens, batches of like length, hidden states, pooling, unit length."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch

from tuneval.errors import ModelError, UsageError
from tuneval.models.encoder_folder import Pooling
from tuneval.models.memory import give_back, is_out_of_memory
from tuneval.runs.events import Finished, Report, Started, Step, Warned, ignore

STAGE = "embeddings"
# Measured on a CPU with MiniLM: 8,192 tokens at once take half as long again as 1,024.
TOKENS_ON_CPU = 1024
TOKENS_ON_ACCELERATOR = 32_768
TEXTS_PER_TOKENIZATION = 1000

Vectors = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int32]
Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class TokenStates:
    """A text's tokens (T,) with their last hidden states of unit length, (T, D) float32.

    `is_text` is False for the tokens that stand for no part of the text, such as [CLS].
    """

    ids: Ids
    states: Vectors
    is_text: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Encoder:
    """Gives texts vectors of unit length, whose dot product is their cosine similarity.

    `name` loads it again; `hash` names weights, tokenizer and pooling: as long as it is the same,
    so are the vectors. `model` gives `last_hidden_state`. Texts longer than `max_length` tokens
    are cut at their end, and the report hears of it. `prompt` is put before every text. Where a
    text's first token is `skipped` (BOS, which is no part of it), the mean leaves it out.
    """

    model: Any
    tokenizer: Any
    name: str
    hash: str
    pooling: Pooling = "mean"
    max_length: int | None = None
    lower_case: bool = False
    prompt: str = ""
    skipped: int | None = None

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return int(self.model.config.get_text_config().hidden_size)

    def embed(
        self, texts: Sequence[str], *, token_budget: int | None = None, report: Report = ignore
    ) -> Vectors:
        """A row of unit length per text, in their order, (N, D) float32; equal texts, equal rows.

        `token_budget` bounds the tokens of one forward pass and is halved when memory runs out.
        Raises UsageError naming the first text without a word.
        """
        for index, text in enumerate(texts):
            if not text.strip():
                raise _no_word(index, text)
        row_of = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        ids = self.token_ids(list(row_of), report=report)
        for text, row in row_of.items():
            if not len(ids[row]):
                raise _no_word(texts.index(text), text)
        vectors = np.empty((len(row_of), self.dimension), np.float32)
        report(Started(STAGE, len(row_of), "texts"))
        done = 0
        for rows, values in self._passes(ids, self._vectors, token_budget, report):
            vectors[rows] = values
            done += len(rows)
            report(Step(STAGE, done, len(row_of)))
        report(Finished(STAGE, {"texts": len(row_of), "tokens": sum(map(len, ids))}))
        return vectors[[row_of[text] for text in texts]]

    def token_states(
        self, texts: Sequence[str], *, token_budget: int | None = None, report: Report = ignore
    ) -> list[TokenStates]:
        """The tokens of each text with their states, in the order of the texts.

        Equal texts share one object; a text without a token has no row in it.
        """
        distinct = list(dict.fromkeys(texts))
        ids = self.token_ids(distinct, report=report)
        states: list[Vectors] = [np.empty((0, self.dimension), np.float32)] * len(ids)
        for rows, found in self._passes(ids, self._states, token_budget, report):
            for row, own in zip(rows, found, strict=True):
                states[row] = own
        of_text = {
            text: TokenStates(own_ids, own, ~np.isin(own_ids, self._not_text))
            for text, own_ids, own in zip(distinct, ids, states, strict=True)
        }
        return [of_text[text] for text in texts]

    @property
    def _not_text(self) -> list[int]:
        """The ids that a tokenizer puts around a text."""
        names = ("cls", "sep", "bos", "eos")
        found = [getattr(self.tokenizer, f"{name}_token_id", None) for name in names]
        return [token for token in found if token is not None]

    def token_ids(self, texts: Sequence[str], *, report: Report = ignore) -> list[Ids]:
        """Token ids of each text with the tokenizer's special ones, cut where they are too many."""
        found: list[Ids] = []
        n_cut = 0
        for start in range(0, len(texts), TEXTS_PER_TOKENIZATION):
            block = [self._prepared(text) for text in texts[start : start + TEXTS_PER_TOKENIZATION]]
            read = self.tokenizer(block, truncation=False, padding=False, verbose=False)
            for text, ids in zip(block, read["input_ids"], strict=True):
                if self.max_length is not None and len(ids) > self.max_length:
                    n_cut += 1
                    # The tokenizer knows which special tokens must stand at the end all the same.
                    cut = {"truncation": True, "max_length": self.max_length, "padding": False}
                    ids = self.tokenizer(text, **cut)["input_ids"]
                found.append(np.array(ids, np.int32))
        if n_cut:
            told = f"of {n_cut} of {len(texts)} texts only the first {self.max_length} tokens count"
            report(Warned(STAGE, told))
        return found

    def _prepared(self, text: str) -> str:
        text = self.prompt + text.strip()
        return text.lower() if self.lower_case else text

    def _passes(
        self,
        ids: list[Ids],
        read: Callable[[Sequence[Ids]], Read],
        token_budget: int | None,
        report: Report,
    ) -> Iterator[tuple[list[int], Read]]:
        """Row numbers and what `read` gives of them, a pass at a time, longest texts first."""
        on_cpu = next(self.model.parameters()).device.type == "cpu"
        budget = token_budget or (TOKENS_ON_CPU if on_cpu else TOKENS_ON_ACCELERATOR)
        rows_with_tokens = [row for row in range(len(ids)) if len(ids[row])]
        pending = _batches(sorted(rows_with_tokens, key=lambda row: -len(ids[row])), ids, budget)
        while pending:
            rows = pending[0]
            try:
                found = read([ids[row] for row in rows])
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                budget = _smaller(len(rows), len(ids[rows[0]]), budget)
                report(Warned(STAGE, f"out of memory: going on with {budget} tokens at once"))
            else:
                yield pending.popleft(), found
                continue
            give_back()  # here the error, and with it what the failed pass held, is gone
            pending = _batches([row for batch in pending for row in batch], ids, budget)

    def _vectors(self, ids: Sequence[Ids]) -> Vectors:
        """Unit vectors of a batch, (B, D)."""
        with torch.no_grad():
            hidden, read, attention = self._forward(ids)
            return self._unit(self._pool(hidden, read, attention))

    def _states(self, ids: Sequence[Ids]) -> list[Vectors]:
        """For each text of a batch the unit states of its tokens, (T, D)."""
        with torch.no_grad():
            hidden, _, attention = self._forward(ids)
            states = self._unit(hidden[attention.bool()])
        return np.split(states, np.cumsum([len(own) for own in ids])[:-1])

    def _forward(self, ids: Sequence[Ids]) -> tuple[Any, Any, Any]:
        """Hidden states (B, T, D), ids and attention mask (B, T) of a batch.

        Padded on the right, where no text's positions move.
        """
        inputs = np.zeros((len(ids), max(map(len, ids))), np.int64)
        mask = np.zeros_like(inputs)
        for row, own in enumerate(ids):
            inputs[row, : len(own)] = own
            mask[row, : len(own)] = 1
        device = next(self.model.parameters()).device
        read, attention = (torch.from_numpy(each).to(device) for each in (inputs, mask))
        hidden = self.model(input_ids=read, attention_mask=attention).last_hidden_state
        return hidden.float(), read, attention

    def _unit(self, vectors: Any) -> Vectors:
        """The vectors with length one."""
        lengths = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
        if not (torch.isfinite(lengths) & (lengths > 0)).all():
            raise ModelError(
                "The encoder gives vectors that are zero or not finite.",
                where=self.name,
                mend="choose another encoder, or check that its weights are whole",
            )
        return np.asarray((vectors / lengths).cpu().numpy(), np.float32)

    def _pool(self, hidden: Any, read: Any, attention: Any) -> Any:
        """(B, D) of hidden states (B, T, D)."""
        n_tokens = attention.sum(1)
        if self.pooling == "cls":
            return hidden[:, 0]
        if self.pooling == "lasttoken":
            return hidden[torch.arange(len(hidden), device=hidden.device), n_tokens - 1]
        weights = attention.to(hidden.dtype)
        if self.skipped is not None:
            weights[(read[:, 0] == self.skipped) & (n_tokens > 1), 0] = 0
        return (hidden * weights[..., None]).sum(1) / weights.sum(1, keepdim=True)


def _batches(order: list[int], ids: list[Ids], budget: int) -> deque[list[int]]:
    """Rows in their order, so many that rows × longest is at most `budget`, at least one."""
    batches: deque[list[int]] = deque()
    for row in order:
        if batches and len(ids[batches[-1][0]]) * (len(batches[-1]) + 1) <= budget:
            batches[-1].append(row)
        else:
            batches.append([row])
    return batches


def _smaller(n_rows: int, width: int, budget: int) -> int:
    """Half of what just failed. Raises ModelError when that was a single text."""
    if n_rows == 1:
        raise ModelError(
            f"Memory does not suffice for one text of {width} tokens.",
            mend="choose a smaller encoder, shorter texts or a larger machine",
        )
    return max(1, min(budget, n_rows * width) // 2)


def _no_word(index: int, text: str) -> UsageError:
    return UsageError(
        "A text without a word has no embedding.",
        where=f"text {index} (from 0): {text[:40]!r}",
        mend="leave it out",
    )
