"""The frozen layers' cache: the same training to the last bit, with less of it computed."""

from __future__ import annotations

import copy
import errno
from pathlib import Path

import numpy as np
import pytest
import torch
from families import family_model
from sums import sums

from tuneval.data.example import Example
from tuneval.files import read_jsonl
from tuneval.models.blocks import find_blocks
from tuneval.models.methods import FreezeConfig, attach
from tuneval.models.packed_attention import use_packed_attention
from tuneval.runs.events import Finished, Saved, Started, Step, Warned
from tuneval.tokenization import Tokens
from tuneval.training.batches import Collate, Row
from tuneval.training.body import body_of
from tuneval.training.config import Epochs, TrainConfig
from tuneval.training.frozen import FrozenBody, frozen_body, store
from tuneval.training.frozen.parts import PROBE_TOKENS, Parts
from tuneval.training.train import train


def examples(count: int = 12) -> list[Example]:
    return sums(count)


def config(method: FreezeConfig | None = None, **changes) -> TrainConfig:
    sections = {
        "duration": Epochs(epochs=2),
        "optimizer": {"learning_rate": 5e-3},
        "batches": {"max_length": 256},
        "record": {"save_steps": 3},
    }
    return TrainConfig(method=method or FreezeConfig(layers=2), **sections | changes)


def run(folder: Path, model: Path, cfg: TrainConfig, *, watch=None) -> list:
    """The events of a training; `watch` sees each and may end it."""
    events = []

    def report(event):
        events.append(event)
        if watch is not None:
            watch(event)

    data = examples()
    train(cfg, model=str(model), examples=data, folder=folder, template="chatml", report=report)
    return events


def weights(folder: Path) -> bytes:
    return (folder / "model" / "model.safetensors").read_bytes()


def losses(folder: Path) -> list[float]:
    return [row["loss"] for row in read_jsonl(folder / "trainer_log.jsonl")]


def warnings(events) -> list[str]:
    return [event.message for event in events if isinstance(event, Warned)]


def stop_at(step: int):
    def watch(event):
        if isinstance(event, Step) and event.stage == "train" and event.done == step:
            raise KeyboardInterrupt

    return watch


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, tiny_llama_folder) -> Path:
    """A finished training with a cache that holds everything."""
    folder = tmp_path_factory.mktemp("undisturbed")
    run(folder, tiny_llama_folder, config())
    return folder


def test_training_is_the_same_to_the_last_bit(tmp_path, tiny_llama_folder, undisturbed):
    run(tmp_path, tiny_llama_folder, config(FreezeConfig(layers=2, cache=False)))
    assert losses(undisturbed) == losses(tmp_path)
    assert losses(undisturbed)[-1] < 0.8 * losses(undisturbed)[0]
    assert weights(undisturbed) == weights(tmp_path)


def test_bfloat16_and_gradient_checkpointing_make_no_difference(tmp_path, tiny_llama_folder):
    cheap = {"precision": {"kind": "bfloat16", "gradient_checkpointing": True}}
    events = run(tmp_path / "cached", tiny_llama_folder, config(**cheap))
    run(tmp_path / "plain", tiny_llama_folder, config(FreezeConfig(layers=2, cache=False), **cheap))
    assert warnings(events) == []
    assert losses(tmp_path / "cached")[-1] < 0.8 * losses(tmp_path / "cached")[0]
    assert weights(tmp_path / "cached") == weights(tmp_path / "plain")


@pytest.mark.parametrize("at", [2, 6])
def test_an_interrupted_run_goes_on_from_what_was_kept(
    tmp_path, tiny_llama_folder, undisturbed, monkeypatch, at
):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", tiny_llama_folder, config(), watch=stop_at(at))
    written = []
    write = store.Store.write
    monkeypatch.setattr(
        store.Store,
        "write",
        lambda self, row, content: (written.append(row), write(self, row, content)),
    )
    run(tmp_path / "cut", tiny_llama_folder, config())
    n_rows = len(losses(undisturbed)) // 2
    assert len(written) == max(0, n_rows - at)
    assert weights(tmp_path / "cut") == weights(undisturbed)


