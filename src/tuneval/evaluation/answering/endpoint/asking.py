"""Questions as they are sent to an address: without a tokenizer, so as texts and messages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from tuneval import files
from tuneval.errors import UsageError
from tuneval.evaluation.answering.forms import Form
from tuneval.evaluation.answering.respondent import Ready
from tuneval.evaluation.config import EvaluateConfig
from tuneval.evaluation.question import Question

ROLES = frozenset({"system", "user", "assistant"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An answer to be written: to messages, or after a text."""

    messages: tuple[tuple[str, str], ...] | None
    text: str | None
    max_new_tokens: int
    temperature: float
    stop: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """Choices whose likelihood after a text is asked for. The text ends without a blank."""

    text: str
    continuations: tuple[str, ...]


Sent = Written | Weighed


def ready_to_send(
    questions: Iterable[Question], config: EvaluateConfig, *, takes_texts: bool
) -> Ready:
    """The questions ready to be sent; what cannot be is skipped, with the reason.

    Raises UsageError where the protocol of the task cannot be kept at an address.
    """
    if config.max_length is not None:
        raise UsageError(
            "Prompts for an address cannot be cut to max_length: its tokenizer is not known here.",
            mend="leave out max_length; what is too long there is told",
        )
    asked: dict[str, Sent] = {}
    skipped: dict[str, str] = {}
    prompts: dict[str, str] = {}
    for question in questions:
        form = Form.whole(question, config.shot_seed)
        sent = _sent(form, config, takes_texts)
        if isinstance(sent, str):
            skipped[question.id] = sent
        else:
            asked[question.id] = sent
            prompts[question.id] = _shown(form)
    digest = files.sha256_json([[[n, asdict(s)] for n, s in asked.items()], sorted(skipped)])
    return Ready(
        config=config, asked=asked, prompts=prompts, skipped=skipped, prompt_hash=digest[:16]
    )


def _sent(form: Form, config: EvaluateConfig, takes_texts: bool) -> Sent | str:
    question = form.question
    if form.is_chat and (question.way == "choose" or question.begins):
        wanted = (
            "the likelihood of choices" if question.way == "choose" else "the answer's beginning"
        )
        raise UsageError(
            f"The task sets {wanted} in a conversation, which an address does not offer.",
            where=question.source,
            mend="choose a protocol of the task in which the answer is written (`tuneval tasks "
            "NAME` lists them), one without chat, or load the model here",
        )
    if not form.is_chat and not takes_texts:
        raise UsageError(
            "The task gives a text to go on from, and this address takes conversations only.",
            where=question.source,
            mend="choose the task's chat form (chat=true), or load the model here",
        )
    if question.way == "choose":
        text = form.text
        start = text.rstrip()
        if not start:
            return "nothing stands before the choices"
        blanks = text[len(start) :]
        return Weighed(text=start, continuations=tuple(blanks + c for c in question.choices))
    other = {message.role for message in form.messages} - ROLES if form.is_chat else set()
    if other:
        return f"the conversation has a turn of the role {min(other)}, which is not sent"
    own = question.temperature
    return Written(
        messages=tuple((m.role, m.content) for m in form.messages) if form.is_chat else None,
        text=None if form.is_chat else form.text,
        max_new_tokens=question.max_new_tokens,
        temperature=config.temperature if own is None else own,
        stop=tuple(stop for stop in question.stop if stop),
    )


def _shown(form: Form) -> str:
    if not form.is_chat:
        return form.text
    return "\n".join(f"{message.role}: {message.content}" for message in form.messages)
