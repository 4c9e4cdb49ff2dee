"""What C-Eval, CMMLU and MMLU ask, letter by letter as their protocols have it."""

from __future__ import annotations

import pytest

from tuneval.data.example import Message
from tuneval.errors import DataError, UsageError
from tuneval.evaluation.answering.forms import Form
from tuneval.evaluation.tasks import task_from


def load(kind, path, **options):
    return task_from({"kind": kind, "path": str(path), **options}).load()


def whole(question) -> str:
    return question.head + "".join(question.shots) + question.prompt


def test_ceval_official_is_the_published_prompt(ceval):
    asked = load("ceval", ceval, shots=2)
    first, second = asked.questions
    assert whole(first) == (
        "以下是中国关于逻辑学考试的单项选择题，请选出其中的正确答案。\n\n"
        "1+1等于____。\nA. 1\nB. 2\nC. 3\nD. 4\n答案：B\n\n"
        " 首都是哪里 \nA. 上海\nB. 北京\nC. 广州\nD. 天津,市\n答案：B\n\n"
        "2+2等于____。\nA. 1\nB. 2\nC. 3\nD. 4\n答案："
    )
    assert first.choices == ("A", "B", "C", "D")
    assert (first.gold, first.reference, first.way) == ((3,), "D", "choose")
    assert (first.id, first.source) == ("logic/0", "val/logic_val.csv:2")
    assert (second.id, second.source) == ("logic/7", "val/logic_val.csv:3")
    assert second.prompt == "下列说法，\n正确的是____。\nA. 甲\nB. 乙\nC. 丙\nD. 丁\n答案："
    assert first.tags == {"subject": "logic", "category": "Humanities", "number": "0"}
    assert asked.protocol == "ceval/official/2-shot/plain"
    assert (asked.strata, asked.average) == ("subject", "subject")


def test_ceval_reasoning_is_shown_and_begun(ceval):
    (first, _) = load("ceval", ceval, shots=2, cot=True).questions
    assert whole(first) == (
        "以下是中国关于逻辑学考试的单项选择题，请选出其中的正确答案。\n\n"
        "1+1等于____。\nA. 1\nB. 2\nC. 3\nD. 4\n答案："
        "让我们一步一步思考，\n1. 一加一等于二。\n所以答案是B。\n\n"
        " 首都是哪里 \nA. 上海\nB. 北京\nC. 广州\nD. 天津,市\n答案："
        "让我们一步一步思考，\n1. 先想。\n2. 再想。\n所以答案是B。\n\n"
        "2+2等于____。\nA. 1\nB. 2\nC. 3\nD. 4\n答案：让我们一步一步思考，\n1."
    )
    assert (first.way, first.extractor, first.choices) == ("generate", "ceval_cot_text", ())


def test_ceval_as_a_chat_puts_the_header_into_the_system_message(ceval):
    (first, _) = load("ceval", ceval, shots=1, chat=True).questions
    assert Form.whole(first, None).messages == (
        Message("system", "以下是中国关于逻辑学考试的单项选择题，请选出其中的正确答案。"),
        Message("user", "1+1等于____。\nA. 1\nB. 2\nC. 3\nD. 4\n答案："),
        Message("assistant", "B"),
        Message("user", "2+2等于____。\nA. 1\nB. 2\nC. 3\nD. 4\n答案："),
    )
    (begun, _) = load("ceval", ceval, shots=1, chat=True, cot=True).questions
    assert begun.begins == "让我们一步一步思考，\n1."
    assert begun.extractor == "ceval_cot"


def test_ceval_of_lm_eval_has_another_header_and_a_blank_before_the_letter(ceval):
    asked = load("ceval", ceval, shots=2, protocol="lm-eval")
    (first, _) = asked.questions
    assert asked.average is None
    assert whole(first) == (
        "以下是中国关于逻辑学的单项选择题，请选出其中的正确答案。\n\n"
        "1+1等于____。\nA. 1\nB. 2\nC. 3\nD. 4\n答案： B\n\n"
        "首都是哪里\nA. 上海\nB. 北京\nC. 广州\nD. 天津,市\n答案： B\n\n"
        "2+2等于____。\nA. 1\nB. 2\nC. 3\nD. 4\n答案："
    )
    assert first.choices == (" A", " B", " C", " D")


