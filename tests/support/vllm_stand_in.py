"""What tuneval uses of vLLM 0.20 and later, computed by transformers, one prompt at a time.

Names, types, limits and refusals are those of vLLM's documentation and source: `LLM`,
`SamplingParams`, prompts as `TokensPrompt` dicts, `RequestOutput.prompt_logprobs` as a list with
None for the first token and a dict from token id to `Logprob` for each other one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


@dataclass
class Logprob:
    logprob: float
    rank: int | None = None
    decoded_token: str | None = None


@dataclass(kw_only=True)
class SamplingParams:
    max_tokens: int | None = 16
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    stop: list[str] = field(default_factory=list)
    stop_token_ids: list[int] = field(default_factory=list)
    prompt_logprobs: int | None = None
    detokenize: bool = True

    def __post_init__(self):
        if self.max_tokens is not None and self.max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, got {self.max_tokens}.")
        if self.stop and not self.detokenize:
            raise ValueError("stop strings are only supported when detokenize is True.")


@dataclass
class RequestOutput:
    prompt_token_ids: list[int]
    prompt_logprobs: list[dict[int, Logprob] | None] | None
    outputs: list[Any] = field(default_factory=list)


class LLM:
    """Keeps the prompts it was given in `asked`, one list for each call."""

    def __init__(
        self,
        model: str,
        *,
        dtype: str = "auto",
        trust_remote_code: bool = False,
        logprobs_mode: str = "raw_logprobs",
        enable_prefix_caching: bool = True,
        max_model_len: int | None = None,
        max_num_batched_tokens: int | None = None,
    ) -> None:
        assert logprobs_mode == "raw_logprobs"
        self.model = AutoModelForCausalLM.from_pretrained(model, dtype=getattr(torch, dtype)).eval()
        self.tokenizer = AutoTokenizer.from_pretrained(model)
        built_for = self.model.config.max_position_embeddings
        if max_model_len is not None and max_model_len > built_for:
            raise ValueError(f"max_model_len ({max_model_len}) is greater than {built_for}.")
        longest = max_model_len or built_for
        self.llm_engine = SimpleNamespace(model_config=SimpleNamespace(max_model_len=longest))
        self.asked: list[list[list[int]]] = []

    def generate(
        self,
        prompts: list[dict[str, list[int]]],
        sampling_params: SamplingParams | list[SamplingParams],
        *,
        use_tqdm: bool,
    ) -> list[RequestOutput]:
        self.asked.append([prompt["prompt_token_ids"] for prompt in prompts])
        if isinstance(sampling_params, SamplingParams):
            sampling_params = [sampling_params] * len(prompts)
        pairs = zip(prompts, sampling_params, strict=True)
        return [self._answer(prompt["prompt_token_ids"], own) for prompt, own in pairs]

    def _answer(self, ids: list[int], sampling: SamplingParams) -> RequestOutput:
        longest = self.llm_engine.model_config.max_model_len
        if len(ids) >= longest:
            raise ValueError(f"The decoder prompt (length {len(ids)}) plus 1 exceeds {longest}.")
        if sampling.prompt_logprobs is None:
            return RequestOutput(ids, None, [self._say(ids, sampling)])
        with torch.no_grad():
            logprobs = self.model(torch.tensor([ids])).logits[0].float().log_softmax(-1)
        told: list[dict[int, Logprob] | None] = [None]
        for row, token in zip(logprobs[:-1], ids[1:], strict=True):
            rank = int((row >= row[token]).sum())
            told.append({token: Logprob(float(row[token]), rank)})
        return RequestOutput(ids, told)

    def _say(self, ids: list[int], sampling: SamplingParams) -> Any:
        """Greedy, or drawn by the seed; the token that ends the answer is one of its ids."""
        assert (sampling.temperature > 0) == (sampling.seed is not None)
        die = torch.Generator().manual_seed(sampling.seed or 0)
        said: list[int] = []
        while len(said) < sampling.max_tokens:
            with torch.no_grad():
                logits = self.model(torch.tensor([ids + said])).logits[0, -1].double()
            if sampling.temperature > 0:
                shares = (logits / sampling.temperature).softmax(-1)
                said.append(int(torch.multinomial(shares, 1, generator=die)))
            else:
                said.append(int(logits.argmax()))
            text = self.tokenizer.decode(said, skip_special_tokens=True) if sampling.stop else ""
            if said[-1] in sampling.stop_token_ids or any(stop in text for stop in sampling.stop):
                return SimpleNamespace(token_ids=said, finish_reason="stop")
        return SimpleNamespace(token_ids=said, finish_reason="length")


def module() -> ModuleType:
    """To stand where `import vllm` looks."""
    made = ModuleType("vllm")
    made.LLM, made.SamplingParams = LLM, SamplingParams
    return made
