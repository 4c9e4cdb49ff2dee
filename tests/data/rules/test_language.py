from __future__ import annotations

import pytest

ENGLISH = "Beijing is the capital of China and has more than twenty million people."
CHINESE = "北京是中华人民共和国的首都，位于华北平原的北部，人口超过两千万。"


@pytest.mark.parametrize(
    ("prompt", "response"),
    [
        ("Please tell me what you know about the city of Beijing.", CHINESE),
        ("请告诉我你对北京这座城市的了解。", ENGLISH),
        ("Расскажите мне, пожалуйста, о городе.", ENGLISH),
        ("Tell me something about the old town there.", "Это очень старый и красивый город."),
    ],
)
def test_an_answer_in_another_script_is_a_warning(look_at_answer, prompt, response) -> None:
    assert look_at_answer("language", prompt, response) == ["language.mismatch"]


@pytest.mark.parametrize(
    ("prompt", "response"),
    [
        ("请告诉我你对北京这座城市的了解。", CHINESE),
        ("Tell me about Beijing, the city.", ENGLISH),
        ("翻译成英文：北京是中国的首都，有两千多万人口。", ENGLISH),
        ("Translate into Chinese: the capital has many people.", CHINESE),
        ("Write a poem in Mandarin about the capital, please.", CHINESE),
        ("写一个程序，输出所有的质数，直到一百为止。", "for n in range(2, 100):\n    print(n)"),
        ("用Python写一个排序。", "Use the function sorted on the list of numbers."),
        ("披头士乐队的第一张专辑叫什么名字？", "Please Please Me"),
        ("什么是“do away with”？", ENGLISH),
        ("What does 北京 mean in this sentence, please?", CHINESE),
        ("What is the sign for the change of heat?", "ΔT"),
        ("哪一个选项是对的？请只回答字母选项即可。", "B"),
        (
            "包裹说放在门卫室，我去问了门卫大叔，没有。",
            '{"intent": "delivery", "product": "camera", "urgency": "high", "mood": "angry", '
            '"place": "gate", "state": "lost"}',
        ),
        (
            "包裹放在门卫室，没有找到。",
            "intent: delivery; product: camera; urgency: high; mood: bad",
        ),
        ("这首歌出自平克弗洛伊德的哪一张专辑？", "The Dark Side of the Moon"),
    ],
)
def test_translations_code_names_and_labels_pass(look_at_answer, prompt, response) -> None:
    assert look_at_answer("language", prompt, response) == []


def test_the_system_turn_may_ask_for_the_other_language(look) -> None:
    turns = [
        {"role": "system", "content": "Always answer in Chinese."},
        {"role": "user", "content": "Please tell me what you know about the city."},
        {"role": "assistant", "content": CHINESE},
    ]
    assert look("language", {"messages": turns}) == []
    assert look("language", {"messages": turns[1:]})
