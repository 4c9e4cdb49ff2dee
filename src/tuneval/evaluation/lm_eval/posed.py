"""lm-eval's tasks as questions of ours, and its own code's grades of the answers.

A question has the whole prompt that lm-eval makes, demonstrations as its head. What it wants of a
model beside likeliest choices, written answers and the likelihood of texts is not posed: whether
greedy decoding says a continuation, choices in different contexts, several draws of an answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from tuneval import files
from tuneval.errors import UsageError
from tuneval.evaluation.items import Item
from tuneval.evaluation.lm_eval.samples import grade_name, item_id, readings
from tuneval.evaluation.lm_eval.settings import settings_of
from tuneval.evaluation.metrics.lm_eval import (
    BITS_OF_RATIO,
    EXP_OF_RATIO,
    FIELD,
    NO_FILTER,
    metric_of,
)
from tuneval.evaluation.question import Question
from tuneval.evaluation.robustness.families import ORIGINAL, PERTURBATION

OURS = {
    "acc": "choice_accuracy",
    "acc_norm": "choice_accuracy_by_characters",
    "acc_bytes": "choice_accuracy_by_bytes",
}
OF_GREEDY_DECODING = ("exact_match", "acc_mutual_info")
"""Metrics of multiple choice that need more than each choice's likelihood."""
MEND = "ask it with `tuneval evaluate lm-eval`, which does as lm-eval's own model"


