"""A task is asked once, can be stopped anywhere, and says how its figures came about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tuneval.data.example import Message
from tuneval.errors import RunError, UsageError
from tuneval.evaluation.answering.respondent import Invariance, Ready, RespondentFacts
from tuneval.evaluation.asking.evaluate_task import evaluate_task
from tuneval.evaluation.asking.prepare_task import prepare_task
from tuneval.evaluation.comparing.compare import compare
from tuneval.evaluation.comparing.comparison import Evaluation
from tuneval.evaluation.config import EvaluateConfig
from tuneval.evaluation.items import read_items
from tuneval.evaluation.question import Again, Question
from tuneval.evaluation.record import EvaluationResult
from tuneval.evaluation.task import Questions, Task

SUBJECTS = {"sums": 8, "names": 2}


class Quiz(Task):
    """Questions to which the parrot knows the answer where their number is even."""

    kind: str = "quiz"
    way: str = "generate"
    macro: bool = False
    turns: int = 1
    stages: int = 1

    def load(self) -> Questions:
        rows = [
            self._question(f"{subject}-{n}", subject, right=n % 2 == 0)
            for subject, size in SUBJECTS.items()
            for n in range(size)
        ]
        if self.turns == 2:
            rows += [
                replace(row, id=f"{row.id}-again", after=row.id, reference="said yes")
                for row in rows
            ]
        return Questions(
            questions=tuple(rows),
            protocol=f"quiz/{self.way}",
            metrics=("exact_match",) if self.way == "generate" else ("text_perplexity",),
            strata="subject",
            average="subject" if self.macro else None,
            notes=("made for a test",),
        )

    def _question(self, name: str, subject: str, *, right: bool) -> Question:
        return Question(
            id=name,
            source="quiz",
            way=self.way,  # type: ignore[arg-type]
            prompt=(Message("user", f"Is {name} even?"),) if self.way == "generate" else name,
            reference="yes" if right else "no",
            then=Again("So?", 3) if self.stages == 2 else None,
            tags={"subject": subject},
        )


class Parrot:
    """Says yes to every question; remembers how many it was asked. Stops after `patience`."""

    def __init__(self, patience: int = 10**6, *, hash: str = "p" * 16) -> None:
        self.patience, self.n_asked, self.n_checks = patience, 0, 0
        self.hash = hash

    @property
    def facts(self) -> RespondentFacts:
        return RespondentFacts(
            model="parrot", model_hash=self.hash, adapter=None, template="plain",
            template_hash="t" * 16, tokenizer_hash="k" * 16, precision="float32",
            ways=frozenset({"generate", "read"}),
        )  # fmt: skip

    def prepare(self, questions, config) -> Ready:
        prompts = {q.id: str([m.content for m in q.prompt]) for q in questions}
        return Ready(
            config=config,
            asked={q.id: q for q in questions if q.id != "names-1"},
            prompts=prompts,
            skipped={q.id: "too long" for q in questions if q.id == "names-1"},
            prompt_hash=str(hash(tuple(prompts.items()))),
        )

    def answer(self, ready, *, kept, stage, report) -> None:
        for name, question in ready.asked.items():
            if name in kept:
                continue
            if self.n_asked == self.patience:
                raise Stop
            self.n_asked += 1
            said = {"predict": "yes", "finish_reason": "stop", "n_tokens": 1, "seconds": 0.5}
            if question.then:
                said["predict"] = question.prompt[0].content
            elif question.after:
                said["predict"] = f"said {question.prompt[1].content}"
            kept.append({"id": name, "way": "generate", "prompt": "", **said})

    def check_invariance(self, ready, rows, *, n_items=16) -> Invariance:
        self.n_checks += 1
        return Invariance(n_items=n_items, n_changed=0, largest=None)

    def close(self) -> None:
        pass


class Stop(BaseException):
    """Stands for a kill: nothing catches it."""


CONFIG = EvaluateConfig()


def run(folder: Path, parrot=None, *, task=None, config=CONFIG) -> EvaluationResult:
    prepared = prepare_task(task or Quiz(), config)
    return evaluate_task(prepared, parrot or Parrot(), folder=folder, name="parrot/quiz")


def test_answers_are_graded_and_what_was_not_asked_is_counted(tmp_path):
    result = run(tmp_path)
    found = result.metrics["exact_match"]
    assert found.estimate is not None
    assert found.estimate.value == pytest.approx(5 / 9)
    assert found.unscored == {"too long": 1}
    assert result.skipped == {"generated": {"too long": 1}}
    assert result.counts["items"] == 10
    assert result.counts["generated"] == 9
    assert [item.fields["seconds"] for item in read_items(tmp_path)[:2]] == [0.5, 0.5]


def test_the_result_says_how_it_came_about_and_is_read_again(tmp_path):
    result = run(tmp_path, task=Quiz(limit=6))
    record = result.task
    assert record is not None
    assert record.protocol == "quiz/generate"
    assert record.options["limit"] == 6
    assert (record.tokenizer_hash, record.precision) == ("k" * 16, "float32")
    assert record.invariance == Invariance(n_items=16, n_changed=0, largest=None)
    assert sum(record.sizes.values()) == 10
    assert record.n_left_out == 4
    assert "made for a test" in result.notes
    assert any("6 of 10 questions were drawn" in note for note in result.notes)
    assert set(record.by_stratum["exact_match"]) == set(record.taken)
    assert EvaluationResult.load(tmp_path) == result


def test_a_macro_average_counts_subjects_alike(tmp_path):
    figure = run(tmp_path, task=Quiz(macro=True)).task.headline()
    assert figure.over == "subject"
    assert figure.estimate.value == pytest.approx((4 / 8 + 1 / 1) / 2)
    assert figure.whole is None, "every question was asked"


def test_a_drawn_part_stands_for_the_whole_task(tmp_path):
    result = run(tmp_path, task=Quiz(limit=2, per="stratum"))
    (figure,) = result.task.overall
    assert figure.over == "items"
    values = {name: found.value for name, found in result.task.by_stratum["exact_match"].items()}
    names = 1  # of two questions drawn of two, one was too long: one counts, standing for itself
    weighted = (8 * values["sums"] + names * values["names"]) / (8 + names)
    assert figure.estimate.value == pytest.approx(weighted)
    assert figure.whole.high - figure.whole.low < figure.estimate.high - figure.estimate.low


def test_stopped_anywhere_it_goes_on_and_nothing_is_asked_twice(tmp_path):
    parrots = [Parrot(3), Parrot(2), Parrot()]
    for parrot in parrots[:2]:
        with pytest.raises(Stop):
            run(tmp_path / "killed", parrot)
    killed = run(tmp_path / "killed", parrots[2])
    assert [parrot.n_asked for parrot in parrots] == [3, 2, 4]
    undisturbed = run(tmp_path / "whole")
    assert read_items(tmp_path / "killed") == read_items(tmp_path / "whole")
    assert killed.metrics == undisturbed.metrics
    assert killed.key == undisturbed.key


def test_a_finished_evaluation_is_given_back_and_batches_are_checked_once(tmp_path):
    parrot = Parrot()
    first = run(tmp_path, parrot)
    assert run(tmp_path, parrot) == first
    assert (parrot.n_asked, parrot.n_checks) == (9, 1)


def test_other_metrics_grade_the_answers_that_are_there(tmp_path):
    parrot = Parrot()
    run(tmp_path, parrot)
    config = EvaluateConfig(metrics=("rouge-l",))
    assert list(run(tmp_path, parrot, config=config).metrics) == ["exact_match", "rouge-l"]
    assert (parrot.n_asked, parrot.n_checks) == (9, 1)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"parrot": Parrot(hash="q" * 16)}, "model"),
        ({"config": EvaluateConfig(temperature=0.7)}, "temperatures"),
        ({"task": Quiz(limit=4)}, "prompt hash"),
    ],
)
def test_a_folder_with_other_answers_is_not_gone_on_with(tmp_path, changed, named):
    run(tmp_path)
    with pytest.raises(RunError, match=named):
        run(tmp_path, changed.pop("parrot", None), **changed)


def test_a_way_that_the_model_does_not_have_is_refused(tmp_path):
    with pytest.raises(UsageError, match="choose"):
        run(tmp_path, task=Quiz(way="choose"))


def test_a_second_turn_is_asked_with_the_first_answer(tmp_path):
    run(tmp_path, task=Quiz(turns=2))
    items = {item.id: item for item in read_items(tmp_path)}
    assert items["sums-1-again"].predict == "said yes"
    assert items["sums-1-again"].grades["exact_match"] == 1.0
    assert items["names-1-again"].skipped == {
        "generated": "the question before it was not answered"
    }


def test_a_second_stage_is_asked_below_the_first_answer_and_is_the_one_that_counts(tmp_path):
    result = run(tmp_path, task=Quiz(stages=2))
    items = {item.id: item for item in read_items(tmp_path)}
    assert set(items) == {f"{name}-{n}" for name, size in SUBJECTS.items() for n in range(size)}
    assert items["sums-0"].predict == "Is sums-0 even?\nyes\nSo?"
    assert (items["sums-0"].prompt, items["sums-0"].label) == ("Is sums-0 even?", "yes")
    assert result.metrics["exact_match"].estimate.value == 0.0
    assert (result.n_items, result.counts["items"]) == (10, 10)
    part = run(tmp_path / "part", task=Quiz(stages=2, limit=4))
    assert sum(part.task.taken.values()) == part.n_items == part.counts["items"] == 4


def test_perturbed_copies_of_questions_of_two_stages_have_two_stages(tmp_path):
    run(tmp_path, task=Quiz(stages=2), config=EvaluateConfig(perturbations=("typos",)))
    copies = [item for item in read_items(tmp_path) if "~" in item.id]
    assert copies
    assert all(item.predict == f"{item.prompt}\nyes\nSo?" for item in copies)


def test_perturbed_copies_are_asked_too_and_count_only_for_robustness(tmp_path):
    config = EvaluateConfig(perturbations=("typos",))
    result = run(tmp_path, config=config)
    assert result.counts["perturbed"] > 0
    assert result.metrics["exact_match"].estimate.n == 9
    assert "robustness_drop:exact_match" in result.metrics
    assert any("typos" in note for note in result.notes)


def test_a_length_that_is_given_takes_the_place_of_the_tasks_own():
    asked = prepare_task(Quiz(), EvaluateConfig(max_new_tokens=3))
    assert {question.max_new_tokens for question in asked.questions} == {3}
    assert {question.max_new_tokens for question in prepare_task(Quiz(), CONFIG).questions} == {64}


def test_a_task_that_is_not_to_be_answered_is_refused():
    with pytest.raises(UsageError, match="says itself"):
        prepare_task(Quiz(), EvaluateConfig(generate=False))


def test_drawn_answers_do_not_pass_for_greedy_ones(tmp_path):
    run(tmp_path, config=EvaluateConfig(temperature=0.7))
    with pytest.raises(RunError, match="temperatures"):
        run(tmp_path)


def test_an_engine_does_not_answer_for_another(tmp_path):
    run(tmp_path)
    with pytest.raises(RunError, match="engine"):
        run(tmp_path, config=EvaluateConfig(engine="vllm"))


def test_a_reader_is_told_where_the_macro_average_cannot_be_given(tmp_path):
    told = "macro average by subject cannot be given"
    part = run(tmp_path / "part", task=Quiz(macro=True, limit=1))
    assert any(told in note for note in part.notes)
    assert not any(told in note for note in run(tmp_path / "all", task=Quiz(macro=True)).notes)


def test_as_many_of_each_stratum_is_told_as_uneven(tmp_path):
    notes = run(tmp_path, task=Quiz(limit=2, per="stratum")).notes
    assert any("as many were drawn of each subject" in note for note in notes)


def test_flips_and_counts_of_a_comparison_leave_out_perturbed_copies(tmp_path):
    config = EvaluateConfig(perturbations=("typos",))
    for name in "ab":
        run(tmp_path / name, config=config)
    b = Evaluation.load(tmp_path / "b")
    turned = [replace(i, grades={"exact_match": 1 - i.grades["exact_match"]})
              if "exact_match" in i.grades else i for i in b.items]  # fmt: skip
    found = compare(Evaluation.load(tmp_path / "a"), replace(b, items=turned))
    assert found.n_items == 10
    assert len(found.improved) + len(found.worsened) == 9, "one is too long"
    assert any(w.startswith("9 of 10 paired items count on both sides") for w in found.warnings)