def test_ceval_of_opencompass_repeats_the_header_in_every_shot(ceval):
    header = "以下是中国关于逻辑学考试的单项选择题，请选出其中的正确答案。\n"
    asked = load("ceval", ceval, shots=1, protocol="opencompass")
    (first, _) = asked.questions
    assert asked.average == "subject"
    assert whole(first) == (
        f"{header}1+1等于____。\nA. 1\nB. 2\nC. 3\nD. 4\n答案: \nB\n"
        f"{header}2+2等于____。\nA. 1\nB. 2\nC. 3\nD. 4\n答案: "
    )
    assert first.choices == ("\nA", "\nB", "\nC", "\nD")
    (written, _) = load("ceval", ceval, shots=1, protocol="opencompass", way="generate").questions
    assert whole(written) == whole(first)
    assert written.extractor == "first_capital"


def test_ceval_of_llamafactory_is_one_conversation_with_the_header_in_its_first_turn(ceval):
    (first, _) = load("ceval", ceval, shots=1, protocol="llamafactory", chat=True).questions
    header = "以下是中国关于逻辑学考试的单项选择题，请选出其中的正确答案。\n\n"
    assert Form.whole(first, None).messages == (
        Message("user", header + "1+1等于____。\nA. 1\nB. 2\nC. 3\nD. 4\n答案："),
        Message("assistant", "B"),
        Message("user", "2+2等于____。\nA. 1\nB. 2\nC. 3\nD. 4\n答案："),
    )


def test_ceval_test_split_may_lack_its_answers(ceval):
    asked = load("ceval", ceval, split="test", shots=0)
    (only,) = asked.questions
    assert (only.reference, only.gold) == (None, ())
    assert only.head == "以下是中国关于逻辑学考试的单项选择题，请选出其中的正确答案。\n\n"
    assert asked.notes == ("1 of the 52 subjects are in the folder",)


@pytest.mark.parametrize(
    ("protocol", "way", "expected", "choices"),
    [
        (
            "official",
            "choose",
            "以下是关于农学的单项选择题，请直接给出正确答案的选项。\n\n"
            "题目：肉牛屠宰后，胴体的哪个部位肉质较好\nA. 胸\nB. 腹\nC. 大腿\nD. 小腿\n"
            "答案是：C\n\n题目：{}\n答案是：",
            ("A", "B", "C", "D"),
        ),
        (
            "lm-eval",
            "choose",
            "以下是关于农学的单项选择题，请直接给出正确答案的选项。\n\n"
            "肉牛屠宰后，胴体的哪个部位肉质较好\nA. 胸\nB. 腹\nC. 大腿\nD. 小腿\n答案： C\n\n"
            "{}\n答案：",
            (" A", " B", " C", " D"),
        ),
        (
            "opencompass",
            "choose",
            "以下是关于农学的单项选择题，请直接给出正确答案的选项。\n"
            "题目：肉牛屠宰后，胴体的哪个部位肉质较好\nA. 胸\nB. 腹\nC. 大腿\nD. 小腿\n答案是: C\n"
            "以下是关于农学的单项选择题，请直接给出正确答案的选项。\n题目：{}",
            ("\n答案是: A", "\n答案是: B", "\n答案是: C", "\n答案是: D"),
        ),
        (
            "opencompass",
            "generate",
            "以下是关于农学的单项选择题，请直接给出正确答案的选项。\n"
            "题目：肉牛屠宰后，胴体的哪个部位肉质较好\nA. 胸\nB. 腹\nC. 大腿\nD. 小腿\n答案是: C\n"
            "以下是关于农学的单项选择题，请直接给出正确答案的选项。\n题目：{}\n答案是: ",
            (),
        ),
        (
            "llamafactory",
            "choose",
            "以下是中国关于农学考试的单项选择题，请选出其中的正确答案。\n\n"
            "肉牛屠宰后，胴体的哪个部位肉质较好\nA. 胸\nB. 腹\nC. 大腿\nD. 小腿\n答案：C\n\n"
            "{}\n答案：",
            ("A", "B", "C", "D"),
        ),
    ],
)
def test_cmmlu_prompts_of_the_real_file(real_data, protocol, way, expected, choices):
    options = {} if way == "choose" else {"way": way}
    asked = load(
        "cmmlu", real_data / "cmmlu", subjects="agronomy", protocol=protocol, shots=1, **options
    )
    assert len(asked.questions) == 169
    item = (
        "在农业生产中被当作极其重要的劳动对象发挥作用，最主要的不可替代的基本生产资料是\n"
        "A. 农业生产工具\nB. 土地\nC. 劳动力\nD. 资金"
    )
    assert whole(asked.questions[0]) == expected.format(item)
    assert asked.questions[0].choices == choices