@dataclass(frozen=True)
class PosedTask:
    """One task of lm-eval, its requests built. `task` is lm-eval's object.

    `prefix` tells its documents from those of other tasks that are asked with it.
    """

    name: str
    task: Any
    prefix: str = ""

    @property
    def protocol(self) -> str:
        """Its version and shots, and a hash of all that its file says of asking and grading."""
        config = self.task.dump_config()
        digest = files.sha256_json(json.loads(json.dumps(config, default=_called)))[:8]
        return f"{self.name}@{self.task.VERSION}-{digest}/{config.get('num_fewshot', 0)}-shot"

    def questions(self) -> Iterator[Question]:
        """One for each document. Raises UsageError for a task that cannot be posed."""
        self._refuse()
        pose = _POSED[self.task.OUTPUT_TYPE]
        for name, requests in self._documents().items():
            yield pose(
                self.task,
                requests,
                Question(
                    id=name,
                    source=f"lm-eval's {self.name}, document {requests[0].doc_id}",
                    way="generate",
                    prompt="",
                    tags={"task": self.name},
                ),
            )

    def metrics(self) -> dict[str, str]:
        """Our names of its metrics that are means, or ratios of sums, of what answers are given;
        by what an item's grade is called.
        """
        from lm_eval.api.metrics import mean

        higher = self.task.higher_is_better()
        found = {}
        for metric, aggregation in self.task.aggregation().items():
            if aggregation is mean or metric in (*EXP_OF_RATIO, *BITS_OF_RATIO):
                for name in self._filters():
                    grade = grade_name(metric, name)
                    found[grade] = metric_of(grade, higher_is_better=higher.get(metric, True))
        return found

    def left_out(self) -> list[str]:
        """Its metrics that are figures of the whole set."""
        kept = {grade.partition(",")[0] for grade in self.metrics()}
        return [metric for metric in self.task.aggregation() if metric not in kept]

    def judged(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items with lm-eval's grades, and what its filters read in their answers."""
        by_copy = sorted(items, key=_copy_of)
        for _, of_copy in groupby(by_copy, key=_copy_of):
            yield from self._judged_once(list(of_copy))

    def _judged_once(self, items: Sequence[Item]) -> list[Item]:
        """The same for items of different documents."""
        documents = self._documents()
        answers = {item.fields.get(ORIGINAL, item.id): _responses(item) for item in items}
        for name, requests in documents.items():
            known = answers.get(name) or [_NOTHING[self.task.OUTPUT_TYPE]] * len(requests)
            for request, answer in zip(requests, known, strict=True):
                request.resps = [answer]
        self.task.apply_filters()
        return [
            self._graded(item, documents[item.fields.get(ORIGINAL, item.id)])
            if _responses(item)
            else item
            for item in items
        ]

    def _graded(self, item: Item, requests: Sequence[Any]) -> Item:
        grades: dict[str, Any] = {}
        for name in requests[0].filtered_resps:
            read = [request.filtered_resps[name] for request in requests]
            found = self.task.process_results(requests[0].doc, read)
            grades |= {grade_name(metric, name): _plain(value) for metric, value in found.items()}
        extracted = {} if item.predict is None else readings(requests[0].filtered_resps.items())
        return replace(item, extracted=extracted, fields={**item.fields, FIELD: grades})

    def _documents(self) -> dict[str, list[Any]]:
        """Its requests by document, each called as an imported one is: so that they pair."""
        found: dict[int, list[Any]] = {}
        for request in self.task.instances:
            found.setdefault(request.doc_id, []).append(request)
        return {
            f"{self.prefix}{item_id(number, _hash_of(requests[0].doc))}": requests
            for number, requests in found.items()
        }

    def _filters(self) -> list[str]:
        given = self.task.get_config("filter_list")
        return [one["name"] for one in given] if given else [NO_FILTER]

    def _refuse(self) -> None:
        """Raises UsageError for what is not posed."""
        task, way = self.task, self.task.OUTPUT_TYPE
        what = None
        if way not in _POSED:
            what = "whether greedy decoding says a continuation"
        elif getattr(task, "MULTIMODAL", False):
            what = "pictures or sound to be seen"
        elif getattr(task, "UNSAFE_CODE", False):
            what = "what the model writes to be run as a program"
        elif (task.get_config("repeats") or 1) > 1:
            what = f"{task.get_config('repeats')} draws of each answer"
        elif way == "multiple_choice" and set(OF_GREEDY_DECODING) & set(task.aggregation()):
            what = "more than the likelihood of each choice"
        if what is not None:
            raise UsageError(f"The task {self.name} of lm-eval wants {what}.", mend=MEND)


def _called(function: Any) -> str:
    """The name of a function or a class in a task's file: its text would tell where it lies."""
    return str(getattr(function, "__qualname__", type(function).__qualname__))


def _hash_of(document: Any) -> str:
    """As lm-eval makes it for its sample files."""
    from lm_eval.utils import handle_non_serializable, hash_string

    text = json.dumps(document, indent=2, default=handle_non_serializable, ensure_ascii=False)
    return str(hash_string(text))


def _choosing(task: Any, requests: Sequence[Any], question: Question) -> Question:
    context = requests[0].args[0]
    if any(request.args[0] != context for request in requests):
        raise UsageError(
            f"The task of {question.source} sets its choices in different contexts.", mend=MEND
        )
    head, prompt = _parted(task, requests[0])
    return replace(
        question,
        way="choose",
        head=head,
        prompt=prompt,
        choices=tuple(request.args[1] for request in requests),
        gold=_gold(task, requests[0].doc),
    )


def _writing(task: Any, requests: Sequence[Any], question: Question) -> Question:
    settings = settings_of(requests[0].args[1])
    if settings["temperature"] and settings.get("top_p") not in (None, 1):
        raise UsageError(
            f"The task of {question.source} draws its answers with a top_p of its own.", mend=MEND
        )
    target = task.doc_to_target(requests[0].doc)
    head, prompt = _parted(task, requests[0])
    return replace(
        question,
        head=head,
        prompt=prompt,
        reference=str(target[0] if isinstance(target, list) and target else target),
        max_new_tokens=settings["max_gen_toks"],
        temperature=float(settings["temperature"]),
        stop=tuple(text for text in settings["until"] if text),
    )


def _reading(task: Any, requests: Sequence[Any], question: Question) -> Question:
    return replace(question, way="read", prompt=requests[0].args[0])


_POSED: Mapping[str, Callable[[Any, Sequence[Any], Question], Question]] = {
    "multiple_choice": _choosing,
    "generate_until": _writing,
    "loglikelihood_rolling": _reading,
}
_NOTHING: Mapping[str, Any] = {
    "multiple_choice": (0.0, False),
    "generate_until": "",
    "loglikelihood_rolling": 0.0,
}
"""What lm-eval's filters are given for documents that were not answered; nobody reads it."""


def _parted(task: Any, request: Any) -> tuple[str, str]:
    """What stands before the document's own text, demonstrations for one, and that text."""
    context, own = request.args[0], str(task.doc_to_text(request.doc))
    size = len(own) if own and context.endswith(own) else len(context)
    return context[: len(context) - size], context[len(context) - size :]


def _gold(task: Any, document: Any) -> tuple[int, ...]:
    """The places of the right choices; none where the target is none of them."""
    choices = task.doc_to_choice(document)
    target = task.doc_to_target(document)
    targets = target if isinstance(target, list) else [target]
    places = [
        choices.index(one) if isinstance(one, str) and one in choices else one for one in targets
    ]
    return tuple(p for p in places if isinstance(p, int) and 0 <= p < len(choices))


def _copy_of(item: Item) -> str:
    return str(item.fields.get(PERTURBATION, ""))


def _responses(item: Item) -> list[Any]:
    """The answer as lm-eval's model would give it, request by request; none where there is none.

    Whether greedy decoding says a choice is not known, and not asked for.
    """
    if item.chosen is not None:
        return [(logprob, False) for logprob in item.chosen.logprobs]
    if item.read is not None:
        return [-item.read.nll]
    return [] if item.predict is None else [item.predict]


def _plain(value: Any) -> Any:
    """For JSON: numpy's numbers as Python's, pairs as lists."""
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value.item() if hasattr(value, "item") else value
