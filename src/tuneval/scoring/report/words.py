"""What the report of scores says, in English and Chinese."""

from __future__ import annotations

from tuneval.pages.text import Text

WHAT_TO_KEEP = {
    "ifd": Text(
        "Which end to keep is a choice and not a fact of the data. The papers (Cherry LLM, "
        "Superfiltering) drop what is above 1 and keep the highest of the rest; some in practice "
        "keep the lowest, the easy and clean pairs. Train on either and on a random set of the "
        "same size, and compare.",
        "保留哪一端是一种选择，而非数据本身的事实。论文（Cherry LLM、Superfiltering）剔除高于 1 的"
        "样本，保留其余中最高的；实践中也有人保留最低的，即简单、干净的样本。"
        "请分别训练，并与同样大小的随机子集比较。",
    ),
}
REASONS_ZH = {
    "no_response": ("没有可评分的助手轮次", "补上回答，或去掉该记录"),
    "empty_response": ("回答为空", "补上回答，或去掉该记录"),
    "empty_prompt": ("回答之前没有任何内容", "补上指令"),
    "empty_instruction": ("指令为空", "补上指令"),
    "one_token_response": (
        "回答只有一个词元且其前无内容，单独看无从预测",
        "使用 `unconditional: bos` 或 `header`",
    ),
    "one_token_prompt": ("提示只有一个词元且其前无内容", "使用自带文字的提示模板"),
    "one_token_instruction": (
        "指令只有一个词元且其前无内容，单独看无从预测",
        "使用 `unconditional: bos` 或 `header`",
    ),
    "truncated": (
        "提示占满长度，没有留给被测内容的词元",
        "增大 max_length、换用更长上下文的模型，或缩短记录",
    ),
    "certain_alone": (
        "单独看时模型对该文本完全确定，损失之比没有分母",
        "使用 `ratio: perplexity`",
    ),
    "too_unlikely": (
        "困惑度超出可表示的数值范围",
        "使用 `reduction: sum`，或检查模型是否完整",
    ),
    "no_peer": (
        "同一任务中没有其他样本可与之并列",
        "指定任务字段、减少聚类数，或增加该任务的样本",
    ),
    "tools_need_chat": ("指令模板中没有工具的位置", "使用 `prompts: chat`"),
    "template_refuses": ("对话模板拒绝该对话", "修正角色，或使用 `prompts: instruction`"),
    "no_letters": (
        "提问或回答没有可判断文字的词：只有数字、符号、代码或名称",
        "如本应如此则无需处理",
    ),
    "language_left_open": ("提问涉及语言或翻译，但未说明哪种语言", "在提问中写明语言"),
    "no_embedding": ("没有可嵌入的文本", "补全记录，或去掉它"),
    "no_reason": ("没有记录原因", "重新评分"),
}
HOW_TO_READ = (
    Text(
        "Brackets are 95% intervals: how far the number would move with other examples of the "
        "same kind. They do not cover the choice of model, prompts and template.",
        "方括号为 95% 区间：换成同类的其他样本时数值的变动范围；"
        "不包含模型、提示与模板选择带来的差别。",
    ),
    Text(
        "The mean of perplexities is the geometric one (exp of the mean log-perplexity), and their "
        "axis is logarithmic: a few huge values would hide all others.",
        "困惑度的平均为几何平均（平均对数困惑度取指数），坐标轴取对数：否则少数极大值会掩盖其余。",
    ),
    Text(
        "In the charts, outlined bars lie above the neutral value (the solid line); a pale bar at "
        "an edge holds all that lies beyond it. The dashed line is the median.",
        "图中空心柱位于中性值（实线）之上；边缘的浅色柱包含更远的全部值；虚线为中位数。",
    ),
    Text(
        "Correlations are Spearman's, of ranks, over the examples that have both values. Their "
        "intervals are by Fisher's z with Bonett and Wright's standard error, each for itself: of "
        "many pairs one in twenty misses the truth.",
        "相关为 Spearman 秩相关，基于两个值都有的样本；区间用 Fisher z 与 Bonett–Wright 标准误，"
        "逐对给出：许多对之中约有二十分之一不含真值。",
    ),
    Text(
        "An example without a value is counted with its reason; it is never taken as zero.",
        "没有值的样本会连同原因计数，绝不当作零。",
    ),
    Text(
        "A score says how a model sees an example. Whether choosing by it helps is for training "
        "to show: compare with a random set of the same size.",
        "分数只说明模型如何看待样本。按它挑选是否有用，要靠训练来证明：请与同样大小的随机子集比较。",
    ),
)
ROLES = {
    "system": Text("system", "系统"),
    "user": Text("user", "用户"),
    "assistant": Text("assistant", "助手"),
    "tool": Text("tool", "工具"),
}
SIDES_ZH = {"below": "低于", "above": "高于"}
LOWEST = Text("lowest", "最低")
HIGHEST = Text("highest", "最高")
NO_TASK = Text("(no task)", "（无任务）")


def reason(code: str, known: tuple[str, str]) -> tuple[Text, Text]:
    """Why a value is missing, and what to do; `known` is the English."""
    what, mend = known
    what_zh, mend_zh = REASONS_ZH.get(code, known)
    return Text(what, what_zh), Text(mend, mend_zh)
