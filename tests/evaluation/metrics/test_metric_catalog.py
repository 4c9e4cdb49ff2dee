"""The catalog of metrics: whole, light, and told alike on the page, in reports and the terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from tuneval.cli.main import main
from tuneval.evaluation.catalogs.metric_names import metric_meaning, metric_name, reading_order
from tuneval.evaluation.catalogs.metric_pages import (
    PAGES,
    markdown_table,
    metric_rows,
    metrics_page,
    write_pages,
)
from tuneval.evaluation.metric import Family, Need
from tuneval.evaluation.metrics import METRICS, catalog

DOCS = Path(__file__).parents[3] / "docs"
FAMILIES = {
    "classification": "accuracy precision_macro recall_micro f1_weighted roc_auc confusion_matrix",
    "regression": "mse rmse mae r2",
    "generation": "bleu-1 bleu-4 sacrebleu chrf rouge-1 rouge-2 rouge-l meteor bertscore "
    "exact_match token_f1 distinct",
    "likelihood": "text_perplexity bits_per_byte response_perplexity",
    "patterns": "regex_present regex_absent",
    "multi-label": "hamming_loss jaccard",
    "ranking": "ndcg map mrr",
    "calibration": "ece brier",
    "efficiency": "train_seconds seconds_to_first_token tokens_per_second peak_memory energy",
    "robustness": "robustness_drop worst_case",
    "medicine": "sensitivity specificity auc",
    "finance": "cumulative_return sharpe_ratio max_drawdown",
    "vision": "iou map_boxes",
    "combined": "combined expression item_expression mean_rank borda",
}


@pytest.mark.parametrize("page", PAGES)
def test_the_page_is_what_the_catalog_says(page: str) -> None:
    assert (DOCS / page).read_text(encoding="utf-8") == PAGES[page](), (
        "write it again: python -m tuneval.evaluation.catalogs.metric_pages docs"
    )


def test_pages_are_written_whole(tmp_path: Path) -> None:
    write_pages(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(PAGES)
    assert (tmp_path / "metrics.md").read_text(encoding="utf-8") == metrics_page()


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    assert markdown_table(("a",), [("x|y",)]) == "| a |\n| --- |\n| x\\|y |"


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_the_metrics_that_it_is_known_for(family: str) -> None:
    there = {row.about.name for row in metric_rows() if row.about.family == family}
    assert set(FAMILIES[family].split()) - there == set()


def test_every_row_says_all_that_a_person_must_know() -> None:
    for about in catalog():
        assert about.family in get_args(Family), about.name
        assert about.needs, about.name
        assert set(about.needs) <= set(get_args(Need)), about.name
        least, most = about.range
        assert least < most, about.name
        for text in (about.source, about.use, about.avoid):
            assert text, about.name
            assert not text.endswith("."), f"{about.name}: {text}"


def test_every_metric_has_a_name_and_a_meaning_in_both_languages() -> None:
    own = [row.about.name for row in metric_rows()]
    without = [name for name in own if not all((*metric_name(name), *metric_meaning(name)))]
    unnamed = [name for name in own if reading_order(name) == reading_order("nobody's")]
    assert (without, unnamed) == ([], [])
    assert metric_meaning("a_plugins_metric") == ("", "")
    assert metric_name("json_field:intent").en == "Intent right"
    assert metric_name("distinct:2") == ("Distinct n-grams: 2", "不重复片段占比：2")


def test_listing_metrics_imports_nothing_heavy() -> None:
    code = (
        "import sys; from tuneval.cli.main import main; main(['metrics', '--json']);"
        "heavy = {'torch', 'transformers', 'sklearn', 'scipy', 'jieba', 'nltk', 'sacrebleu',"
        " 'pycocotools', 'pandas'};"
        "print('HEAVY', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    )
    listed, _, heavy = done.stdout.rpartition("HEAVY ")
    assert heavy.strip() == "[]"
    rows = json.loads(listed)
    assert {row["name"] for row in rows} == {*METRICS, "mean_rank", "borda"}
    assert all(row["source"] and row["unit"] is not None for row in rows)


def test_one_metric_is_told_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["metrics", "distinct:3"]) == 0
    said = capsys.readouterr().out
    for text in ("Li et al. (2016)", "不重复片段占比", "distinct:1; 2 unless given", "0 to 1"):
        assert text in said, text
    assert main(["metrics", "mean_rank", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["over"] == "systems"


def test_a_family_is_listed_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["metrics", "--family", "patterns"]) == 0
    said = capsys.readouterr().out
    assert "regex_present:<pattern>" in said
    assert "2 metrics" in said


@pytest.mark.parametrize(
    ("arguments", "near"),
    [(["metrics", "rouge"], "'rouge-l'"), (["metrics", "--family", "visions"], "'vision'")],
)
def test_an_unknown_name_is_answered_with_the_near_one(
    arguments: list[str], near: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert near in capsys.readouterr().err
