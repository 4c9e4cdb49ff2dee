from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuneval.data.example import Example, Message, Source
from tuneval.errors import DataError, UsageError
from tuneval.tokenization import encode_all, load_template
from tuneval.tokenization.show import show

TEMPLATES = ["auto", "chatml", "plain", "alpaca"]

# Text a person may write; control characters and special tokens have their own tests.
words = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Co", "Cn")),
    min_size=1,
    max_size=40,
).filter(lambda text: text.strip() and "<|" not in text)


def conversation(*turns: str, system: str | None = None) -> Example:
    messages = [Message("system", system)] if system else []
    for index, turn in enumerate(turns):
        messages.append(Message("assistant" if index % 2 else "user", turn))
    return Example(tuple(messages), Source("made.jsonl", 1))


@pytest.fixture(scope="module")
def tokenizer(smollm):
    return smollm.tokenizer


@pytest.mark.parametrize("name", TEMPLATES)
@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(turns=st.lists(words, min_size=2, max_size=6).filter(lambda t: len(t) % 2 == 0))
def test_just_the_answers_with_their_end_of_turn_are_trained(tokenizer, name, turns):
    template = load_template(tokenizer, name)
    tokens = template.encode(conversation(*turns, system="Be brief.")).tokens
    trained = tokens.ids[tokens.loss_mask].tolist()
    end = template.stop_ids[0]
    expected = []
    for answer in turns[1::2]:
        expected += [*tokenizer(answer, add_special_tokens=False)["input_ids"], end]
    assert trained == expected


@pytest.mark.parametrize("name", TEMPLATES)
@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(turns=st.lists(words, min_size=4, max_size=4))
def test_generation_starts_from_the_ids_training_has_before_the_answer(tokenizer, name, turns):
    template = load_template(tokenizer, name)
    example = conversation(*turns)
    tokens = template.encode(example).tokens
    prompt = template.encode_prompt(example.prompt)
    assert tokens.ids[: len(prompt)].tolist() == prompt
    assert tokens.loss_mask[len(prompt) :].all()


def test_nothing_follows_the_last_target(tokenizer):
    tokens = load_template(tokenizer).encode(conversation("Hi", "Hello")).tokens
    assert tokens.loss_mask[-1]


def test_turns_can_be_left_out_of_the_loss(tokenizer):
    example = conversation("1+1?", "2", "2+2?", "4")
    messages = list(example.messages)
    messages[1] = Message("assistant", "2", train=False)
    template = load_template(tokenizer)
    tokens = template.encode(Example(tuple(messages), example.source)).tokens
    assert tokenizer.decode(tokens.ids[tokens.loss_mask]) == "4<|im_end|>"


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("max_length", [80, 120])
@pytest.mark.parametrize("answer", ["Yes.", "a long answer " * 30])
def test_truncation_keeps_the_assistant_header_and_response_tokens(
    tokenizer, name, max_length, answer
):
    template = load_template(tokenizer, name)
    example = conversation(
        "old " * 50, "older", "first words " + "filler " * 200 + "last words", answer
    )
    encoded = template.encode(example, max_length=max_length)
    tokens = encoded.tokens
    assert len(tokens) <= max_length
    assert encoded.truncation is not None
    assert encoded.truncation.dropped_exchanges == 1
    assert encoded.truncation.cut_prompt_tokens > 0
    assert tokens.n_trained >= min(3, max_length // 2)
    asked = [Message("user", "u")]
    header = template.render(asked, add_header=True).removeprefix(template.render(asked))
    before_answer = tokenizer.decode(tokens.ids[: int(tokens.loss_mask.argmax())])
    assert before_answer.endswith(header)
    text = tokenizer.decode(tokens.ids)
    assert "first" in text
    assert "last words" in text


def test_an_example_without_room_for_its_answer_is_counted_never_silent(tokenizer):
    template = load_template(tokenizer)
    good = conversation("Hi", "Hello")
    frame_too_long = conversation("Hi", "Hello", system="rule " * 5)
    no_answer = conversation("Hi")
    result = encode_all([good, frame_too_long, no_answer], template, max_length=12)
    assert len(result.tokens) + len(result.unusable) == 3
    assert {i for i, _, _ in result.unusable} >= {no_answer.id}
    assert all(reason for _, _, reason in result.unusable)


def test_a_prompt_fits_its_length_and_keeps_the_header(tokenizer):
    template = load_template(tokenizer)
    prompt = template.encode_prompt([Message("user", "word " * 500)], max_length=64)
    assert len(prompt) <= 64
    assert tokenizer.decode(prompt).endswith("<|im_start|>assistant\n")


def test_the_hash_follows_the_template_not_its_name(tokenizer):
    auto, chatml = load_template(tokenizer), load_template(tokenizer, "chatml")
    assert auto.hash == load_template(tokenizer).hash
    assert auto.hash != chatml.hash


def test_an_unknown_template_names_the_near_one(tokenizer):
    with pytest.raises(UsageError, match="chatml"):
        load_template(tokenizer, "chat-ml")


def test_a_template_that_refuses_a_conversation_says_so(tokenizer):
    template = load_template(tokenizer)
    broken = type(template)("broken", "{{ raise_exception('roles must alternate') }}", tokenizer)
    with pytest.raises(DataError, match="roles must alternate"):
        broken.encode(conversation("Hi", "Hello"))


@given(text=words)
@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_shown_tokens_are_the_whole_text_and_no_half_characters(tokenizer, text):
    tokens = load_template(tokenizer).encode(conversation(text, "好的 👍 ok")).tokens
    shown = show(tokens, tokenizer)
    assert [i for s in shown for i in s.ids] == tokens.ids.tolist()
    assert "".join(s.text for s in shown if s.trained) == "好的 👍 ok<|im_end|>"
