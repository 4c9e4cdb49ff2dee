from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml

from tuneval.errors import DataError
from tuneval.evaluation.answering.forms import Form
from tuneval.evaluation.extraction import extract
from tuneval.evaluation.metrics import load_metric
from tuneval.evaluation.task import Questions
from tuneval.evaluation.tasks import task_from
from tuneval.evaluation.tasks.gsm8k import in_words

ROWS = [
    {
        "question": f"Ann has {n} pens and buys {n} more. How many are there?",
        "answer": f"She buys {n} pens\nThere are {n} + {n} = <<{n}+{n}={2 * n}>>{2 * n} pens.\n"
        f"#### {2 * n}",
    }
    for n in range(1, 12)
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, rows in (("train", ROWS[:9]), ("test", ROWS[9:])):
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / f"{name}.jsonl").write_text(lines)
    return tmp_path


@pytest.fixture
def real_data() -> Path:
    folder = os.environ.get("TUNEVAL_TEST_DATA")
    if not folder:
        pytest.skip("TUNEVAL_TEST_DATA does not name a folder of real data files")
    return Path(folder) / "gsm8k"


def load(path: Path, **options: object) -> Questions:
    return task_from({"kind": "gsm8k", "path": str(path), **options}).load()


def test_the_usual_protocol_shows_five_solutions_from_the_train_set(folder: Path) -> None:
    asked = load(folder)
    first = asked.questions[0]

    assert asked.protocol == "gsm8k/lm-eval/5-shot/plain"
    assert first.shots[0] == f"Question: {ROWS[0]['question']}\nAnswer: {ROWS[0]['answer']}\n\n"
    assert len(first.shots) == 5
    assert first.prompt == f"Question: {ROWS[9]['question']}\nAnswer:"
    assert (first.reference, first.fields) == ("20", {"reference_number": 20.0})
    assert asked.demonstrations == tuple(row["question"] for row in ROWS[:5])
    assert asked.metrics == ("answer_official", "answer_lenient", "unparsed")


def test_other_demonstrations_are_drawn_by_a_seed(folder: Path) -> None:
    by_seed = [load(folder, shots=3, shot_seed=seed) for seed in range(8)]
    drawn = [asked.demonstrations for asked in by_seed]

    assert by_seed[3].protocol == "gsm8k/lm-eval/3-shot-drawn-3/plain"
    assert load(folder, shots=3, shot_seed=3).questions == by_seed[3].questions
    assert len(set(drawn)) > 4
    assert all(len(set(shown)) == 3 for shown in drawn)
    assert len({shown for some in drawn for shown in some}) > 5, "from the whole file"
    with pytest.raises(DataError, match="10 demonstrations are wanted"):
        load(folder, shots=10, shot_seed=1)


def test_the_official_protocol_is_the_problem_alone(folder: Path) -> None:
    question = load(folder, protocol="official").questions[0]

    assert (question.prompt, question.shots) == (ROWS[9]["question"] + "\n", ())


def test_worked_solutions_are_put_into_words(folder: Path) -> None:
    question = load(folder, protocol="chain-of-thought", shots=1).questions[0]

    assert question.shots == (
        f"Q: {ROWS[0]['question']}\nA: She buys 1 pens. There are 1 + 1 = 2 pens. "
        "The answer is 2.\n\n",
    )
    assert in_words("So it is 6. The answer is 6.") == "So it is 6. The answer is 6."


def test_a_boxed_answer_is_asked_for_in_a_chat(folder: Path) -> None:
    asked = load(folder, protocol="boxed")

    assert asked.protocol == "gsm8k/boxed/0-shot/chat"
    (message,) = asked.questions[0].prompt
    assert message.content.endswith(  # type: ignore[union-attr]
        "\nPlease reason step by step, and put your final answer within \\boxed{}."
    )
    found = extract(asked.questions[0].extractor or "", r"so \boxed{20}", item_id="1")
    assert found["strict"] == "20"
    for name in asked.metrics:
        load_metric(name)


def test_a_chat_has_each_demonstration_as_two_turns(folder: Path) -> None:
    question = load(folder, chat=True, shots=1).questions[0]
    (user, assistant) = question.shots[0]

    assert (user.role, assistant.role) == ("user", "assistant")  # type: ignore[union-attr]
    assert assistant.content == ROWS[0]["answer"]  # type: ignore[union-attr]


def test_missing_demonstrations_and_numbers_are_told(folder: Path) -> None:
    with pytest.raises(DataError, match="10 demonstrations are wanted, and the file has 9"):
        load(folder, shots=10)

    (folder / "train.jsonl").unlink()
    with pytest.raises(DataError, match=r"no train\.jsonl"):
        load(folder)
    assert len(load(folder / "test.jsonl", shots=0).questions) == 2

    (folder / "test.jsonl").write_text('{"question": "x", "answer": "#### many"}\n')
    with pytest.raises(DataError, match="No number stands after ####"):
        load(folder, shots=0)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("file", "protocol"), [("gsm8k.yaml", "lm-eval"), ("gsm8k-cot.yaml", "chain-of-thought")]
)
def test_prompts_are_those_of_lm_eval(real_data: Path, tmp_path: Path, file, protocol) -> None:
    """lm-eval's own task, with the first demonstrations instead of drawn ones."""
    lm_eval = pytest.importorskip("lm_eval", reason="lm-eval is not installed")
    from datasets import Dataset, DatasetDict
    from lm_eval.api.task import ConfigurableTask

    config = yaml.safe_load((Path(lm_eval.__file__).parent / "tasks/gsm8k" / file).read_text())
    rows = {
        split: [json.loads(line) for line in (real_data / name).read_text().splitlines()]
        for split, name in (("train", "train-head64.jsonl"), ("test", "test.jsonl"))
    }
    options = {}
    if "fewshot_config" in config:
        shown = tmp_path / "eight.jsonl"
        shown.write_text("".join(json.dumps(r) + "\n" for r in config["fewshot_config"]["samples"]))
        options = {"demonstrations": str(shown)}
    else:
        config["fewshot_config"] = {"sampler": "first_n"}
    config["custom_dataset"] = lambda **_: DatasetDict(
        {split: Dataset.from_list(some) for split, some in rows.items()}
    )
    theirs = ConfigurableTask(config=config)
    ours = load(real_data, protocol=protocol, **options).questions
    number = config["num_fewshot"]
    for question, row in list(zip(ours, rows["test"], strict=True))[:40]:
        assert Form.whole(question, None).text == theirs.fewshot_context(row, number)
    assert list(ours[0].stop) == config["generation_kwargs"]["until"]


def test_every_reference_solution_is_read_as_its_number(real_data: Path) -> None:
    rows = [json.loads(line) for line in (real_data / "test.jsonl").read_text().splitlines()]
    questions = load(real_data).questions

    assert len(questions) == 1319
    for question, row in zip(questions, rows, strict=True):
        found = extract("gsm8k", row["answer"], item_id=question.id)
        assert set(found.values()) == {question.reference}
