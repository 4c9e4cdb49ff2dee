"""The metrics, one row each, chosen by name; a folder or file for each family.

`load_metric("rouge-l")`, `load_metric("json_field:intent")`: a row that wants to know of what
takes it after a colon. `catalog()` gives what there is to know of every row.
A plugin adds rows through the entry-point group `tuneval.metric`.
May import: statistics, catalog, extras, errors. No torch.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from tuneval.catalog import Catalog
from tuneval.errors import UsageError
from tuneval.evaluation.kinds.argument import OfArgument

if TYPE_CHECKING:
    from tuneval.evaluation.metric import About, Metric

_HERE = "tuneval.evaluation.metrics"
METRICS = Catalog(
    "metric",
    {
        "response_perplexity": f"{_HERE}.likelihood:RESPONSE_PERPLEXITY",
        "token_accuracy": f"{_HERE}.likelihood:TOKENS_RIGHT",
        "token_accuracy_sample_mean": f"{_HERE}.likelihood:TOKENS_RIGHT_BY_ITEM",
        "token_accuracy_whole_sequence": f"{_HERE}.likelihood:TOKENS_RIGHT_WITH_PROMPT",
        "choice_accuracy": f"{_HERE}.multiple_choice:CHOICE_ACCURACY",
        "choice_accuracy_by_characters": f"{_HERE}.multiple_choice:CHOICE_ACCURACY_BY_CHARACTERS",
        "choice_accuracy_by_bytes": f"{_HERE}.multiple_choice:CHOICE_ACCURACY_BY_BYTES",
        "accuracy": f"{_HERE}.classification:ACCURACY",
        "precision_micro": f"{_HERE}.classification:PRECISION_MICRO",
        "precision_macro": f"{_HERE}.classification:PRECISION_MACRO",
        "precision_weighted": f"{_HERE}.classification:PRECISION_WEIGHTED",
        "recall_micro": f"{_HERE}.classification:RECALL_MICRO",
        "recall_macro": f"{_HERE}.classification:RECALL_MACRO",
        "recall_weighted": f"{_HERE}.classification:RECALL_WEIGHTED",
        "f1_micro": f"{_HERE}.classification:F1_MICRO",
        "f1_macro": f"{_HERE}.classification:F1_MACRO",
        "f1_weighted": f"{_HERE}.classification:F1_WEIGHTED",
        "roc_auc": f"{_HERE}.roc_auc:ROC_AUC",
        "confusion_matrix": f"{_HERE}.classification:CONFUSION_MATRIX",
        "mse": f"{_HERE}.regression:MSE",
        "rmse": f"{_HERE}.regression:RMSE",
        "mae": f"{_HERE}.regression:MAE",
        "r2": f"{_HERE}.regression:R2",
        "hamming_loss": f"{_HERE}.multi_label:HAMMING_LOSS",
        "jaccard": f"{_HERE}.multi_label:JACCARD",
        "ndcg": f"{_HERE}.ranking:NDCG",
        "map": f"{_HERE}.ranking:MAP",
        "mrr": f"{_HERE}.ranking:MRR",
        "ece": f"{_HERE}.calibration:ECE",
        "brier": f"{_HERE}.calibration:BRIER",
        "sensitivity": f"{_HERE}.medicine:SENSITIVITY",
        "specificity": f"{_HERE}.medicine:SPECIFICITY",
        "auc": f"{_HERE}.medicine:AUC",
        "cumulative_return": f"{_HERE}.finance:CUMULATIVE_RETURN",
        "sharpe_ratio": f"{_HERE}.finance:SHARPE_RATIO",
        "max_drawdown": f"{_HERE}.finance:MAX_DRAWDOWN",
        "iou": f"{_HERE}.vision:IOU",
        "map_boxes": f"{_HERE}.detection:MAP_BOXES",
        "text_perplexity": f"{_HERE}.text_likelihood:TEXT_PERPLEXITY",
        "word_perplexity": f"{_HERE}.text_likelihood:WORD_PERPLEXITY",
        "bits_per_byte": f"{_HERE}.text_likelihood:BITS_PER_BYTE",
        "bits_per_character": f"{_HERE}.text_likelihood:BITS_PER_CHARACTER",
        "exact_match": f"{_HERE}.generation.exact_match:EXACT_MATCH",
        "token_f1": f"{_HERE}.generation.token_f1:TOKEN_F1",
        "rouge-1": f"{_HERE}.generation.texts:ROUGE_1",
        "rouge-2": f"{_HERE}.generation.texts:ROUGE_2",
        "rouge-l": f"{_HERE}.generation.texts:ROUGE_L",
        "rouge_words": f"{_HERE}.generation.rouge_words:ROUGE_WORDS",
        "bleu-1": f"{_HERE}.generation.texts:BLEU_1",
        "bleu-2": f"{_HERE}.generation.texts:BLEU_2",
        "bleu-3": f"{_HERE}.generation.texts:BLEU_3",
        "bleu-4": f"{_HERE}.generation.texts:BLEU_4",
        "sacrebleu": f"{_HERE}.generation.corpus_bleu:SACREBLEU",
        "chrf": f"{_HERE}.generation.chrf:CHRF",
        "meteor": f"{_HERE}.generation.meteor:METEOR",
        "bertscore": f"{_HERE}.generation.bertscore:BERTSCORE",
        "distinct": f"{_HERE}.generation.distinct:DISTINCT",
        "repetition": f"{_HERE}.generation.distinct:REPETITION",
        "rule_passed": f"{_HERE}.checks:RULE_PASSED",
        "capability": f"{_HERE}.checks:CAPABILITY",
        "judge_score": f"{_HERE}.checks:JUDGE_SCORE",
        "cohen_kappa": f"{_HERE}.agreement:COHEN_KAPPA",
        "json_valid": f"{_HERE}.json_fields:JSON_VALID",
        "json_field": f"{_HERE}.json_fields:JSON_FIELD",
        "json_field_f1": f"{_HERE}.json_fields:JSON_FIELD_F1",
        "answer_official": f"{_HERE}.extraction:ANSWER_OFFICIAL",
        "answer_strict": f"{_HERE}.extraction:ANSWER_STRICT",
        "answer_lenient": f"{_HERE}.extraction:ANSWER_LENIENT",
        "unparsed": f"{_HERE}.extraction:UNPARSED",
        "answer_range": f"{_HERE}.extraction:ANSWER_RANGE",
        "regex_present": f"{_HERE}.patterns:REGEX_PRESENT",
        "regex_absent": f"{_HERE}.patterns:REGEX_ABSENT",
        "prompt_level_strict_acc": f"{_HERE}.instructions:PROMPT_STRICT",
        "prompt_level_loose_acc": f"{_HERE}.instructions:PROMPT_LOOSE",
        "inst_level_strict_acc": f"{_HERE}.instructions:INSTRUCTION_STRICT",
        "inst_level_loose_acc": f"{_HERE}.instructions:INSTRUCTION_LOOSE",
        "train_seconds": f"{_HERE}.efficiency:TRAIN_SECONDS",
        "seconds_to_first_token": f"{_HERE}.efficiency:SECONDS_TO_FIRST_TOKEN",
        "tokens_per_second": f"{_HERE}.efficiency:TOKENS_PER_SECOND",
        "peak_memory": f"{_HERE}.efficiency:PEAK_MEMORY",
        "energy": f"{_HERE}.efficiency:ENERGY",
        "robustness_drop": f"{_HERE}.robustness:ROBUSTNESS_DROP",
        "worst_case": f"{_HERE}.robustness:WORST_CASE",
        "combined": f"{_HERE}.combined:COMBINED",
        "expression": f"{_HERE}.expressions:EXPRESSION",
        "item_expression": f"{_HERE}.expressions:ITEM_EXPRESSION",
        "lm_eval": f"{_HERE}.lm_eval:ROW",
        "lm_eval_loss": f"{_HERE}.lm_eval:LOSS_ROW",
    },
)
TEXT_METRICS = ("rouge-1", "rouge-2", "rouge-l", "bleu-4")
"""What LLaMA-Factory tells of predictions; every evaluation of a file with answers has them."""


def load_metric(text: str) -> Metric:
    """The metric called `text`, with its argument if it takes one. Raises UsageError."""
    name, colon, argument = text.partition(":")
    row: Metric | OfArgument = METRICS.load(name)
    if isinstance(row, OfArgument):
        wanted = argument or row.default
        if wanted is None:
            raise UsageError(
                f"The metric '{name}' needs to know of what.",
                mend=f"write '{name}:<{row.argument}>'",
            )
        metric = row.make(wanted)
        return metric if argument else _called(name, metric)
    if colon:
        raise UsageError(
            f"The metric '{name}' takes nothing after a colon.", mend=f"write '{name}'"
        )
    return row


def names_in(text: str) -> list[str]:
    """The metrics in a list with commas; a comma after a colon may belong to an argument.

    It ends one where a metric's name follows: `regex_present:a{2,3},exact_match` are two. A
    formula goes on until its brackets are closed: `expression:max(accuracy,f1_macro)` is one.
    """
    names: list[str] = []
    for part in text.split(","):
        follows = part.strip().partition(":")[0] in METRICS
        if names and (_is_open(names[-1]) or (":" in names[-1] and not follows)):
            names[-1] += f",{part}"
        else:
            names.append(part.strip())
    return [name for name in names if name]


def _is_open(name: str) -> bool:
    """Whether a metric's name ends within the brackets of its formula."""
    is_formula = name.partition(":")[0] in ("combined", "expression", "item_expression")
    return is_formula and name.count("(") > name.count(")")


def _called(name: str, metric: Metric) -> Metric:
    """The same metric under the short name by which it was asked for."""
    return cast("Metric", replace(cast("Any", metric), about=replace(metric.about, name=name)))


def catalog() -> list[About]:
    """What there is to know of every row, in the table's order."""
    return [METRICS.load(name).about for name in METRICS]
