"""Tasks for lm-eval with their data in local files, one of each way that it asks."""

from __future__ import annotations

import json
import os
import textwrap
from functools import partial
from pathlib import Path

import pytest

os.environ["HF_DATASETS_OFFLINE"] = "1"

TASKS = {
    "sums_choice": """
        output_type: multiple_choice
        doc_to_text: "{{question}} Answer:"
        doc_to_choice: "{{choices}}"
        doc_to_target: place
        metric_list:
          - metric: acc
          - metric: acc_norm
          - metric: mcc
        """,
    "sums_last_word": """
        output_type: loglikelihood
        doc_to_text: "{{question}}"
        doc_to_target: " {{answer}}"
        metric_list:
          - metric: perplexity
            aggregation: perplexity
            higher_is_better: false
          - metric: acc
        """,
    "sums_text": """
        output_type: loglikelihood_rolling
        doc_to_text: ""
        doc_to_target: "{{question}} It is {{answer}}."
        metric_list:
          - metric: word_perplexity
          - metric: byte_perplexity
          - metric: bits_per_byte
        """,
    "sums_written": """
        output_type: generate_until
        doc_to_text: "{{question}} Answer:"
        doc_to_target: "{{answer}}"
        generation_kwargs:
          until: ["\\n", "?"]
          max_gen_toks: 12
          do_sample: false
        metric_list:
          - metric: exact_match
        filter_list:
          - name: strict-match
            filter:
              - function: regex
                regex_pattern: "(\\\\d+)\\\\."
              - function: take_first
          - name: flexible-extract
            filter:
              - function: regex
                regex_pattern: "(\\\\d+)"
              - function: take_first
        """,
}
TRAPS = ("3", "12", "0", "7")


@pytest.fixture(scope="session")
def only_these_tasks():
    """lm-eval reads its thousands of YAML files for seconds whenever it is asked."""
    tasks = pytest.importorskip("lm_eval.tasks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks, "TaskManager", partial(tasks.TaskManager, include_defaults=False))
        yield


@pytest.fixture(scope="session")
def task_folder(tmp_path_factory, only_these_tasks) -> Path:
    """A folder for `--include`: YAML and the rows that it names."""
    folder = tmp_path_factory.mktemp("lm_eval_tasks")
    rows = [
        {
            "question": f"What is {n} plus {n + 1}?",
            "answer": str(2 * n + 1),
            "choices": [*TRAPS[: n % 3 + 1], str(2 * n + 1)],
            "place": n % 3 + 1,
        }
        for n in range(12)
    ]
    data = folder / "sums.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    for name, own in TASKS.items():
        common = f"""\
            task: {name}
            dataset_path: json
            dataset_kwargs:
              data_files: {{test: {data}}}
              cache_dir: {folder / "cache"}
            test_split: test
            """
        (folder / f"{name}.yaml").write_text(
            textwrap.dedent(common) + textwrap.dedent(own), encoding="utf-8"
        )
    return folder
