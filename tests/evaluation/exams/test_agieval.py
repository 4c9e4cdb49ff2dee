"""AGIEval: prompts, keys and groups as the benchmark and other tools have them."""

from __future__ import annotations

import ast
import csv
import json
from collections import Counter

import pytest

from tuneval.data.example import Message
from tuneval.errors import DataError, UsageError
from tuneval.evaluation.answering.forms import Form
from tuneval.evaluation.asking.turns import go_on, staged
from tuneval.evaluation.tasks import task_from

SUBJECTS = {
    "aqua-rat": 254,
    "gaokao-chinese": 246,
    "gaokao-english": 306,
    "gaokao-mathcloze": 118,
    "logiqa-zh": 651,
    "math": 1000,
    "sat-math": 220,
}


def load(path, **options):
    return task_from({"kind": "agieval", "path": str(path), **options}).load()


def rows_of(folder, subject):
    text = (folder / f"{subject}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def whole(question) -> str:
    return question.head + "".join(question.shots) + question.prompt


@pytest.fixture
def agieval(real_data):
    return real_data / "agieval"


@pytest.fixture
def several(tmp_path):
    """Questions with several right options, in the file's ways of writing them."""
    rows = [
        {"passage": None, "question": "甲？", "options": ["(A)一", "(B)二", "(C)三"], "label": key}
        for key in (["C", "A"], ["B", "。"], [], "B")
    ]
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (tmp_path / "jec-qa-ca.jsonl").write_text(text + "\n", encoding="utf-8")
    return tmp_path


def test_all_subjects_at_hand_load(agieval):
    asked = load(agieval)
    assert Counter(question.tags["subject"] for question in asked.questions) == SUBJECTS
    assert (asked.protocol, asked.average) == ("agieval/official/0-shot/plain", "subject")
    assert asked.metrics[0] == "answer_official"


def test_zero_shot_prompts_are_the_published_ones(agieval):
    asked = {q.id: q for q in load(agieval).questions}
    for subject in ("aqua-rat", "sat-math", "gaokao-english"):
        for number, row in enumerate(rows_of(agieval, subject)):
            options = " ".join(row["options"])
            last = "ABCDE"[len(row["options"]) - 1]
            assert asked[f"{subject}/{number}"].prompt == (
                f"{row['passage'] or ''}Q: {row['question']} Answer Choices: {options}\n"
                f"A: Among A through {last}, the answer is"
            )
    row = rows_of(agieval, "logiqa-zh")[2]
    assert asked["logiqa-zh/2"].prompt == (
        f"{row['passage']}问题：{row['question']} 选项：{' '.join(row['options'])}\n"
        "答案：从A到D, 我们应选择"
    )
    row = rows_of(agieval, "math")[1]
    assert asked["math/1"].prompt == f"Q: {row['question']}\nA: The answer is"
    row = rows_of(agieval, "gaokao-mathcloze")[0]
    assert asked["gaokao-mathcloze/0"].prompt == f"问题：{row['question']}\n答案："


def test_reasoning_without_shots_is_asked_for_in_two_stages(agieval):
    asked = load(agieval, cot=True)
    first = {q.tags["subject"]: q for q in reversed(asked.questions)}
    assert first["aqua-rat"].prompt.endswith("(E)None of these\nLet's think step by step.")
    assert first["logiqa-zh"].prompt.endswith("\n从A到D, 我们应选择什么？让我们逐步思考：")
    assert first["math"].prompt.endswith("\nA: Let's think step by step.")
    assert first["gaokao-mathcloze"].prompt.endswith("\n答案：让我们逐步思考：")
    assert asked.protocol == "agieval/official/0-shot/plain/cot"
    assert {q.extractor for q in asked.questions} == {"agieval_zero_shot", "agieval_maths"}
    assert asked.metrics[0] == "answer_official"
    # generate_second_stage_input of AGIEval: the same letters for every question of a language.
    again = {name: q.then.text for name, q in first.items()}
    assert again["sat-math"] == again["aqua-rat"] == "Therefore, among A through E, the answer is"
    assert again["logiqa-zh"] == "因此，从A到D, 我们应选择"
    assert again["math"] == "Therefore, the answer is"
    assert again["gaokao-mathcloze"] == "因此，答案是"


@pytest.mark.parametrize("chat", [False, True])
def test_the_second_stage_is_put_below_the_question_and_the_reasoning(agieval, chat):
    (question,) = load(agieval, subjects="sat-math", cot=True, chat=chat).questions[:1]
    first, second = staged([question])
    assert (first.id, second.id, second.after) == ("sat-math/0#1", "sat-math/0", "sat-math/0#1")
    assert first.max_new_tokens == 512
    asked = go_on(second, {first.id: first}, {first.id: "Two and two.\nSo it is C."})
    text = asked.asked
    assert text == (
        f"{first.asked}\nTwo and two.\nSo it is C.\nTherefore, among A through E, the answer is"
    )
    assert (asked.prompt == (Message("user", text),)) if chat else (asked.prompt == text)
    assert (asked.max_new_tokens, asked.reference) == (64, question.reference)


def test_a_solution_has_room_where_it_is_worked(agieval):
    limits = {q.tags["form"]: q.max_new_tokens for q in load(agieval).questions}
    assert limits == {"one": 64, "cloze": 512}
    own = load(agieval, subjects="math", cot=True, max_new_tokens=9).questions[0]
    assert (own.max_new_tokens, own.then.max_new_tokens) == (9, 9)
    assert load(agieval, subjects="aqua-rat", shots=1, cot=True).questions[0].then is None


def demonstrations(agieval, subject):
    with (agieval / "few_shot_prompts.csv").open(encoding="utf-8", newline="") as lines:
        cells = [row[subject] for row in csv.DictReader(lines)]
    return [ast.literal_eval(cell) for cell in cells[::2] if cell], [c for c in cells[1::2] if c]


def test_few_shot_prompts_are_the_published_ones(agieval):
    asked = load(agieval, subjects=("aqua-rat", "gaokao-mathcloze"), shots=2)
    english, cloze = asked.questions[0], asked.questions[254]
    (one, two), _ = (part[:2] for part in demonstrations(agieval, "aqua-rat"))
    assert english.head == "Here are the answers for the problems in the exam.\n"
    assert english.shots == tuple(
        f"Problem {n}.    {shot['question']}\n"
        f"Choose from the following options:    {' '.join(shot['options'])}\n"
        f"The answer is therefore {shot['label']}\n\n"
        for n, shot in enumerate((one, two), start=1)
    )
    row = rows_of(agieval, "aqua-rat")[0]
    assert english.prompt == (
        f"Problem 3.    {row['question']}\n"
        f"Choose from the following options:    {' '.join(row['options'])}\n"
    )
    assert english.extractor == "agieval_few_shot_en"
    (shot, _), _ = (part[:2] for part in demonstrations(agieval, "gaokao-mathcloze"))
    assert cloze.head == "以下是考试中各个问题的答案。\n"
    assert cloze.shots[0] == f"问题 1.   {shot['question']}\n答案是 {shot['answer']}\n\n"


def test_few_shot_reasoning_shows_the_explanations_without_blank_lines(agieval):
    asked = load(agieval, subjects="logiqa-zh", shots=5, cot=True)
    shots, explanations = demonstrations(agieval, "logiqa-zh")
    question = asked.questions[0]
    assert len(question.shots) == len(shots)
    assert asked.notes == (f"logiqa-zh has {len(shots)} demonstrations",)
    for n, (shot, told) in enumerate(zip(shots, explanations, strict=True), start=1):
        explained = told.replace("\n\n", "\n")
        assert question.shots[n - 1] == (
            f"问题 {n}.   {shot['passage']} {shot['question']}\n"
            f"从以下选项中选择:    {' '.join(shot['options'])}\n"
            f"问题 {n}的解析:   {explained}\n答案是 {shot['label']}\n\n"
        )
    assert question.stop == ("\n\n",)
    assert question.extractor == "agieval_cot_zh"


def test_several_right_letters_are_shown_as_the_list_that_agieval_prints(several, real_data):
    prompts = (real_data / "agieval" / "few_shot_prompts.csv").read_bytes()
    (several / "few_shot_prompts.csv").write_bytes(prompts)
    question = load(several, shots=3).questions[0]
    ends = [shot.rpartition("答案是 ")[2] for shot in question.shots]
    assert ends == ["['A', 'D']\n\n", "['B', 'D']\n\n", "['C']\n\n"]


def test_a_few_shot_chat_has_no_header(agieval):
    question = load(agieval, subjects="sat-math", shots=1, chat=True).questions[0]
    user, assistant, asked = Form.whole(question, None).messages
    assert (user.role, assistant.role, asked.role) == ("user", "assistant", "user")
    assert user.content.startswith("Problem 1.   ")
    assert assistant.content.startswith("The answer is therefore ")
    assert asked.content.startswith("Problem 2.   ")


def test_choosing_compares_letters_where_one_is_right_and_writes_the_rest(agieval):
    asked = load(agieval, subjects=("logiqa-zh", "aqua-rat", "math"), way="choose")
    by_subject = {q.tags["subject"]: q for q in asked.questions}
    assert by_subject["logiqa-zh"].choices == ("A", "B", "C", "D")
    assert by_subject["aqua-rat"].choices == (" A", " B", " C", " D", " E")
    assert by_subject["math"].way == "generate"
    assert asked.metrics[:2] == ("answer_official", "choice_accuracy")
    shot = load(agieval, subjects="aqua-rat", way="choose", shots=1).questions[0]
    assert shot.prompt.endswith("\nThe answer is therefore")


def test_lm_eval_compares_whole_options_and_parses_the_keys_of_cloze_questions(agieval):
    asked = load(agieval, protocol="lm-eval")
    by_id = {q.id: q for q in asked.questions}
    assert by_id["aqua-rat/0"].choices[0] == " (A)5(√3 + 1)"
    assert by_id["aqua-rat/0"].gold == (0,)
    assert by_id["math/0"].reference == "(3,4]"
    assert by_id["math/0"].fields["official_key"] == "4"
    assert by_id["math/0"].stop == ("Q:",)
    assert by_id["math/0"].max_new_tokens == 32
    assert asked.average is None


def test_opencompass_introduces_every_subject(agieval):
    chosen = load(agieval, subjects="sat-math", protocol="opencompass", way="choose").questions[0]
    row = rows_of(agieval, "sat-math")[0]
    bare = (
        "The following is a SAT Math question. Please select the correct answer.\n"
        + row["question"]
        + "\n"
        + "\n".join(row["options"])
    )
    assert chosen.prompt == bare
    assert chosen.choices[3] == "\nThe answer is D"
    written = load(agieval, protocol="opencompass").questions
    first = {q.tags["subject"]: q for q in reversed(written)}
    assert first["sat-math"].prompt == bare + "\nThe answer is "
    assert first["gaokao-mathcloze"].prompt.startswith("以下是一道中国高考数学填空题，")
    assert first["gaokao-mathcloze"].prompt.endswith("\n答案是： ")
    assert (first["sat-math"].extractor, first["sat-math"].max_new_tokens) == ("first_option", 1024)
    assert first["gaokao-english"].prompt.startswith("以下是一道中国高考英语选择题，")
    assert first["gaokao-english"].prompt.endswith("\n答案是： ")
    chosen = load(agieval, subjects="gaokao-english", protocol="opencompass", way="choose")
    assert chosen.questions[0].choices[0] == "\n答案是：A"


def test_questions_on_one_passage_are_one_group(agieval):
    def n_groups(subject):
        groups = [q.group for q in load(agieval, subjects=subject).questions]
        return len({group for group in groups if group}), sum(group is not None for group in groups)

    assert n_groups("gaokao-english") == (77, 306)
    assert n_groups("gaokao-chinese") == (98, 220)
    assert n_groups("aqua-rat") == (0, 0)


def test_several_right_options_are_a_set_without_order(several):
    asked = load(several).questions
    assert [q.reference for q in asked] == ["AC", "B", None, "B"]
    assert [q.fields.get("official_key") for q in asked] == ["AC", "B。", None, "B"]
    assert asked[0].extractor == "agieval_letters"
    assert asked[0].tags["key"] == "CA"
    assert [q.gold for q in load(several, protocol="lm-eval").questions] == [(0, 2), (1,), (), (1,)]


def test_options_in_one_text_count_as_five_in_english_and_four_in_chinese(tmp_path):
    for subject, last in (
        ("sat-en", "A: Among A through E, the answer is"),
        ("jec-qa-kd", "从A到D"),
    ):
        row = {"passage": None, "question": "?", "options": ["A one B two"], "label": "A"}
        (tmp_path / f"{subject}.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
        (question,) = load(tmp_path, subjects=subject).questions
        assert last in question.prompt


def test_sat_en_without_passage_shows_none_in_its_demonstrations(agieval, tmp_path):
    row = {"passage": "", "question": "Why?", "options": ["(A)x", "(B)y"], "label": "A"}
    (tmp_path / "v1").mkdir()
    (tmp_path / "v1" / "sat-en-without-passage.jsonl").write_text(json.dumps(row) + "\n")
    prompts = (agieval / "few_shot_prompts.csv").read_bytes()
    (tmp_path / "few_shot_prompts.csv").write_bytes(prompts)
    (question,) = load(tmp_path / "v1", shots=1).questions
    (shot, *_), _ = demonstrations(agieval, "sat-en")
    assert shot["passage"]
    assert question.shots[0].startswith(f"Problem 1.    {shot['question']}\n")


def test_what_is_missing_or_unknown_is_said(several):
    for options, error, said in (
        ({"shots": 1}, DataError, "The file of demonstrations is missing"),
        ({"subjects": "lsat-ar"}, DataError, "A subject's file is missing"),
        ({"subjects": "lsat-rq"}, UsageError, "did you mean 'lsat-rc'"),
        ({"protocol": "lm-eval", "shots": 1}, UsageError, "zero-shot only"),
        ({"cot": True, "way": "choose"}, UsageError, "has to be written"),
        ({"protocol": "lm-eval", "way": "generate"}, UsageError, "compares the options"),
    ):
        with pytest.raises(error) as refused:
            load(several, **options)
        assert said in str(refused.value)


def test_a_chat_of_one_question_is_the_prompt_as_one_turn(agieval):
    plain, chat = (load(agieval, subjects="math", chat=c).questions[0] for c in (False, True))
    assert chat.prompt == (Message("user", plain.prompt),)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "holds no question"),
        ('{"question": null, "label": "A"}', "no text 'question'"),
        ('{"question": "q", "options": "(A)1 (B)2", "label": "A"}', "no list of texts"),
    ],
)
def test_a_broken_subject_is_told_with_its_place(tmp_path, content, said):
    path = tmp_path / "sat-math.jsonl"
    path.write_text(content + "\n" if content else "", encoding="utf-8")
    with pytest.raises(DataError) as refused:
        load(tmp_path)
    assert said in str(refused.value)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no column 'sat-math'"),
        (b"math\nx\n", "no column 'sat-math'"),
        (b"sat-math\n{'question': 1\nwhy\n", "holds no question"),
        (b"sat-math\n17\nwhy\n", "holds no question"),
        (b"\xff\xfe", "is no CSV"),
    ],
)
def test_broken_demonstrations_are_told(tmp_path, content, said):
    row = {"passage": "", "question": "Why?", "options": ["(A)x", "(B)y"], "label": "A"}
    (tmp_path / "sat-math.jsonl").write_text(json.dumps(row) + "\n")
    (tmp_path / "few_shot_prompts.csv").write_bytes(content)
    with pytest.raises(DataError, match=said):
        load(tmp_path, shots=1)