def test_cmmlu_official_as_a_chat_is_one_user_turn(real_data):
    plain, chat = (
        load("cmmlu", real_data / "cmmlu", subjects="arts", chat=chat).questions[3]
        for chat in (False, True)
    )
    assert Form.whole(chat, None).messages == (Message("user", whole(plain)),)


def test_cmmlu_reasoning_asks_for_it_and_shows_none(real_data):
    asked = load("cmmlu", real_data / "cmmlu", subjects="agronomy", shots=1, cot=True)
    first = asked.questions[0]
    assert first.head == "以下是关于农学的单项选择题，请分析并选出正确答案。\n\n"
    assert first.shots[0].endswith("D. 小腿\n答案是：C\n\n")
    assert first.prompt.endswith("D. 资金\n逐步分析并给出答案选项。")
    assert first.extractor == "cmmlu"
    assert asked.protocol == "cmmlu/official/1-shot/plain/cot"


def test_cmmlu_drops_the_longest_demonstration_first_and_the_header_last(real_data):
    question = load("cmmlu", real_data / "cmmlu", subjects="agronomy").questions[0]
    form = Form.whole(question, None)
    longest = max(question.shots, key=len)
    shorter = form.shorter(len)
    assert shorter.shots == tuple(shot for shot in question.shots if shot != longest)
    while shorter.shots:
        shorter = shorter.shorter(len)
        assert shorter.head == question.head
    assert shorter.shorter(len).head == ""
    other = load("cmmlu", real_data / "cmmlu", subjects="agronomy", protocol="lm-eval")
    assert other.questions[0].drop == "last"


def test_every_cmmlu_subject_at_hand_loads_with_keys_among_its_options(real_data):
    asked = load("cmmlu", real_data / "cmmlu")
    assert len(asked.questions) == 4025
    assert asked.notes == ("23 of the 67 subjects are in the folder",)
    assert all(len(question.gold) == 1 for question in asked.questions)
    assert len({question.id for question in asked.questions}) == 4025
    assert {question.tags["category"] for question in asked.questions} == {
        "STEM",
        "Humanities",
        "Social Science",
        "Other",
    }


def test_mmlu_official_has_two_blanks_before_the_subject_and_text_stays_text(mmlu):
    asked = load("mmlu", mmlu, shots=2)
    (only,) = asked.questions
    assert whole(only) == (
        "The following are multiple choice questions (with answers) about  high school physics."
        "\n\nWhat is 1+1?\nA. 1\nB. 2\nC. 3\nD. 4\nAnswer: B\n\n"
        "Which, then?\nA. None\nB. 01\nC. NA\nD. nan\nAnswer: C\n\n"
        'What is "up"?\nA. left\nB. right\nC. top\nD. down\nAnswer:'
    )
    assert only.choices == (" A", " B", " C", " D")
    assert (only.gold, only.source) == ((2,), "test/high_school_physics_test.csv:1")
    assert asked.average is None


def test_mmlu_of_other_tools(mmlu):
    (lm_eval,) = load("mmlu", mmlu, shots=0, protocol="lm-eval").questions
    assert lm_eval.head == (
        "The following are multiple choice questions (with answers) about high school physics.\n\n"
    )
    (factory,) = load("mmlu", mmlu, shots=1, protocol="llamafactory").questions
    assert factory.shots[0].endswith("\nAnswer:B\n\n")
    assert factory.choices == ("A", "B", "C", "D")
    compass = load("mmlu", mmlu, shots=1, protocol="opencompass")
    assert compass.average == "subject"
    assert "about  high school physics.\n\n" in whole(compass.questions[0])
    (written,) = load("mmlu", mmlu, shots=1, protocol="opencompass", way="generate").questions
    hint = (
        "There is a single choice question about high school physics. Answer the question by "
        "replying A, B, C or D.\nQuestion: "
    )
    assert whole(written) == (
        f"{hint}What is 1+1?\nA. 1\nB. 2\nC. 3\nD. 4\nAnswer: \nB\n\n"
        f'{hint}What is "up"?\nA. left\nB. right\nC. top\nD. down\nAnswer: '
    )


