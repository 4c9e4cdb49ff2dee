"""What metrics are called and what they mean, in English and Chinese."""

from __future__ import annotations

from tuneval.pages.text import Text

_NAMES = {
    "exact_match": Text("Exact match", "完全匹配"),
    "json_valid": Text("Valid JSON", "JSON 有效"),
    "json_field": Text("Field right", "字段正确"),
    "json_field_f1": Text("Field macro-F1", "字段宏平均 F1"),
    "response_perplexity": Text("Response perplexity", "回答困惑度"),
    "token_accuracy": Text("Token accuracy", "词元准确率"),
    "token_accuracy_sample_mean": Text("Token accuracy, item mean", "词元准确率（逐条平均）"),
    "token_accuracy_whole_sequence": Text(
        "Token accuracy, prompt included", "词元准确率（含提示）"
    ),
    "rouge-1": Text("ROUGE-1", "ROUGE-1"),
    "rouge-2": Text("ROUGE-2", "ROUGE-2"),
    "rouge-l": Text("ROUGE-L", "ROUGE-L"),
    "bleu-4": Text("BLEU-4", "BLEU-4"),
}
_MEANINGS = {
    "response_perplexity": Text(
        "how surprised the model is by the true answer, per token; lower is better",
        "模型对标准答案每个词元的“意外”程度；越低越好",
    ),
    "token_accuracy": Text(
        "share of true answer tokens that are the model's first choice",
        "标准答案词元中，模型首选即正确的比例",
    ),
    "token_accuracy_sample_mean": Text("the same, averaged item by item", "同上，先逐条计算再平均"),
    "token_accuracy_whole_sequence": Text(
        "counts prompt tokens too: a common mistake, shown to be known",
        "把提示词元也算进来：常见错误，仅供对照",
    ),
    "exact_match": Text(
        "the answer is the reference, character by character", "答案与参考逐字相同"
    ),
    "json_valid": Text(
        "the answer is one JSON object and nothing else", "答案恰好是一个 JSON 对象"
    ),
    "json_field": Text("the field has the reference's value", "该字段的值与参考相同"),
    "json_field_f1": Text(
        "F1 of each value, averaged: rare values count as much as common ones",
        "各取值 F1 的平均：罕见取值与常见取值同等重要",
    ),
    "rouge-1": Text("words shared with the reference, 0 to 100", "与参考共有的词，0 到 100"),
    "rouge-2": Text("word pairs shared with the reference", "与参考共有的相邻词对"),
    "rouge-l": Text("longest common sequence of words", "最长公共词序列"),
    "bleu-4": Text("runs of up to four characters shared", "与参考共有的至多四字片段"),
}


def metric_name(metric: str) -> Text:
    """The metric's name for a reader; a field's name stands before it."""
    kind, _, argument = metric.partition(":")
    name = _NAMES.get(kind, Text(kind, kind))
    if not argument:
        return name
    if kind == "json_field":
        return Text(f"{argument.capitalize()} right", f"{argument} 正确")
    if kind == "json_field_f1":
        return Text(f"{argument.capitalize()} macro-F1", f"{argument} 宏平均 F1")
    return Text(f"{name.en}: {argument}", f"{name.zh}：{argument}")


def metric_meaning(metric: str) -> Text:
    """One line on what the metric measures; empty when it is a plugin's."""
    return _MEANINGS.get(metric.partition(":")[0], Text("", ""))


def reading_order(metric: str) -> int:
    """Sort key: what a person asks first comes first, overlap of words and plugins' last."""
    kind = metric.partition(":")[0]
    return list(_NAMES).index(kind) if kind in _NAMES else len(_NAMES)
