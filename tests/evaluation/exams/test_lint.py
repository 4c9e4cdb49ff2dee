"""What is found wrong with a task's questions."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tuneval.evaluation.lint import lint
from tuneval.evaluation.lint.positions import skewed_positions
from tuneval.evaluation.lint.texts import stems
from tuneval.evaluation.question import Question
from tuneval.evaluation.tasks import task_from


def found(report, rule):
    return [finding for finding in report.findings if finding.rule == rule]


def write_subject(folder, name, rows):
    lines = (json.dumps({"passage": None} | row, ensure_ascii=False) + "\n" for row in rows)
    (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")


def row(question, label="A", options=("(A)one", "(B)two", "(C)three")):
    return {"question": question, "options": list(options), "label": label}


def test_defects_of_the_agieval_files_at_hand(real_data):
    """The duplicates are those that the benchmark's reviews count; see also its issues."""
    report = lint(task_from({"kind": "agieval", "path": str(real_data / "agieval")}))
    assert report.n_questions == 2795
    doubles = Counter(f.where.split(".")[0] for f in found(report, "question.duplicate"))
    assert doubles == {"gaokao-chinese": 15, "gaokao-english": 11, "gaokao-mathcloze": 2}
    assert not found(report, "key.conflict")
    # The official reading of an expression keeps what follows the last =: these keys are equations.
    unreachable = [f.example_id for f in found(report, "key.unreachable")]
    assert len(unreachable) == 8
    assert {"math/3", "gaokao-mathcloze/10"} < set(unreachable)


def test_few_shot_agieval_and_cmmlu_show_no_question_that_is_asked(real_data):
    for options in (
        {"kind": "agieval", "path": str(real_data / "agieval"), "shots": 5},
        {"kind": "cmmlu", "path": str(real_data / "cmmlu")},
    ):
        report = lint(task_from(options))
        assert not found(report, "demonstration.asked")
    assert report.counts == {}


def test_keys_that_nobody_can_meet_are_errors(tmp_path):
    write_subject(
        tmp_path,
        "gaokao-mathqa",
        [row("一"), row("二", "AD"), row("三", "A B"), row("四", "D"), row("五", None), row("六")],
    )
    report = lint(task_from({"kind": "agieval", "path": str(tmp_path)}))
    outside, unreachable, missing = (
        [finding.example_id for finding in found(report, rule)]
        for rule in ("key.outside", "key.unreachable", "key.missing")
    )
    assert outside == ["gaokao-mathqa/1", "gaokao-mathqa/2", "gaokao-mathqa/3"]
    assert unreachable == []
    assert missing == ["gaokao-mathqa/4"]
    assert all(finding.severity == "error" for finding in found(report, "key.outside"))


def test_a_key_of_several_letters_is_out_of_reach_of_an_extractor_of_one(tmp_path):
    write_subject(tmp_path, "gaokao-mathqa", [row("一"), row("二", "AC"), row("三", "B")])
    report = lint(task_from({"kind": "agieval", "path": str(tmp_path)}))
    (finding,) = found(report, "key.unreachable")
    assert finding.example_id == "gaokao-mathqa/1"
    assert "agieval_zero_shot never reads 'AC'" in finding.what
    several = tmp_path / "several"
    several.mkdir()
    write_subject(several, "jec-qa-ca", [row("一", ["A", "C"]), row("二", ["B", "。"])])
    (finding,) = found(
        lint(task_from({"kind": "agieval", "path": str(several)})), "key.unreachable"
    )
    assert finding.example_id == "jec-qa-ca/1"


def test_equal_questions_are_doubles_and_their_keys_must_agree(tmp_path):
    write_subject(
        tmp_path,
        "sat-en",
        [
            row("Why?"),
            row("Why? "),
            row("Ｗhy?", "B"),
            row("Why?", options=("(A)1", "(B)2")),
            row("x"),
        ],
    )
    report = lint(task_from({"kind": "agieval", "path": str(tmp_path)}))
    doubles = [finding.example_id for finding in found(report, "question.duplicate")]
    assert doubles == ["sat-en/1", "sat-en/2"]
    (conflict,) = found(report, "key.conflict")
    assert (conflict.example_id, conflict.severity) == ("sat-en/2", "error")
    assert "Its key is B; at sat-en.jsonl:1 (sat-en/0) it is A" in conflict.what


def test_equal_options_are_found_where_they_are_the_choices(tmp_path):
    write_subject(tmp_path, "sat-en", [row("Why?", options=("one", "two", "One "))])
    report = lint(task_from({"kind": "agieval", "path": str(tmp_path), "protocol": "lm-eval"}))
    (finding,) = found(report, "options.equal")
    assert "'one'" in finding.what


def test_a_question_in_a_demonstration_is_an_error(ceval):
    shown = "下列各数中最大的一个是____。,1,2,3,4,D"
    others = ("另外一个很长的问题是____。,1,2,3,4,B", "第三个同样很长的问题是____。,1,2,3,4,B")
    asked = "\n".join(f"{n},{row}" for n, row in enumerate((shown, *others)))
    header = "id,question,A,B,C,D,answer"
    (ceval / "val" / "logic_val.csv").write_text(f"{header}\n{asked}\n", encoding="utf-8")
    (ceval / "dev" / "logic_dev.csv").write_text(
        f"{header},explanation\n0,{shown},因为。\n1,{shown},因为。\n", encoding="utf-8"
    )
    for shots, expected in ((2, ["logic/0"]), (0, [])):
        report = lint(task_from({"kind": "ceval", "path": str(ceval), "shots": shots}))
        assert [f.example_id for f in found(report, "demonstration.asked")] == expected