def test_the_files_are_there_while_training_lasts_and_their_size_is_told(
    tmp_path, tiny_llama_folder
):
    sizes = []

    def watch(event):
        if isinstance(event, Saved) and "checkpoint" in event.path:
            sizes.append((tmp_path / "frozen" / "states.bin").stat().st_size)

    events = run(tmp_path, tiny_llama_folder, config(), watch=watch)
    (size,) = set(sizes)
    kept = [e for e in events if getattr(e, "stage", "") == "frozen layers"]
    assert kept == [
        Started("frozen layers", 1, "MB"),
        Finished("frozen layers", {"MB": size / 1e6}),
    ]
    assert size % (192 * 4) == 0
    assert not (tmp_path / "frozen").exists()
    assert not (tmp_path / "frozen.lock").exists()


def test_rows_beyond_the_limit_are_computed_each_time(tmp_path, tiny_llama_folder, undisturbed):
    small = FreezeConfig(layers=2, cache_limit_gib=290 * 192 * 4 / 2**30)
    events = run(tmp_path / "small", tiny_llama_folder, config(small))
    (warning,) = warnings(events)
    assert "kept of 2 rows out of 4" in warning
    assert weights(tmp_path / "small") == weights(undisturbed)


def test_a_full_disk_ends_the_keeping_not_the_training(
    tmp_path, tiny_llama_folder, undisturbed, monkeypatch
):

    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store, "_write_at", refuse)
    events = run(tmp_path / "full", tiny_llama_folder, config())
    (warning,) = warnings(events)
    assert "no more is kept of the frozen layers" in warning
    assert "No space left" in warning
    assert weights(tmp_path / "full") == weights(undisturbed)


def test_a_probe_runs_only_the_layers_above(tmp_path, tiny_llama_folder, monkeypatch):
    probe = {"evaluation": {"share": 0.3, "every_steps": 2}, "duration": Epochs(epochs=3)}
    computed = []
    below = Parts.below

    def counted(self, ask, inputs):
        computed.append(tuple(inputs["input_ids"].flatten().tolist()))
        return below(self, ask, inputs)

    monkeypatch.setattr(Parts, "below", counted)
    run(tmp_path / "cached", tiny_llama_folder, config(**probe))
    run(tmp_path / "plain", tiny_llama_folder, config(FreezeConfig(layers=2, cache=False), **probe))
    rows = [ids for ids in computed if len(ids) > PROBE_TOKENS]
    assert len(rows) == len(set(rows))
    held_out = [
        [row["eval_loss"] for row in read_jsonl(folder / "trainer_log.jsonl") if "eval_loss" in row]
        for folder in (tmp_path / "cached", tmp_path / "plain")
    ]
    assert len(held_out[0]) > 2
    assert held_out[0] == held_out[1]
    assert weights(tmp_path / "cached") == weights(tmp_path / "plain")


# The way through the model, without a training around it.


def rows_of(*lengths: tuple[int, ...], shared: int = 12, seed: int = 3) -> list[Row]:
    """Rows with documents of these lengths, all with the same first tokens."""
    source = np.random.default_rng(seed)
    head = source.integers(3, 290, shared)
    rows = []
    for row in lengths:
        documents = []
        for length in row:
            ids = np.concatenate([head, source.integers(3, 290, length - shared)]).astype(np.int32)
            mask = np.arange(length) >= length - 5
            documents.append(Tokens(ids, mask, f"{seed}-{len(documents)}"))
        rows.append(Row(tuple(documents)))
    return rows


class Way:
    """A body that keeps states of `rows`, and the frozen layer's passes since the last look."""

    def __init__(self, model, rows, folder: Path, *, method=None, name: str = "weights") -> None:
        method = method or FreezeConfig(layers=1)
        self.model = attach(copy.deepcopy(model), method)
        self.model.train()
        assert use_packed_attention(self.model)
        self.events = []
        self.body = frozen_body(
            self.model,
            config(method),
            rows,
            weights=name,
            folder=folder,
            report=self.events.append,
        )
        self._passes = 0
        find_blocks(self.model)[0].module.register_forward_hook(self._count)

    def _count(self, *_) -> None:
        self._passes += 1

    def passes(self) -> int:
        """How often the lowest layer has run since this was last asked, less the trial's times."""
        found, self._passes = self._passes, 0
        return found

    def hidden(self, *rows: Row) -> torch.Tensor:
        return self.body.hidden(Collate()(rows))

    def plain(self, *rows: Row) -> torch.Tensor:
        return body_of(self.model).hidden(Collate()(rows))


