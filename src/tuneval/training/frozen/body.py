"""The way through a model whose frozen layers were computed before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

from tuneval.errors import ModelError, StorageError
from tuneval.models.blocks import find_blocks
from tuneval.models.forward import core_model
from tuneval.models.methods import FreezeConfig
from tuneval.models.packed_attention import Layout
from tuneval.runs.events import Report, Warned
from tuneval.training.batches import Collate, Row
from tuneval.training.body import Body, body_of
from tuneval.training.config import TrainConfig
from tuneval.training.frozen.kept import Keeping, KeptStates
from tuneval.training.frozen.parts import Ask, Inputs, Parts, first_trained
from tuneval.training.frozen.places import Place, Places
from tuneval.training.frozen.store import remove

FOLDER = "frozen"
GIB = 2**30


def frozen_body(
    language_model: Any,
    config: TrainConfig,
    rows: Sequence[Row],
    *,
    weights: str,
    folder: Path,
    report: Report,
) -> Body:
    """The model's body; one that keeps what the frozen layers compute of `rows`, where it is asked.

    `weights` is the hash of the model as it was loaded; the files go into `folder`, a run's.
    """
    body = body_of(language_model)
    method = config.method
    if not isinstance(method, FreezeConfig) or not method.cache:
        return body
    core = core_model(language_model)
    if first_trained(find_blocks(core)) == 0:
        return body
    places = Places(rows, Collate(share_prefix=config.batches.share_prefix))
    contents = {
        "rows": places.digest,
        "weights": weights,
        "method": method.model_dump(mode="json", exclude={"cache", "cache_limit_gib"}),
        "precision": config.precision.kind,
        "share_prefix": config.batches.share_prefix,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }
    limit_bytes = int(method.cache_limit_gib * GIB)
    keeping = Keeping(folder / FOLDER, contents, limit_bytes, report)
    return FrozenBody(body, Parts(core), places, keeping)


def remove_cache(folder: Path) -> None:
    """Take away what a training kept of its frozen layers in `folder`, a run's."""
    remove(folder / FOLDER)


class FrozenBody:
    """A body that computes what enters the first trained layer once for each row of `places`.

    It is computed from the row alone, whatever else is in the micro-batch, so that it makes no
    difference to the last bit whether it was kept. Where keeping is not exact, and for other
    rows, the model runs as it is.
    """

    def __init__(self, body: Body, parts: Parts, places: Places, keeping: Keeping) -> None:
        self._body, self._parts, self._places, self._keeping = body, parts, places, keeping
        self._is_tried = False
        self._kept: KeptStates | None = None

    def hidden(self, inputs: Inputs) -> torch.Tensor:
        """Last hidden states at `target_positions`, (K, D)."""
        return self._through(self._body.hidden, inputs)

    def logits(self, inputs: Inputs) -> torch.Tensor:
        """Logits at `target_positions`, (K, V)."""
        return self._through(self._body.logits, inputs)

    def _through(self, ask: Ask, inputs: Inputs) -> torch.Tensor:
        if not self._is_tried:
            # Not sooner: only now is the model on its device, and autocast as it will be.
            self._kept = self._open(ask, inputs)
            self._is_tried = True
        places = self._places.find(inputs["documents"])
        if self._kept is None or places is None:
            return ask(inputs)
        device = inputs["input_ids"].device
        rows = {
            row: self._states(self._kept, row, ask, device)
            for row in dict.fromkeys(place.row for place in places)
        }
        if self._places.is_row(places):
            return self._parts.above(ask, inputs, rows[places[0].row])
        states = self._together(rows, places, inputs["layout"].n_shared)
        return self._parts.above(ask, inputs, states)

    def _open(self, ask: Ask, inputs: Inputs) -> KeptStates | None:
        """The files; None, and a warning, where they cannot be used."""
        lengths = [layout.documents[-1][1] for layout in self._places.layouts()]
        try:
            few = self._parts.try_on(ask, inputs)
            return KeptStates(self._keeping, lengths, width=few.shape[-1], dtype=few.dtype)
        except (ModelError, StorageError) as error:
            message = f"the frozen layers are computed in every epoch: {error.what}"
            self._keeping.report(Warned("train", message))
            return None

    def _states(self, kept: KeptStates, row: int, ask: Ask, device: torch.device) -> torch.Tensor:
        """What enters the first trained layer for a row, (1, T, D), as kept or computed now."""
        states = kept.get(row)
        if states is not None:
            return states.to(device)
        alone = {
            name: value.to(device) if isinstance(value, torch.Tensor) else value
            for name, value in self._places.inputs(row).items()
        }
        with torch.no_grad():
            states = self._parts.below(ask, alone)
        kept.put(row, states)
        return states

    def _together(
        self, rows: dict[int, torch.Tensor], places: Sequence[Place], n_shared: int
    ) -> torch.Tensor:
        """The states of these documents behind their first `n_shared` tokens, which are shared."""
        layouts = {row: self._places.inputs(row)["layout"] for row in rows}
        documents = [
            _document(rows[place.row], layouts[place.row], place.document) for place in places
        ]
        own = [document[:, n_shared:] for document in documents]
        return torch.cat([documents[0][:, :n_shared], *own], dim=1)


def _document(states: torch.Tensor, layout: Layout, index: int) -> torch.Tensor:
    """The states of a whole document of a row, those that it shares with the others included."""
    start, end = layout.documents[index]
    return torch.cat([states[:, : layout.n_shared], states[:, start:end]], dim=1)
