"""Why a measure has no value for an example: a code, what it means, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

REASONS: dict[str, tuple[str, str]] = {
    "no_response": ("there is no assistant turn to score", "add one, or leave the record out"),
    "empty_response": ("the response is empty", "fill it, or leave the record out"),
    "empty_prompt": ("there is nothing before the response", "add an instruction"),
    "empty_instruction": ("the instruction is empty", "add an instruction"),
    "one_token_response": (
        "the response is one token with nothing before it, so nothing predicts it alone",
        "measure with `unconditional: bos` or `header`",
    ),
    "one_token_prompt": (
        "the prompt is one token with nothing before it",
        "measure with prompts that have words of their own",
    ),
    "one_token_instruction": (
        "the instruction is one token with nothing before it, so nothing predicts it alone",
        "measure with `unconditional: bos` or `header`",
    ),
    "truncated": (
        "the prompt leaves no room for a token of what is measured",
        "raise max_length, choose a model that reads more, or shorten the record",
    ),
    "certain_alone": (
        "alone the text is certain to the model, so a ratio of losses has no denominator",
        "measure with `ratio: perplexity`",
    ),
    "too_unlikely": (
        "the perplexity is larger than a number can be",
        "measure with `reduction: sum`, or check that the model is whole",
    ),
    "no_peer": (
        "no other example of the task can stand beside it",
        "name the task's field, ask for fewer clusters, or give more examples of the task",
    ),
    "tools_need_chat": (
        "tools have no place in an instruction prompt",
        "score with `prompts: chat`",
    ),
    "template_refuses": (
        "the chat template refuses the conversation",
        "mend its roles, or score with `prompts: instruction`",
    ),
    "no_letters": (
        "question or answer has no words to tell a script by: numbers, signs, code or names alone",
        "nothing, where that is what was asked for",
    ),
    "language_left_open": (
        "the question speaks of a language or of translating and does not say which language",
        "name the language in the question",
    ),
    "no_embedding": ("there is no text to embed", "fill the record, or leave it out"),
}


@dataclass(frozen=True, slots=True)
class Unscored:
    """A measure that is not defined for an example. `code` is a key of `REASONS`."""

    code: str