def tried(way: Way, row: Row) -> Way:
    """The way after its first micro-batch, whose passes are not counted."""
    way.hidden(row)
    way.passes()
    return way


def test_each_row_goes_through_the_frozen_layers_once(tmp_path, tiny_llama):
    rows = rows_of((30, 40, 25), (33,), (50, 28))
    way = tried(Way(tiny_llama.model, rows, tmp_path), rows[0])
    for row in rows[1:]:
        way.hidden(row)
    assert way.passes() == 2
    for row in rows:
        kept = way.hidden(row)
        assert kept.requires_grad
        assert torch.equal(kept, way.plain(row))
    assert way.passes() == 3  # those of the plain way


def test_any_documents_are_put_together_from_what_was_kept(tmp_path, tiny_llama):
    rows = rows_of((30, 40, 25), (33,), (50, 28))
    way = tried(Way(tiny_llama.model, rows, tmp_path), rows[0])
    way.hidden(*rows)
    way.passes()
    pieces = [Row(rows[0].documents[1:]), rows[1], Row(rows[2].documents[:1])]
    for batch in ([rows[2], rows[0]], pieces, pieces[:1], list(reversed(rows))):
        kept = way.hidden(*batch)
        assert way.passes() == 0
        torch.testing.assert_close(kept, way.plain(*batch), rtol=1e-4, atol=1e-4)
        way.passes()


def test_a_row_is_found_as_it_is_though_its_documents_stand_in_others_too(tmp_path, tiny_llama):
    (first, second), (alone,) = (row.documents for row in rows_of((30, 40), (33,)))
    rows = [Row((first, second, alone)), Row((first,)), Row((first, second)), Row((second,))]
    way = Way(tiny_llama.model, rows, tmp_path)
    for _ in range(2):
        for row in rows:
            assert torch.equal(way.hidden(row), way.plain(row))


def test_rows_that_were_not_named_run_through_the_whole_model(tmp_path, tiny_llama):
    rows, others = rows_of((30, 40)), rows_of((35, 20), seed=4)
    way = tried(Way(tiny_llama.model, rows, tmp_path), rows[0])
    for _ in range(2):
        assert torch.equal(way.hidden(*others), way.plain(*others))
    assert torch.equal(way.hidden(*rows, *others), way.plain(*rows, *others))
    assert way.passes() == 6


def test_another_process_goes_on_with_the_same_files(tmp_path, tiny_llama):
    rows = rows_of((30, 40, 25), (33,))
    Way(tiny_llama.model, rows, tmp_path).hidden(rows[0])
    way = tried(Way(tiny_llama.model, rows, tmp_path), rows[0])
    way.hidden(rows[0])
    assert way.passes() == 0
    way.hidden(rows[1])
    assert way.passes() == 1


@pytest.mark.parametrize("changed", ["weights", "rows", "layers"])
def test_what_was_kept_of_something_else_is_not_used(tmp_path, tiny_llama, changed):
    rows = rows_of((30, 40, 25), (33,))
    Way(tiny_llama.model, rows, tmp_path).hidden(rows[0])
    row = rows_of((30, 40, 25), seed=4)[0] if changed == "rows" else rows[0]
    method = FreezeConfig(layers=2) if changed == "layers" else None
    name = "others" if changed == "weights" else "weights"
    way = Way(tiny_llama.model, [row, rows[1]], tmp_path, method=method, name=name)
    tried(way, rows[1])
    assert torch.equal(way.hidden(row), way.plain(row))
    assert way.passes() == 2