def test_what_a_protocol_cannot_do_is_refused_in_words(ceval):
    for options, said in (
        ({"protocol": "lm-eval", "way": "generate"}, "only compares the letters"),
        ({"protocol": "opencompass", "cot": True}, "only the official protocol"),
        ({"cot": True, "way": "choose"}, "has to be written"),
        ({"subjects": "logics"}, "did you mean 'logic'"),
        ({"shots": 6}, "less than or equal to 5"),
    ):
        with pytest.raises(UsageError) as refused:
            load("ceval", ceval, **options)
        assert said in str(refused.value)
    for options in ({}, {"protocol": "opencompass", "way": "generate"}):
        with pytest.raises(UsageError, match="only official answers that are written"):
            load("cmmlu", ceval, random_when_unread=True, **options)


def test_missing_and_broken_files_are_named(ceval, tmp_path):
    with pytest.raises(DataError, match="There is no sheet of CMMLU here"):
        load("cmmlu", tmp_path)
    with pytest.raises(DataError, match="3 demonstrations are asked for; there are 2"):
        load("ceval", ceval, shots=3)
    (ceval / "val" / "logic_val.csv").write_text("id,question,A,B,C,D,answer\n0,q,a,b\n")
    with pytest.raises(DataError, match="A row has 4 cells, not 7") as broken:
        load("ceval", ceval, shots=0)
    assert broken.value.where.endswith("logic_val.csv:2")
    (ceval / "val" / "logic_val.csv").write_text("id,frage,A,B,C,D,answer\n")
    with pytest.raises(DataError, match="lacks the columns question"):
        load("ceval", ceval, shots=0)


def test_blank_lines_of_a_sheet_are_no_rows_and_lines_are_told_right(ceval):
    path = ceval / "val" / "logic_val.csv"
    before = load("ceval", ceval, shots=0).questions
    header, rest = path.read_text(encoding="utf-8").split("\n", 1)
    path.write_text(f"\ufeff{header}\r\n\r\n{rest}\r\n", encoding="utf-8", newline="")
    after = load("ceval", ceval, shots=0).questions
    assert [q.prompt for q in after] == [q.prompt for q in before]
    assert [q.source for q in after] == ["val/logic_val.csv:3", "val/logic_val.csv:4"]


@pytest.mark.parametrize(
    ("content", "said", "where"),
    [
        ("", "lacks the columns question", ""),
        ("id,question,A,B,C,D,answer\n", "holds no question", ""),
        ("id,question,A,B,C,D\n0,q,1,2,3\n", "has 5 cells, not 6", ":2"),
        ('id,question,A,B,C,D\n0,q,1,2,3,4\n1,"x" y,1,2,3,4\n', "is no CSV", ":3"),
    ],
)
def test_a_broken_sheet_is_told_with_its_place(ceval, content, said, where):
    path = ceval / "val" / "logic_val.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError) as refused:
        load("ceval", ceval, shots=0)
    assert said in str(refused.value)
    assert f"{path}{where}" in str(refused.value)


def test_a_sheet_of_mmlu_without_a_row_is_told(mmlu):
    (mmlu / "test" / "high_school_physics_test.csv").write_text("")
    with pytest.raises(DataError, match="holds no question"):
        load("mmlu", mmlu, shots=0)


def test_a_file_in_place_of_the_folder_is_told(ceval):
    with pytest.raises(DataError, match="file is missing"):
        load("ceval", ceval / "val" / "logic_val.csv", subjects="logic")


def test_a_demonstration_without_an_answer_is_refused(ceval):
    (ceval / "dev" / "logic_dev.csv").write_text(
        "id,question,A,B,C,D,answer,explanation\n0,1+1,1,2,3,4,,x\n", encoding="utf-8"
    )
    with pytest.raises(DataError, match="no answer to show"):
        load("ceval", ceval, shots=1)
    assert load("ceval", ceval, shots=0).questions


def test_reasoning_is_cut_at_a_blank_line_only_where_demonstrations_show_it_without(
    ceval, real_data
):
    def stop(kind, path, **options):
        return load(kind, path, **options).questions[0].stop

    assert stop("ceval", ceval, shots=1, cot=True) == ("\n\n",)
    assert stop("ceval", ceval, shots=0, cot=True) == ()
    assert stop("ceval", ceval, shots=0, way="generate") == ("\n\n",)
    assert stop("cmmlu", real_data / "cmmlu", subjects="arts", shots=1, cot=True) == ()
