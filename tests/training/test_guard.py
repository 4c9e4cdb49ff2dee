"""The guard: what it stops at, what it warns of, and what it lets pass."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from transformers import TrainerControl

from tuneval.data.example import Example, Message, Source
from tuneval.errors import RunError
from tuneval.models.methods import FullConfig
from tuneval.runs.events import Warned
from tuneval.training.config import Steps, TrainConfig
from tuneval.training.guard import LOW_LOSS, RECENT, STALL_AFTER, Guard
from tuneval.training.train import train


def watch(losses, *, before=(), warmup=0, **more) -> list[str]:
    """What the guard says of these losses, one a step; `before` was logged before a resume."""
    events: list[Warned] = []
    guard = Guard(Path("run"), report=events.append)
    state = SimpleNamespace(
        log_history=[{"loss": loss, "step": n} for n, loss in enumerate(before, 1)],
        global_step=0,
        max_steps=1000,
    )
    args = SimpleNamespace(logging_steps=1, get_warmup_steps=lambda steps: warmup)
    guard.on_train_begin(args, state, None)
    for step, loss in enumerate(losses, start=len(before) + 1):
        state.global_step = step
        guard.on_log(args, state, None, logs={"loss": float(loss), "grad_norm": 1.0} | more)
    return [event.message for event in events]


def falling(n: int, *, noise: float = 0.1) -> np.ndarray:
    """Losses as a healthy training has them."""
    return 2 + np.exp(-np.arange(n) / 30) + noise * np.random.default_rng(1).standard_normal(n)


def test_a_healthy_training_is_left_alone():
    for noise in (0.0, 0.05, 0.2):
        assert watch(falling(400, noise=noise)) == []


def test_losses_that_scatter_widely_are_no_spikes():
    source = np.random.default_rng(2)
    assert watch(np.linspace(3, 1, 400) * source.lognormal(0, 0.3, 400)) == []


def test_a_jump_is_told_once_with_step_height_and_what_to_try():
    losses = falling(60)
    losses[40:44] = 9.5
    (message,) = watch(losses)
    assert "jumped to 9.5 at step 41, from about 2." in message
    assert "optimizer.learning_rate" in message
    assert "schedule.warmup_ratio" in message


def test_a_small_rise_is_no_jump_however_still_the_loss_was():
    losses = 2 + 0.001 * np.cos(np.arange(50.0))
    losses[40] = 2.8
    assert watch(losses) == []
    losses[40] = 3.2
    assert len(watch(losses)) == 1


def test_a_second_jump_later_is_told_again():
    losses = falling(120)
    losses[40] = losses[100] = 9.5
    assert len(watch(losses)) == 2


def test_a_jump_right_after_a_resume_is_seen():
    losses = falling(RECENT + 1)
    losses[-1] = 9.5
    assert len(watch(losses[-1:], before=losses[:-1])) == 1
    assert watch(losses[-1:]) == []


def test_a_loss_that_does_not_fall_is_told_once():
    flat = 2.5 + 0.02 * np.random.default_rng(3).standard_normal(3 * STALL_AFTER)
    (message,) = watch(flat)
    assert "has not fallen: 2." in message
    assert f"at step {STALL_AFTER}" in message
    assert "higher optimizer.learning_rate" in message


def test_a_stall_over_a_resume_is_told_as_without_it():
    flat = [2.5] * STALL_AFTER
    assert watch(flat[50:], before=flat[:50]) == watch(flat)


def test_a_slow_start_is_no_stall_while_the_rate_still_rises():
    slow = [2.5] * 100 + list(np.linspace(2.5, 1.5, 100))
    assert watch(slow, warmup=80) == []
    assert len(watch(slow, warmup=20)) == 1


def test_a_fall_within_the_noise_is_not_called_a_stall():
    assert watch(2.5 + 0.6 * np.random.default_rng(4).standard_normal(STALL_AFTER)) == []


def test_a_loss_that_is_low_from_the_start_is_no_stall():
    assert watch([0.9 * LOW_LOSS] * STALL_AFTER) == []


def test_a_gradient_of_zero_is_told_once():
    (message,) = watch([2.0, 1.9, 1.8], grad_norm=0.0)
    assert "the gradient is exactly zero at step 1" in message


@pytest.mark.parametrize(
    ("logs", "said"),
    [
        ({"loss": float("nan")}, "The loss became nan at step 1"),
        ({"loss": 2.0, "grad_norm": float("inf")}, "The gradient became inf at step 1"),
        ({"eval_loss": float("nan")}, "The held-out loss became nan at step 1"),
    ],
)
def test_what_is_no_number_stops_the_training(logs, said):
    guard = Guard(Path("run"), report=lambda event: None)
    state = SimpleNamespace(log_history=[], global_step=1)
    with pytest.raises(RunError, match=said) as caught:
        guard.on_log(SimpleNamespace(logging_steps=1), state, None, logs=logs)
    assert "learning_rate" in caught.value.mend


@pytest.mark.parametrize("saves", [{"should_save": True}, {"should_evaluate": True}])
def test_what_may_be_saved_is_logged_before(saves):
    for flags, expected in ((saves, True), ({}, False)):
        control = TrainerControl(**flags)
        Guard(Path("run"), report=lambda event: None).on_step_end(None, None, control)
        assert control.should_log is expected


def test_no_checkpoint_of_numbers_that_are_none_is_written(tmp_path, tiny_llama_folder):
    cfg = TrainConfig(
        method=FullConfig(),
        duration=Steps(steps=10),
        optimizer={"learning_rate": 1e30},
        schedule={"warmup_ratio": 0.0},
        batches={"max_length": 64},
        record={"logging_steps": 50, "save_steps": 2},
    )
    turns = (Message("user", "What is it?"), Message("assistant", "It is a number."))
    data = [Example(turns, Source("x.jsonl", 1))]
    with pytest.raises(RunError, match="became nan at step 2"):
        train(cfg, model=str(tiny_llama_folder), examples=data, folder=tmp_path, template="chatml")
    assert not list(tmp_path.glob("checkpoints/*"))
