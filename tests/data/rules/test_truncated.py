from __future__ import annotations

import pytest

LONG = "The causes of the war were many. " * 6
LONG_ZH = "战争的原因有很多，列强之间早已结成同盟。" * 10


@pytest.mark.parametrize(
    "response",
    [
        "The causes of the war were many. First, the great powers had formed alliances which",
        "Its memory serves as a reminder to all of us of the importance of",
        LONG + "The great powers had formed alli",
        LONG_ZH + "在2016年，他带领球队获得了冠军，并在202",
        "演奏技巧：萨克斯的滑音、滑奏、颤音；小号的快速吐音、",
        "获得点数的方法有很多种，常见的有以下几种：",
        "战争的原因有很多，其中最重要的原因是列强之间的矛盾以及",
        "Here are the steps:\n\n1. Boil the water.\n2. Add the tea.\n3.",
        "这是步骤，请按照下面的顺序一步一步来做：\n1. 烧水。\n2. 放茶。\n- ",
        "Use this:\n```python\nprint(1)\n",
        '{"name": "Li Wei", "age": 3',
        '[{"a": 1}, {"b": 2}, {"c"',
        "A function takes arguments and returns a value, for example f(",
    ],
)
def test_an_answer_that_breaks_off_is_found(look_at_answer, response: str) -> None:
    assert look_at_answer("truncated", "请详细解释。", response) == ["truncated.response"]


@pytest.mark.parametrize(
    "response",
    [
        "B",
        "positive",
        "the",
        "法国的首都是巴黎",
        "Mount Everest is the highest mountain of the world, on the border of Nepal",
        LONG + "It was called the Great War.",
        LONG + "\n\nKind regards,\nAnna Smith",
        LONG + "\n10. Salt and vinegar chips with chocolate cream and Nutella spread on top",
        LONG + "Experience love like no other. #PuppyLove #Dogs #Love #Happy",
        LONG + "Thus the result is:\n(210 - 32) * 5/9 = 98.9",
        LONG + "See you soon 😊",
        LONG_ZH + "\n\n此致\n敬礼",
        LONG_ZH + "（完）",
        "```python\nprint(1)\n```",
        '{"name": "Li Wei"}',
        "[Your Name]\n[Your Address]\nDear Sir or Madam, please find enclosed my letter",
        "1. Tea\n2. Coffee\n3. Milk",
        "I wandered lonely as a cloud\nThat floats on high o'er vales and hills",
        "puns = {pun1, pun2, pun3, pun4, pun5};\ndisp(puns);",
    ],
)
def test_short_answers_lists_verse_formulas_and_signatures_pass(look_at_answer, response) -> None:
    assert look_at_answer("truncated", "请详细解释。", response) == []


def test_a_rejected_answer_may_break_off(look) -> None:
    broken = LONG + "The great powers had formed alli"
    record = {"prompt": "Why?", "chosen": LONG, "rejected": broken}
    assert look("truncated", record, format="preference") == []
    (finding,) = look(
        "truncated", {"prompt": "Why?", "chosen": broken, "rejected": LONG}, format="preference"
    )
    assert finding.path == "chosen"
