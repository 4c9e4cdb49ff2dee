"""What the measures of likelihood say to a person. Units and variants are filled in by each."""

from __future__ import annotations

from tuneval.scoring.scorer import Reading

PROMPT = Reading(
    title="Prompt perplexity",
    title_zh="提示困惑度",
    unit="perplexity",
    text="How surprising the prompt is to the model. The highest are often garbled, or in a "
    "language that the model hardly knows; the template's words lower all alike.",
    text_zh="模型对提示感到意外的程度。最高的往往是乱码或模型不熟悉的语言；"
    "模板文字会同样拉低所有样本的值。",
    source="PPL(x) of the templated prompt",
)

RESPONSE = Reading(
    title="Response perplexity",
    title_zh="回答困惑度",
    unit="perplexity",
    text="How surprising the response is after its prompt. Very low: boilerplate, or what the "
    "model knows by heart. Very high: noise, another language, or a wrong answer.",
    text_zh="看到提示之后，模型对回答感到意外的程度。很低：套话或模型早已熟记；"
    "很高：噪声、其他语言或错误回答。",
    source="PPL(y|x)",
)

FOLLOWING = Reading(
    title="Instruction-following difficulty (IFD)",
    title_zh="指令跟随难度（IFD）",
    unit="ratio",
    text="Just below 1: the instruction helps little, a hard example that still fits. Above 1: "
    "with the instruction the response is less likely than alone, so the two hardly belong "
    "together. Low: easy, the instruction gives the response away. The papers keep the highest "
    "below 1; some in practice keep the lowest. Code and labels are low by nature: compare within "
    "a task or a language.",
    text_zh="略低于 1：指令帮助不大，属于难但仍匹配的样本。高于 1：给出指令后回答反而更不可能，"
    "二者很可能不匹配。很低：过于容易，指令几乎直接给出了回答。论文保留低于 1 中最高的；"
    "实践中也有人保留最低的。代码和标签类回答天然偏低，请在同一任务或语言内比较。",
    neutral=1.0,
)

GENERATION = Reading(
    title="Instruction-generation difficulty (reversed IFD)",
    title_zh="指令生成难度（反向 IFD）",
    unit="ratio",
    text="Low: the response tells what was asked, so the two belong together. Above 1: the "
    "response makes its instruction less likely. A check of the pair: Selective "
    "Reflection-Tuning prefers the lower.",
    text_zh="低：从回答可以看出问了什么，二者匹配。高于 1：给出回答后指令反而更不可能。"
    "用于检查指令与回答是否匹配：Selective Reflection-Tuning 偏好较低者。",
    neutral=1.0,
)

ONE_SHOT = Reading(
    title="One-shot validity",
    title_zh="单样本有效性",
    unit="score",
    text="Above 0: shown as an example, it makes more answers of its task likelier than it makes "
    "unlikelier. It rests on few others of the task, so it is coarse.",
    text_zh="大于 0：作为示例时，它让同一任务中更多的回答变得更可能。"
    "此值只基于同一任务的少数其他样本，因此较粗略。",
    source="after nuggets (Li et al. 2023), which counts likelier answers in [0, 1]",
    neutral=0.0,
)
