"""A model of ours as lm-evaluation-harness asks it: tokens and prompts its way, the work ours.

Importing this module registers it there: `lm_eval.simple_evaluate(model="tuneval", model_args=
{"model": "bundled:smollm2-135m"})`. Texts become tokens as in lm-eval's own "hf" model, so that
figures can be compared with that one's.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from jinja2.exceptions import TemplateError
from lm_eval.api.instance import Instance
from lm_eval.api.model import TemplateLM
from lm_eval.api.registry import register_model
from lm_eval.models.utils import has_bos_prefix

from tuneval.errors import ModelError, UsageError
from tuneval.evaluation.answering.stopping import StopTexts
from tuneval.evaluation.answering.texts import windows
from tuneval.evaluation.lm_eval.settings import settings_of
from tuneval.models.answer import Completion
from tuneval.models.forward import longest_input
from tuneval.models.generation import generate
from tuneval.models.likelihood import Likelihood, measure_likelihood
from tuneval.models.load import load_model
from tuneval.models.precision import Precision
from tuneval.models.sequences import Request
from tuneval.runs.events import Report, ignore

USUAL_LENGTH = 2048


@register_model("tuneval")
class TunevalLm(TemplateLM):  # type: ignore[misc]
    """`model` names it as everywhere in tuneval. lm-eval's batch sizes mean nothing here.

    What is answered goes to lm-eval's cache at once, where it has one.
    """

    def __init__(
        self,
        model: str,
        *,
        adapter: str | None = None,
        precision: Precision = "float32",
        device: str = "auto",
        token_budget: int = 4096,
        max_length: int | None = None,
        seed: int = 17,
        batch_size: object = None,
        max_batch_size: object = None,
        report: Report = ignore,
    ) -> None:
        super().__init__()
        self._loaded = load_model(
            model, adapter=adapter, dtype=precision, device=device, report=report
        )
        self.tokenizer: Any = self._loaded.tokenizer
        limits = [n for n in (longest_input(self._loaded.model), max_length) if n is not None]
        self.max_length = min(limits, default=USUAL_LENGTH)
        self._token_budget, self._seed, self._report = token_budget, seed, report
        if self.prefix_token_id is None:
            raise ModelError(
                "Nothing can stand before a text: the tokenizer has neither BOS nor EOS.",
                where=model,
                mend="choose another tokenizer",
            )

    def get_model_info(self) -> dict[str, Any]:
        """For lm-eval's results file."""
        loaded = self._loaded
        return {
            "model": loaded.reference.text,
            "model_hash": loaded.hash,
            "adapter": loaded.adapter,
            "model_dtype": str(loaded.model.dtype),
            "max_length": self.max_length,
        }

    @property
    def eot_token_id(self) -> int:
        """The token that ends a text."""
        token = self.tokenizer.eos_token_id
        return int(self.prefix_token_id if token is None else token)

    @property
    def prefix_token_id(self) -> Any:
        """What stands before a text that has nothing before it: BOS, else EOS."""
        bos = self.tokenizer.bos_token_id
        return self.tokenizer.eos_token_id if bos is None else bos

    @property
    def tokenizer_name(self) -> str:
        """For lm-eval's cache of requests."""
        return f"{self._loaded.reference.text}-{self._loaded.hash}"

    def tok_encode(
        self, string: str, add_special_tokens: bool | None = None, **kwargs: Any
    ) -> list[int]:
        """A text's ids; with the tokenizer's own BOS unless it is written out in the text."""
        if add_special_tokens is None and has_bos_prefix(
            string, self.tokenizer.decode([self.prefix_token_id])
        ):
            add_special_tokens = False
        more = {} if add_special_tokens is None else {"add_special_tokens": add_special_tokens}
        return list(self.tokenizer.encode(string, **more))

    def apply_chat_template(
        self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True
    ) -> str:
        """A conversation as text, by the tokenizer's own template.

        Where that refuses a system turn it is left out, as lm-eval's own model does.
        """
        if not self.tokenizer.chat_template:
            raise UsageError(
                "This model has no chat template.", mend="ask it without one (leave out --chat)"
            )
        render = partial(
            self.tokenizer.apply_chat_template,
            tokenize=False,
            add_generation_prompt=add_generation_prompt,
            continue_final_message=not add_generation_prompt,
        )
        try:
            return str(render(chat_history))
        except TemplateError:
            return str(render([turn for turn in chat_history if turn["role"] != "system"]))

    def _loglikelihood_tokens(
        self, requests: list[tuple[tuple[str, str], list[int], list[int]]], **kwargs: Any
    ) -> list[tuple[float, bool]]:
        """Each continuation's log-probability, and whether it is what greedy decoding says."""
        asked = [self._request(context, target) for _, context, target in requests]
        answers: list[tuple[float, bool]] = [(0.0, True)] * len(asked)

        def keep(index: int, found: Likelihood) -> None:
            is_greedy = bool(np.array_equal(found.argmax, np.asarray(asked[index].target)))
            answers[index] = (float(found.logprobs.sum(dtype=np.float64)), is_greedy)
            self.cache_hook.add_partial("loglikelihood", requests[index][0], answers[index])

        self._measure(asked, keep)
        return answers

    def _request(self, context: Sequence[int], target: Sequence[int]) -> Request:
        """The end of it that the model reads, as lm-eval cuts: from the left."""
        if not target:
            raise ModelError(
                "A continuation has no token of its own after its context.",
                mend="look at the task's choices and its target_delimiter",
            )
        ids = [*context, *target][-(self.max_length + 1) :]
        if len(target) >= len(ids):
            raise ModelError(
                f"A continuation of {len(target)} tokens is longer than the {self.max_length} "
                "that this model reads.",
                mend="choose a model that reads more",
            )
        cut = len(ids) - len(target)
        return Request(ids[:cut], ids[cut:])

    def loglikelihood_rolling(
        self, requests: list[Instance], disable_tqdm: bool = False
    ) -> list[float]:
        """The log-likelihood of whole texts, in windows of what the model reads."""
        before = np.array([self.prefix_token_id], np.int32)
        texts = [self.tok_encode(text) for (text,) in (request.args for request in requests)]
        cut = [
            windows(np.array(ids, np.int32), before, size=self.max_length) if ids else ()
            for ids in texts
        ]
        owners = [number for number, parts in enumerate(cut) for _ in parts]
        totals, missing = [0.0] * len(cut), [len(parts) for parts in cut]

        def keep(index: int, found: Likelihood) -> None:
            number = owners[index]
            totals[number] += float(found.logprobs.sum(dtype=np.float64))
            missing[number] -= 1
            if not missing[number]:
                self.cache_hook.add_partial(
                    "loglikelihood_rolling", requests[number].args, totals[number]
                )

        self._measure([request for parts in cut for request in parts], keep)
        return totals

    def generate_until(self, requests: list[Instance], disable_tqdm: bool = False) -> list[str]:
        """What the model writes after each context, up to the first of its stop texts."""
        settings = [settings_of(request.args[1]) for request in requests]
        stops = [StopTexts(self.tokenizer, one["until"]) for one in settings]
        said = [""] * len(requests)
        by_top_p: dict[float, list[int]] = {}
        for place, one in enumerate(settings):
            by_top_p.setdefault(float(one.get("top_p", 1.0)), []).append(place)
        for top_p, places in by_top_p.items():

            def keep(index: int, completion: Completion, places: list[int] = places) -> None:
                place = places[index]
                said[place] = stops[place].cut(completion.ids)
                self.cache_hook.add_partial("generate_until", requests[place].args, said[place])

            generate(
                self._loaded.model,
                [self._prompt(requests[p].args[0], settings[p]["max_gen_toks"]) for p in places],
                stop_ids=_stop_ids(self._loaded.model, self.eot_token_id),
                is_finished=partial(_is_finished, [stops[place] for place in places]),
                max_new_tokens=[settings[place]["max_gen_toks"] for place in places],
                temperature=[settings[place]["temperature"] for place in places],
                top_p=top_p,
                token_budget=self._token_budget,
                seed=self._seed,
                report=self._report,
                on_done=keep,
            )
        return said

    def _prompt(self, text: str, max_new_tokens: int) -> list[int]:
        room = self.max_length - max_new_tokens
        if room <= 0:
            raise ModelError(
                f"The task lets answers have {max_new_tokens} tokens, and this model reads "
                f"{self.max_length} in all.",
                mend="choose a model that reads more",
            )
        return self.tok_encode(text)[-room:] or [self.prefix_token_id]

    def _measure(self, asked: Sequence[Request], keep: Any) -> None:
        measure_likelihood(
            self._loaded.model,
            asked,
            token_budget=self._token_budget,
            report=self._report,
            on_result=keep,
        )


def _is_finished(stops: Sequence[StopTexts], index: int, ids: Sequence[int]) -> bool:
    return stops[index].end(ids)


def _stop_ids(model: Any, eos: int) -> tuple[int, ...]:
    """What ends an answer: EOS, and all that the model's own settings say."""
    config = getattr(model, "generation_config", None)
    own = getattr(config, "eos_token_id", None)
    return tuple({eos, *(own if isinstance(own, list) else [] if own is None else [own])})
