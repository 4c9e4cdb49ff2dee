"""What the numbers of a report do not say."""

from __future__ import annotations

from collections.abc import Iterator

from tuneval.evaluation.comparing.compare import Comparison
from tuneval.evaluation.metrics.likelihood import TEACHER_FORCED
from tuneval.pages.text import Text

_ONE_TRAINING = Text(
    "One training run with one seed. The intervals cover the choice of items, not the luck of a "
    "seed; train with a few seeds before a close decision.",
    "只有一次训练、一个随机种子。区间反映的是样本的偶然性，不含种子的运气；差距不大时请多换几个种子。",
)
_EACH_TRAINED_ONCE = Text(
    "Every training ran once, with one seed. The intervals cover the choice of items, not the luck "
    "of a seed; train with a few seeds before a close decision.",
    "每次训练只有一个随机种子。区间反映的是样本的偶然性，不含种子的运气；"
    "差距不大时请多换几个种子。",
)
_SAME_SOURCE = Text(
    "The held-out items come from the same source as the training data. On other material "
    "the change may be smaller, larger or the other way.",
    "留出样本与训练数据同源；换成别的材料，变化可能更小、更大甚至相反。",
)
_GREEDY = Text(
    "Answers are greedy (no sampling), unless a note below says otherwise. Other abilities of the "
    "model were not tested and may have suffered.",
    "回答采用贪心解码（不采样），除非下文另有说明。模型的其他能力未经测试，可能有所下降。",
)
_LIKELIHOOD_ONLY = Text(
    "Only the likelihood of the true answers is compared, not what the models would say. Other "
    "abilities of the model were not tested and may have suffered.",
    "只比较了标准答案的似然，而不是模型会如何回答。模型的其他能力未经测试，可能有所下降。",
)
_OVERLAP = Text(
    "ROUGE and BLEU follow LLaMA-Factory's procedure for comparability; on short answers "
    "they say little (a perfect answer of one word has a ROUGE-2 of 0).",
    "ROUGE 与 BLEU 按 LLaMA-Factory 的步骤计算以便对照；对短答案参考价值有限"
    "（单个词的满分答案 ROUGE-2 也是 0）。",
)


def limits(*comparisons: Comparison, trained: bool) -> Iterator[Text]:
    """What the numbers of one comparison, or of several, do not say.

    `trained`: the models were, in the experiment that is told of.
    """
    metrics = {row.metric for comparison in comparisons for row in comparison.rows}
    if trained:
        yield _ONE_TRAINING if len(comparisons) == 1 else _EACH_TRAINED_ONCE
        yield _SAME_SOURCE
    tuned = {c.b for c in comparisons}
    for name in dict.fromkeys(c.a for c in comparisons if trained and c.a not in tuned):
        yield Text(
            f"Both models got the same prompt. “{name}” was not given examples or a prompt "
            "tuned for it, which might have helped it.",
            f"两个模型使用相同的提示。“{name}”没有示例，也没有为它优化提示；那样它的表现可能更好。",
        )
    yield _LIKELIHOOD_ONLY if metrics <= set(TEACHER_FORCED) else _GREEDY
    if metrics & {"rouge-2", "bleu-4"}:
        yield _OVERLAP
    for warning in dict.fromkeys(w for c in comparisons for w in c.warnings):
        yield Text(f"Note: {warning}.", f"注意：{warning}。")
