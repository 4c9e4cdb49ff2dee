"""Micro-batches that become smaller when memory runs out, with the same optimizer steps as before.

A step's loss is a sum over its labelled positions, so it does not matter in how many pieces these
are taken. A pass that runs out of memory may have left half of its gradients behind; so the step's
gradients are dropped, and all its micro-batches so far are taken again, in halves by documents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from tuneval.errors import RunError
from tuneval.models.memory import give_back, is_out_of_memory
from tuneval.runs.events import Report, Warned
from tuneval.tokenization import Tokens
from tuneval.training.batches import Row

Inputs = dict[str, Any]


class MicroBatches:
    """Takes micro-batches through a model, each in as few pieces as memory allows.

    `collate` makes a micro-batch of rows; `largest_tokens` bounds the documents of a piece, None
    until memory has run out. What was found out stays for the steps to come.
    """

    def __init__(self, collate: Callable[[Sequence[Row]], Inputs], *, report: Report) -> None:
        self.collate = collate
        self.report = report
        self.largest_tokens: int | None = None
        self.halvings = 0
        self._of_step: list[Inputs] = []

    def begin_step(self) -> None:
        """The gradients of what was taken so far are used up."""
        self._of_step.clear()

    def take(
        self,
        inputs: Inputs,
        *,
        run: Callable[[Inputs], torch.Tensor],
        drop_gradients: Callable[[], None],
    ) -> torch.Tensor:
        """The loss of a micro-batch: the sum over its pieces of what `run` gives, forward and back.

        Raises RunError when one document alone is too much.
        """
        self._of_step.append(inputs)
        todo: Sequence[Inputs] = [inputs]
        while True:
            piece = None
            try:
                for micro_batch in todo:
                    loss = None
                    for piece in self._pieces(micro_batch):
                        part = run(piece)
                        loss = part if loss is None else loss + part
                assert loss is not None
                return loss
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            # Out here the error, and with it all that its frames hold, is gone.
            drop_gradients()
            give_back()
            self._halve(piece if piece is not None else inputs)
            todo = self._of_step

    def as_dict(self) -> dict[str, Any]:
        """For a checkpoint, and for `restore`."""
        return {"largest_tokens": self.largest_tokens, "halvings": self.halvings}

    def restore(self, values: Mapping[str, Any]) -> None:
        """Go on from what `as_dict` gave."""
        self.largest_tokens, self.halvings = values["largest_tokens"], values["halvings"]

    def _pieces(self, inputs: Inputs) -> Iterator[Inputs]:
        """The micro-batch itself, or its documents in order, as many together as may be."""
        documents: tuple[Tokens, ...] = inputs["documents"]
        limit = self.largest_tokens
        if limit is None or _n_tokens(documents) <= limit:
            yield inputs
            return
        together: list[Tokens] = []
        for document in documents:
            if together and _n_tokens(together) + len(document) > limit:
                yield self.collate([Row(tuple(together))])
                together = []
            together.append(document)
        yield self.collate([Row(tuple(together))])

    def _halve(self, piece: Inputs) -> None:
        """Allow half of what was too much."""
        documents = piece["documents"]
        n_tokens = _n_tokens(documents)
        if len(documents) == 1:
            raise RunError(
                f"Memory ran out on a single example of {n_tokens} tokens.",
                mend="lower batches.max_length, or set precision.gradient_checkpointing=true, "
                "precision.kind=bfloat16 or a method with fewer trained weights; "
                "--plan says beforehand what a training needs",
            )
        self.largest_tokens = n_tokens // 2
        self.halvings += 1
        self.report(
            Warned(
                "train",
                f"memory ran out on a micro-batch of {n_tokens} tokens; from here on a pass takes "
                f"{self.largest_tokens} at most, and an optimizer step the same examples as before",
            )
        )


@contextmanager
def out_of_memory_in_words() -> Iterator[None]:
    """A lack of memory that fewer tokens cannot mend becomes a RunError."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise RunError(
            f"Memory ran out in training: {' '.join(str(error).split())[:200]}",
            mend="`tuneval train` with --plan says what this needs, and what would need less",
        ) from error


def _n_tokens(documents: Sequence[Tokens]) -> int:
    return sum(map(len, documents))
