"""The page's record: how answers came about, training, data, environment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any

from tuneval.evaluation.metrics.likelihood import TOKEN_ACCURACY, WHOLE_SEQUENCE
from tuneval.evaluation.record import EvaluationResult
from tuneval.evaluation.report.facts import DataCard, ReportFacts
from tuneval.evaluation.report.loss_chart import loss_chart
from tuneval.evaluation.report.markup import share_bar
from tuneval.evaluation.report.numbers import estimate_text
from tuneval.pages import markup as m
from tuneval.pages.markup import Html
from tuneval.pages.numbers import duration_text
from tuneval.pages.text import Text

GENERATED = Text("answers generated", "生成的回答")
CUT = Text("cut at the length limit", "因长度上限被截断")


def answers_section(evaluations: Mapping[str, EvaluationResult]) -> Html:
    """How the answers came about, what was left out, and the three countings of tokens."""
    if not evaluations:
        return ""
    lines: list[tuple[Text, Any]] = [
        (Text("items", "样本数"), lambda r: f"{r.n_items:,}"),
        (
            Text("response tokens measured", "测得的回答词元"),
            lambda r: f"{r.counts.get('response_tokens', 0):,}",
        ),
        (Text("token accuracy, response only", "词元准确率（仅回答）"), _metric(TOKEN_ACCURACY)),
        (
            Text("two countings of it agree on", "两种计数一致的样本"),
            lambda r: (
                f"{r.counts.get('alignment_agrees', 0)} / {r.counts.get('teacher_forced', 0)}"
            ),
        ),
        (
            Text("with prompt tokens too (a mistake)", "误把提示词元算入时"),
            _metric(WHOLE_SEQUENCE),
        ),
        (GENERATED, lambda r: f"{r.counts.get('generated', 0):,}"),
        (CUT, lambda r: f"{r.counts.get('cut_by_length', 0):,}"),
        (Text("left out, with reason", "未计入（及原因）"), _left_out),
        (Text("time", "用时"), lambda r: duration_text(sum(r.seconds.values()))),
    ]
    if not any(r.counts.get("generated") for r in evaluations.values()):
        lines = [line for line in lines if line[0] not in (GENERATED, CUT)]
    rows = [[m.both(name), *(tell(r) for r in evaluations.values())] for name, tell in lines]
    note = Text(
        "Token accuracy has to be counted over the answer alone. Counting the prompt too, as is "
        "often done by mistake, gives another number, shown here so that the gap is seen.",
        "词元准确率只应统计回答部分。若误把提示也算入，会得到另一个数字；在此列出以便看清差距。",
    )
    return m.section(
        "answers",
        Text("How the answers were obtained", "答案如何得到"),
        m.table(["", *evaluations], rows, css="record"),
        f'<p class="soft"><small>{m.both(note)}</small></p>',
    )


def _metric(name: str) -> Any:
    def tell(result: EvaluationResult) -> Html:
        found = result.metrics.get(name)
        if found is None or found.estimate is None:
            return "–"
        return f'<span class="nowrap">{estimate_text(found.estimate)}</span>'

    return tell


def _left_out(result: EvaluationResult) -> Html:
    reasons = [f"{count} · {why}" for way in result.skipped.values() for why, count in way.items()]
    unscored = {
        f"{count} · {metric}: {why}"
        for metric, found in result.metrics.items()
        for why, count in found.unscored.items()
    }
    return "<br>".join(escape(text) for text in [*reasons, *sorted(unscored)][:8]) or "0"


def training_section(facts: ReportFacts) -> Html:
    """The loss curve, and what was trained on what."""
    chart = loss_chart(facts.loss_log)
    key = (
        f'<div class="key"><span><span class="dot tuned"></span>'
        f"{m.both(Text('loss (thick: running mean)', '损失（粗线：滑动平均）'))}</span>"
        f'<span><span class="dot rate"></span>'
        f"{m.both(Text('learning rate, to its own scale', '学习率（独立刻度）'))}</span></div>"
    )
    panel = f'<div class="panel">{key}{chart}</div>' if chart else ""
    return m.section(
        "training",
        Text("Training", "训练"),
        panel,
        m.facts(training_rows(facts.training or {}, facts.tokens, facts.method)),
    )


def training_rows(
    t: Mapping[str, Any], tokens: Mapping[str, Any] | None, method: str | None = None
) -> list[tuple[Text | str, Html]]:
    """Names and values of a training; a value that is not known is empty."""
    trainable, total = t.get("trainable_parameters"), t.get("total_parameters")
    parameters = (
        f"{trainable:,} / {total:,} ({trainable / total:.2%})" if trainable and total else ""
    )
    return [
        (Text("method", "方法"), escape(str(method or t.get("kind", "")))),
        (Text("trained parameters", "可训练参数"), parameters),
        (Text("steps", "步数"), _number(t.get("steps"), ",")),
        (Text("mean training loss", "平均训练损失"), _number(t.get("train_loss"), ".3f")),
        *_probe_facts(t.get("held_out")),
        (Text("time", "用时"), duration_text(t["seconds"]) if "seconds" in t else ""),
        (Text("tokens per second", "词元/秒"), _number(t.get("tokens_per_second"), ",.0f")),
        (Text("floating-point operations", "浮点运算次数"), _number(t.get("flops"), ".3g")),
        (Text("peak memory, GiB", "峰值内存（GiB）"), _divided(t.get("peak_memory_bytes"), 2**30)),
        (Text("energy, Wh", "能耗（Wh）"), _divided(t.get("energy_joules"), 3600)),
        *_token_facts(tokens),
    ]


def _probe_facts(probe: Mapping[str, Any] | None) -> list[tuple[Text | str, Html]]:
    if not probe:
        return []
    loss = f"{probe['loss']:.3f} ({_number(probe['perplexity'], '.4g')})"
    return [
        (Text("probe: loss (perplexity)", "探测集：损失（困惑度）"), loss),
        (Text("weights kept: of step", "保留权重的步数"), _number(probe["step"], ",")),
    ]


def _divided(value: Any, unit: float) -> str:
    return "" if value is None else f"{value / unit:.3g}"


def _token_facts(tokens: Mapping[str, Any] | None) -> list[tuple[Text | str, Html]]:
    if not tokens:
        return []
    total, trained = tokens.get("tokens", 0), tokens.get("trained_tokens", 0)
    share = f" ({trained / total:.1%})" if total else ""
    cut = {part: count for part, count in tokens.get("truncated", {}).items() if count}
    unusable = tokens.get("unusable", [])
    reasons = sorted({str(row.get("reason", "")) for row in unusable})
    return [
        (Text("training examples", "训练样本"), _number(tokens.get("examples"), ",")),
        (Text("tokens", "词元"), _number(total, ",")),
        (Text("tokens that carry loss", "计入损失的词元"), f"{trained:,}{share}"),
        (
            Text("cut to length", "被截短的样本"),
            ", ".join(f"{escape(part)}: {count}" for part, count in cut.items()) or "0",
        ),
        (
            Text("not usable", "不可用的样本"),
            f"{len(unusable)}" + (f": {escape('; '.join(reasons))}" if reasons else ""),
        ),
    ]


def data_section(card: DataCard) -> Html:
    """The data card: file, split, findings, and how labels and languages are spread."""
    sides = list(card.splits)
    splits = " · ".join(
        f"{escape(side.replace('_', ' '))} {n:,}" for side, n in card.splits.items()
    )
    found = ", ".join(
        f"{count} {escape(severity)}{'s' * (count != 1 and severity != 'info')}"
        for severity, count in card.findings.items()
    )
    rules = ", ".join(f"{escape(r)} ({n})" for r, n in list(card.findings_by_rule.items())[:8])
    rows: list[tuple[Text | str, Html]] = [
        (Text("file", "文件"), f"<code>{escape(card.file)}</code>"),
        (Text("examples", "样本"), f"{card.n_examples:,}"),
        (Text("groups", "分组"), _number(card.n_groups, ",")),
        (Text("split", "划分"), splits),
        (
            Text("findings of the check", "检查结果"),
            found or m.both(Text("none", "没有问题")),
        ),
        (Text("by rule", "按规则"), rules),
        (Text("data hash", "数据哈希"), f"<code>{escape(card.data_hash[:16])}</code>"),
    ]
    panels = ""
    for name, values in {**card.tags, **card.fields}.items():
        most = max(sum(counts.values()) for counts in values.values())
        bars = "".join(
            f'<div class="count"><span>{escape(value)}</span>'
            f"{share_bar([counts.get(side, 0) for side in sides], most)}"
            f"<span>{' + '.join(str(counts.get(side, 0)) for side in sides)}</span></div>"
            for value, counts in values.items()
        )
        panels += f'<div class="panel"><h3>{escape(name)}</h3>{bars}</div>'
    key = "".join(
        f'<span><span class="dot part{n}"></span>{escape(side.replace("_", " "))}</span>'
        for n, side in enumerate(sides)
    )
    charts = (
        f'<div class="key" style="margin-top:14px">{key}</div><div class="counts">{panels}</div>'
    )
    return m.section("data", Text("Data", "数据"), m.facts(rows), charts if panels else "")


def reproduce_section(facts: ReportFacts) -> Html:
    """The command, and everything it ran on."""
    environment = dict(facts.environment)
    if environment.get("tuneval_git") == environment.get("git"):
        environment.pop("tuneval_git", None)
    packages = {k: v for k, v in dict(environment.pop("packages", {})).items() if v}
    rows: list[tuple[Text | str, Html]] = [
        (Text("model", "模型"), f"<code>{escape(facts.model)}</code>"),
        (
            Text("chat template", "对话模板"),
            f"<code>{escape(' '.join(filter(None, [facts.template, facts.template_hash])))}</code>",
        ),
        (Text("created", "创建时间"), escape(facts.created[:19].replace("T", " ") + " UTC")),
    ]
    rows += [
        (name.replace("_bytes", "").replace("_", " "), _plain(name, v))
        for name, v in environment.items()
    ]
    chips = "".join(f"<code>{escape(k)} {escape(str(v))}</code>" for k, v in packages.items())
    command = f"<pre>{escape(facts.command)}</pre>" if facts.command else ""
    return m.section(
        "reproduce",
        Text("Environment, and how to do this again", "环境与复现"),
        command,
        m.facts(rows),
        f'<div class="chips">{chips}</div>' if chips else "",
    )


def _plain(name: str, value: Any) -> Html:
    """A value of the environment for a reader."""
    if value in (None, "", [], {}):
        return ""
    if name == "memory_bytes":
        return f"{value / 2**30:.1f} GiB"
    if isinstance(value, Mapping):
        inner = [f"{k.replace('_', ' ')}: {_short(v)}" for k, v in value.items() if v is not None]
        return "<br>".join(escape(text) for text in inner)
    return escape(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _number(value: Any, form: str) -> str:
    return "" if value is None else format(value, form)


def _short(value: Any) -> str:
    """A hash by its first 12 digits; environment.json has all of them."""
    text = str(value)
    return text[:12] if len(text) in (40, 64) and text.isalnum() else text