def test_a_byte_that_changed_on_the_disk_is_found_out_and_mended(tmp_path, tiny_llama):
    rows = rows_of((30, 40, 25), (33,))
    before = Way(tiny_llama.model, rows, tmp_path)
    expected = [before.hidden(row) for row in rows]
    path = tmp_path / "frozen" / "states.bin"
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    way = tried(Way(tiny_llama.model, rows, tmp_path), rows[1])
    assert torch.equal(way.hidden(rows[0]), expected[0])
    assert way.passes() == 1
    assert torch.equal(way.hidden(rows[0]), expected[0])
    assert way.passes() == 0
    assert warnings(way.events) == [
        "what was kept of row 0 has changed on the disk; it is computed again"
    ]
    again = tried(Way(tiny_llama.model, rows, tmp_path), rows[1])
    assert torch.equal(again.hidden(rows[0]), expected[0])
    assert again.passes() == 0


def test_a_description_cut_short_is_none(tmp_path, tiny_llama):
    rows = rows_of((30, 40, 25))
    Way(tiny_llama.model, rows, tmp_path).hidden(rows[0])
    (tmp_path / "frozen" / "contents.json").write_text('{"rows":')
    way = Way(tiny_llama.model, rows, tmp_path)
    assert torch.equal(way.hidden(rows[0]), way.plain(rows[0]))
    assert warnings(way.events) == []


def test_a_folder_that_cannot_be_used_turns_the_cache_off(tmp_path, tiny_llama):
    rows = rows_of((30, 40, 25))
    (tmp_path / "run").write_text("a file where a folder should be")
    way = Way(tiny_llama.model, rows, tmp_path / "run")
    for _ in range(2):
        assert torch.equal(way.hidden(rows[0]), way.plain(rows[0]))
    (warning,) = warnings(way.events)
    assert "the frozen layers are computed in every epoch: Cannot" in warning


def test_dropout_in_the_frozen_layers_turns_the_cache_off(tmp_path):
    rows = rows_of((30, 40, 25))
    model = copy.deepcopy(family_model("gpt2"))
    way = Way(model, rows, tmp_path)
    state = torch.get_rng_state()
    first, second = way.hidden(rows[0]), way.hidden(rows[0])
    assert not torch.equal(first, second)
    torch.set_rng_state(state)
    assert torch.equal(way.plain(rows[0]), first)
    assert warnings(way.events) == [
        "the frozen layers are computed in every epoch: the frozen layers have dropout"
    ]


def test_trained_embeddings_turn_the_cache_off(tmp_path, tiny_llama):
    rows = rows_of((30, 40, 25))
    # The head of this model is its embedding matrix.
    tied = FreezeConfig(layers=1, extra_modules=("lm_head",))
    way = Way(tiny_llama.model, rows, tmp_path, method=tied)
    way.hidden(rows[0]).sum().backward()
    assert way.model.model.embed_tokens.weight.grad.abs().max() > 0
    (warning,) = warnings(way.events)
    assert "something below the first trained layer is trained too" in warning


@pytest.mark.parametrize("method", [FreezeConfig(layers=-1), FreezeConfig(layers=4)])
def test_nothing_is_kept_where_the_lowest_layer_is_trained(tmp_path, tiny_llama, method):
    way = Way(tiny_llama.model, rows_of((30, 40)), tmp_path, method=method)
    assert not isinstance(way.body, FrozenBody)


@pytest.mark.parametrize("family", ["gpt2", "gemma3", "granite", "glm", "opt"])
def test_other_families_give_the_same_to_the_last_bit(tmp_path, family):
    rows = rows_of((30, 40, 25), (33,))
    model = copy.deepcopy(family_model(family))
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    way = Way(model, rows, tmp_path)
    for _ in range(2):
        for row in rows:
            inputs = Collate()([row])
            assert torch.equal(way.hidden(row), way.plain(row))
            assert torch.equal(way.body.logits(inputs), body_of(way.model).logits(inputs))
    assert warnings(way.events) == []


def test_a_trained_head_has_its_gradient_under_autocast(tmp_path):
    rows = rows_of((30, 40, 25), (33,))
    method = FreezeConfig(layers=1, extra_modules=("lm_head",))
    way = Way(family_model("granite"), rows, tmp_path, method=method)
    for row in rows:
        way.model.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            way.body.logits(Collate()([row])).sum().backward()
        assert way.model.lm_head.weight.grad.abs().max() > 0
    assert warnings(way.events) == []
