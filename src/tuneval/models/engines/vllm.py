"""Likelihood measured by vLLM, from the log-probabilities that it gives for a prompt's tokens.

A prompt is a request's context and target in full; one that begins another is read off it.
Adapters are merged first: vLLM's prompt log-probabilities leave out what an adapter adds to the
output head (vllm-project/vllm#51594).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from tuneval.errors import ModelError, UsageError
from tuneval.extras import require
from tuneval.models.engines.engine import EngineConfig
from tuneval.models.likelihood import STAGE, Nll, OnBatch
from tuneval.models.load import load_model
from tuneval.models.methods import carries_adapter
from tuneval.models.reference import parse_reference
from tuneval.models.requests import refuse_impossible
from tuneval.models.sequences import Input, Request, distinct_inputs
from tuneval.models.sources import find_sources
from tuneval.runs.events import Finished, Report, Started, Step, ignore

# Asked for at once: enough for vLLM to be busy, few enough for results to come often.
PROMPTS_AT_ONCE = 512
# vLLM reads the last token as well, and wants room for the one token that it must generate.
EXTRA_TOKENS = 2
_QUIET = {"VLLM_LOGGING_LEVEL": "ERROR", "VLLM_NO_USAGE_STATS": "1"}


class VllmEngine:
    """An `Engine` around `vllm.LLM`; `open_engine` makes it."""

    def __init__(self, vllm: Any, llm: Any, *, max_length: int | None, held: ExitStack) -> None:
        self.vllm = vllm
        self._llm = llm
        # Prompt log-probabilities are of the raw logits, whatever the temperature.
        self._sampling = vllm.SamplingParams(
            max_tokens=1, temperature=0.0, prompt_logprobs=0, detokenize=False
        )
        self._held = held
        longest = int(llm.llm_engine.model_config.max_model_len) - EXTRA_TOKENS
        self.longest_input: int | None = min(longest, max_length or longest)

    @property
    def llm(self) -> Any:
        """The open `vllm.LLM`."""
        return self._llm

    def measure(
        self,
        requests: Sequence[Request],
        *,
        known: Collection[int] = (),
        on_batch: OnBatch,
        report: Report = ignore,
    ) -> None:
        """See `Engine.measure`. What is told at once are prompts that were asked for at once."""
        refuse_impossible(requests, self.longest_input)
        known = frozenset(known)
        empty = [i for i, r in enumerate(requests) if not len(r.target) and i not in known]
        if empty:
            on_batch([(index, Nll(0.0, 0)) for index in empty])
        prompts = [
            prompt
            for prompt in distinct_inputs([_with_end(request) for request in requests])
            if any(reading.request not in known for reading in prompt.readings)
        ]
        total = sum(map(len, prompts))
        report(Started(STAGE, total, "tokens"))
        done = 0
        for start in range(0, len(prompts), PROMPTS_AT_ONCE):
            asked = prompts[start : start + PROMPTS_AT_ONCE]
            answers = [
                answer
                for prompt in zip(asked, self._logprobs(asked), strict=True)
                for answer in _answers(*prompt)
            ]
            on_batch([(index, nll) for index, nll in answers if index not in known])
            done += sum(map(len, asked))
            report(Step(STAGE, done, total))
        report(Finished(STAGE, {"inputs": len(prompts), "tokens": total, "computed": total}))

    def _logprobs(self, prompts: Sequence[Input]) -> Iterator[np.ndarray]:
        """Of each prompt, the log-probability of every token but the first."""
        asked = [{"prompt_token_ids": prompt.ids.tolist()} for prompt in prompts]
        try:
            outputs = self._llm.generate(asked, self._sampling, use_tqdm=False)
        except Exception as error:
            raise ModelError(
                f"vLLM failed on {len(prompts)} prompts, the longest of them of "
                f"{max(map(len, prompts))} tokens: {error}",
                mend="where memory ran out, give it a smaller token_budget: log-probabilities take "
                "about 6 bytes for every token of a pass and word of the vocabulary",
            ) from error
        for prompt, output in zip(prompts, outputs, strict=True):
            ids = prompt.ids.tolist()
            told = output.prompt_logprobs
            if told is None or len(told) != len(ids):
                raise ModelError(
                    f"vLLM gave {0 if told is None else len(told)} log-probabilities for a prompt "
                    f"of {len(ids)} tokens.",
                    mend="use another version of vLLM, or --engine torch",
                )
            yield np.array([told[place][ids[place]].logprob for place in range(1, len(ids))])

    def close(self) -> None:
        """Let go of the model, and of the merged copy of it if there is one."""
        self._llm = None
        self._held.close()

    def __enter__(self) -> VllmEngine:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def open_engine(config: EngineConfig, *, report: Report = ignore) -> VllmEngine:
    """Load the model into vLLM. `token_budget` bounds the tokens of a forward pass.

    Raises MissingPackageError without vLLM, UsageError for a precision or device that it has not,
    ModelError where it cannot load the model.
    """
    if config.precision == "float64":
        raise UsageError(
            "vLLM does not compute in float64.", mend="choose another precision, or --engine torch"
        )
    if config.device not in ("auto", "cuda"):
        raise UsageError(
            f"vLLM chooses its device itself; '{config.device}' was asked for.",
            mend="leave out the device (CUDA_VISIBLE_DEVICES chooses a GPU), or --engine torch",
        )
    if "vllm" not in sys.modules:
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
    vllm = require("vllm", extra="vllm", why="to measure likelihood with vLLM")
    held = ExitStack()
    try:
        folder = _plain_folder(config, held, report)
        llm = _load(vllm, folder, config)
        return VllmEngine(vllm, llm, max_length=config.max_length, held=held)
    except BaseException:
        held.close()
        raise


def _load(vllm: Any, folder: Path, config: EngineConfig) -> Any:
    options: dict[str, Any] = {}
    if config.max_length is not None:
        options["max_model_len"] = _shortened(folder, config.max_length + EXTRA_TOKENS)
    if config.token_budget is not None:
        options["max_num_batched_tokens"] = config.token_budget
    if config.batch_size is not None:
        options["max_num_seqs"] = config.batch_size
    try:
        return vllm.LLM(
            model=str(folder),
            dtype=config.precision,
            logprobs_mode="raw_logprobs",
            # Cached positions have no log-probabilities; vLLM would compute them again anyway.
            enable_prefix_caching=False,
            trust_remote_code=False,
            **options,
        )
    except Exception as error:  # of many kinds, and the cause is mostly in another process
        raise ModelError(
            f"vLLM cannot load this model: {error}",
            where=config.model,
            mend="shorten what it must hold (max_length), or use --engine torch; "
            "VLLM_LOGGING_LEVEL=INFO shows what vLLM has to say",
        ) from error


def _plain_folder(config: EngineConfig, held: ExitStack, report: Report) -> Path:
    """A folder that holds all of the model; adapters are merged into a copy, for as long as held.

    Raises ModelError for an adapter that cannot be merged.
    """
    sources = find_sources(parse_reference(config.model), report=report)
    if not sources.adapters and config.adapter is None:
        return sources.base
    loaded = load_model(
        config.model, adapter=config.adapter, dtype=config.precision, device="cpu", report=report
    )
    if carries_adapter(loaded.model):
        raise ModelError(
            "This adapter cannot be merged into the model, and vLLM reads merged ones only.",
            where=config.adapter or config.model,
            mend="use --engine torch",
        )
    folder = Path(held.enter_context(TemporaryDirectory(prefix="tuneval-merged-")))
    loaded.model.save_pretrained(folder)
    loaded.tokenizer.save_pretrained(folder)
    return folder


def _shortened(folder: Path, n_tokens: int) -> int:
    """What vLLM shall make room for: not more than the model was built for."""
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    longest = getattr(config.get_text_config(), "max_position_embeddings", None)
    return n_tokens if longest is None else min(n_tokens, int(longest))


def _with_end(request: Request) -> Request:
    """The request with one more target token, so that its input is all that vLLM must be given."""
    target = [*request.target, 0] if len(request.target) else []
    return Request(request.context, target)


def _answers(prompt: Input, logprobs: np.ndarray) -> Iterator[tuple[int, Nll]]:
    """Every request that this prompt answers. `logprobs[i]` is of token i + 1."""
    for reading in prompt.readings:
        n_tokens = len(reading.targets) - 1  # without the end
        own = logprobs[reading.start : reading.start + n_tokens]
        yield reading.request, Nll(-float(own.sum(dtype=np.float64)), n_tokens)
