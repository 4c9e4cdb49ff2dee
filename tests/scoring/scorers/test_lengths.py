from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneval.data.example import Example, Message, Source
from tuneval.scoring.config import ScoreConfig
from tuneval.scoring.item import ScoringItem, exercises_of
from tuneval.scoring.reasons import Unscored
from tuneval.scoring.scorers.lengths import PromptTokens, ResponseTokens
from tuneval.scoring.setting import Setting

SOURCE = Source("data.jsonl", 1)


class Letters:
    """A tokenizer of one token a character, with a token of its own at the beginning."""

    def __call__(self, text: str, *, add_special_tokens: bool = True, verbose: bool = True):
        return {"input_ids": [0] * add_special_tokens + [*text.encode()]}


def tokens(*messages: Message, tokenizer=None) -> tuple[float | Unscored, float | Unscored]:
    example = Example(messages, SOURCE)
    item = ScoringItem(example, exercises_of(example))
    setting = Setting(tokenizer=tokenizer or Letters())
    config = ScoreConfig()
    return (
        PromptTokens(config).combine(item, (), setting),
        ResponseTokens(config).combine(item, (), setting),
    )


def user(text: str, input: str | None = None) -> Message:
    return Message("user", text, input=input)


def answer(text: str, **more) -> Message:
    return Message("assistant", text, **more)


def test_instruction_and_input_are_the_prompt() -> None:
    assert tokens(user("Add.\n1 2", input="1 2"), answer("3")) == (7, 1)


def test_every_turn_counts_and_only_questions_and_trained_answers() -> None:
    found = tokens(
        Message("system", "Be brief."),
        user("abc"),
        answer("no", train=False),
        user("de"),
        answer("yes"),
        user("f"),
        answer("well"),
    )
    assert found == (3, 7)


def test_an_empty_text_has_no_tokens_and_no_answer_is_no_length() -> None:
    assert tokens(user(""), answer("")) == (0, 0)
    assert tokens(user("Hi")) == (Unscored("no_response"), Unscored("no_response"))


def test_a_real_tokenizer_counts_as_it_does_by_itself(tiny_llama) -> None:
    tokenizer = tiny_llama.tokenizer
    text, reply = "How do I reset my password?", "怎样重置密码？" * 1100
    expected = [len(tokenizer.encode(one, add_special_tokens=False)) for one in (text, reply)]
    assert list(tokens(user(text), answer(reply), tokenizer=tokenizer)) == expected
    assert expected[1] > 2048  # more than the model takes in, and no warning


@pytest.mark.parametrize("text", ["\ud83d half", "\x00\x07", "\u200b", "<|im_end|>"])
def test_any_text_has_a_length(tiny_llama, text: str) -> None:
    prompt, response = tokens(user(text), answer(text), tokenizer=tiny_llama.tokenizer)
    assert prompt == response
    assert response > 0


@given(st.lists(st.text(max_size=10), min_size=1, max_size=4))
def test_lengths_of_turns_add_up(texts: list[str]) -> None:
    whole = [message for text in texts for message in (user(text), answer(text))]
    prompt, response = tokens(*whole)
    shown = "".join(texts).encode("utf-8", "replace")
    assert prompt == response
    assert response >= len(shown)