def test_an_empty_question_is_found(tmp_path):
    write_subject(tmp_path, "math", [row(q, "1", ()) for q in ("1+1", "", "2+2", "3-1")])
    report = lint(task_from({"kind": "agieval", "path": str(tmp_path)}))
    assert [finding.example_id for finding in found(report, "question.empty")] == ["math/1"]


def test_questions_in_a_training_set_are_found(real_data, tmp_path):
    cmmlu = task_from({"kind": "cmmlu", "path": str(real_data / "cmmlu"), "subjects": "arts"})
    questions = cmmlu.load().questions
    long = max(questions, key=lambda question: len(question.asked))
    stem = long.asked.removeprefix("题目：").removesuffix("\n答案是：")
    training = tmp_path / "training.jsonl"
    rows = [
        {"instruction": "今天天气怎么样？请你告诉我一下，谢谢。", "output": "天气很好。"},
        {"instruction": f"请回答：{stem}", "output": "B"},
        {"instruction": f"再来一次：{stem}", "output": "B"},
    ]
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    training.write_text(text + "\n", encoding="utf-8")
    (finding,) = found(lint(cmmlu, training=[training]), "training.overlap")
    assert (finding.example_id, finding.severity) == (long.id, "error")
    assert f"stands in {training}:2, and in 1 more" in finding.what
    training.write_text(text.splitlines()[0] + "\n", encoding="utf-8")
    assert not found(lint(cmmlu, training=[training]), "training.overlap")


def question(name, asked, place=0, n_options=4, **more):
    classes = ["A", "B", "C", "D", "E"][:n_options]
    return Question(
        id=name,
        source=f"f:{name}",
        way="generate",
        prompt=asked,
        reference=classes[place],
        fields={"classes": classes},
        **more,
    )


def test_right_options_of_one_place_are_told_with_what_they_give_away():
    """Chi-square of 20, 10, 10, 0 by hand: 100/10 + 0 + 0 + 100/10 = 20; 3 degrees of freedom."""
    places = [0] * 20 + [1] * 10 + [2] * 10
    skewed = [question(str(n), f"q{n}", place) for n, place in enumerate(places)]
    (finding,) = skewed_positions(skewed, None)
    assert "A 20, B 10, C 10, D 0 of 40 times (p = 0.00017)" in finding.what
    assert "who always says A gets 50.0%, by chance 25.0%" in finding.what
    even = [question(str(n), f"q{n}", n % 4) for n in range(40)]
    assert not list(skewed_positions(even, None))
    assert not list(skewed_positions(skewed[:19], None))


def test_repeated_questions_count_once_for_places():
    repeated = [question(str(n), "the same", 0) for n in range(60)]
    assert not list(skewed_positions(repeated, None))


def test_options_of_different_number_have_their_own_chance():
    """Half have 2 options, half 4: place 0 is right in 1/2 and 1/4 of them by chance."""
    fair = [question(str(n), f"q{n}", n % 2, 2) for n in range(200)]
    fair += [question(f"four{n}", f"p{n}", n % 4, 4) for n in range(200)]
    assert not list(skewed_positions(fair, None))


def test_strata_are_tested_each_and_together():
    skewed = [question(f"a{n}", f"a{n}", 0, tags={"subject": "a"}) for n in range(40)]
    even = [question(f"b{n}", f"b{n}", n % 4, tags={"subject": "b"}) for n in range(400)]
    names = [finding.where for finding in skewed_positions([*skewed, *even], "subject")]
    assert names == ["the task", "subject a"] or names == ["subject a"]
    assert [f.where for f in skewed_positions(skewed, "subject")] == ["subject a"]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["题目：一\n答案", "题目：二三\n答案", "题目：\n答案"], ["一", "二三", ""]),
        (["same", "same", "same"], ["same", "same", "same"]),
        (["ab", "ac"], ["ab", "ac"]),
        (["ab", "abab", "abb"], ["", "ab", "b"]),
    ],
)
def test_words_that_all_share_are_taken_off(texts, expected):
    questions = [question(str(n), text) for n, text in enumerate(texts)]
    assert stems(questions, None) == expected


def test_classes_are_told_by_their_names():
    rows = [
        Question(
            id=str(n), source="f", way="choose", prompt=f"q{n}", choices=("good", "bad"),
            gold=(0 if n else 1,), fields={"classes": ["good", "bad"]},
        )
        for n in range(40)
    ]  # fmt: skip
    (finding,) = skewed_positions(rows, None)
    assert "good 39, bad 1 of 40 times" in finding.what
    assert "who always says good gets 97.5%" in finding.what


def test_a_set_of_labels_is_a_key_and_what_a_rule_checks_needs_none(tmp_path):
    path = tmp_path / "own.jsonl"
    path.write_text('{"text": "x", "labels": ["a", "b"]}\n{"text": "y", "labels": []}\n')
    report = lint(task_from({"kind": "multi_label", "path": str(path)}))
    assert not [f for f in report.findings if f.rule.startswith("key.")]
    assert not found(lint(task_from({"kind": "instructions"})), "key.missing")
    judged = found(lint(task_from({"kind": "capability"})), "key.missing")
    assert judged
    assert all(f.severity == "info" for f in judged)
