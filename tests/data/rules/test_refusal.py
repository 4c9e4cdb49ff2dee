from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "response",
    [
        "As an AI language model, I cannot have opinions.",
        "I'm sorry, but as an AI language model I cannot write a poem about that.",
        "I am an AI and do not have favourites.",
        "I'm sorry, but I can't assist with that.",
        "I apologize, but I am unable to provide that information.",
        "Sorry, I cannot help you with this.",
        "很抱歉，作为一个人工智能语言模型，我无法回答这个问题。",
        "作为一个 AI 助手，我没有预订机票的能力。",
        "对不起，我无法回答这个问题。",
        "很抱歉，我目前无法预订机票。",
    ],
)
def test_boilerplate_of_assistants_is_a_warning(look_at_answer, response: str) -> None:
    assert look_at_answer("refusal", "写一首诗。", response) == ["refusal.boilerplate"]


@pytest.mark.parametrize(
    "response",
    [
        "I'm sorry to hear that you are ill.",
        "I'm sorry, but I can't come to work today: I am ill.",
        "As an AI assistant, I help people every day.",
        "As a doctor, I cannot recommend it.",
        "You cannot divide by zero.",
        "I am an AI assistant developed by us. How can I help you?",
        "作为一名医生，我不能推荐它。",
        "作为一个人工智能助手，我很乐意帮助您。",
        "很抱歉听到这个消息。",
        "抱歉打扰您，我想改一下时间。",
        "人工智能的发展不能没有数据。",
    ],
)
def test_apologies_and_what_people_cannot_do_pass(look_at_answer, response: str) -> None:
    assert look_at_answer("refusal", "写一首诗。", response) == []


def test_only_the_beginning_of_an_answer_counts(look_at_answer) -> None:
    late = "The sea is deep and wide. " * 20 + "As an AI, I cannot swim."
    assert look_at_answer("refusal", "Tell me about the sea.", late) == []


def test_a_rejected_or_undesired_answer_may_refuse(look) -> None:
    refusal = "As an AI language model, I cannot do that."
    pair = {"prompt": "Sing!", "chosen": "La la la.", "rejected": refusal}
    assert look("refusal", pair, format="preference") == []
    unpaired = {"prompt": "Sing!", "completion": refusal, "label": False}
    assert look("refusal", unpaired, format="kto") == []
    assert look("refusal", unpaired | {"label": True}, format="kto")


def test_an_answer_out_of_the_loss_may_refuse(look) -> None:
    answer = {"role": "assistant", "content": "As an AI, I cannot.", "train": False}
    assert look("refusal", {"messages": [{"role": "user", "content": "?"}, answer]}) == []
