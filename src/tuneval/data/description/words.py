"""What a description says in English and Chinese."""

from __future__ import annotations

from tuneval.pages.text import Text

LANGUAGE_NAMES = {
    "zh": Text("Chinese", "中文"),
    "ja": Text("Japanese", "日文"),
    "ko": Text("Korean", "韩文"),
    "en": Text("English", "英文"),
    "latin": Text("other or short, Latin script", "其他或过短（拉丁字母）"),
    "cyrillic": Text("Cyrillic script", "西里尔字母"),
    "greek": Text("Greek script", "希腊字母"),
    "arabic": Text("Arabic script", "阿拉伯字母"),
    "hebrew": Text("Hebrew script", "希伯来字母"),
    "devanagari": Text("Devanagari script", "天城文"),
    "thai": Text("Thai script", "泰文"),
    "other": Text("another script", "其他文字"),
    "mixed": Text("mixed scripts", "混合文字"),
    "none": Text("no letters", "无文字"),
}
KIND_NAMES = {
    "conversation": Text("conversations", "对话"),
    "text": Text("texts", "文本"),
    "preference": Text("preferences", "偏好对"),
    "unpaired_preference": Text("unpaired preferences", "单条偏好"),
}
SIDE_NAMES = {
    "prompt": Text("prompt", "提问"),
    "response": Text("response", "回答"),
    "text": Text("text", "文本"),
}
ROLE_NAMES = {
    "system": Text("system", "系统"),
    "user": Text("user", "用户"),
    "assistant": Text("assistant", "助手"),
    "tool": Text("tool", "工具"),
    "text": Text("text", "文本"),
}
UNIT_NAMES = {
    "tokens": Text("tokens", "词元"),
    "characters": Text("characters", "字符"),
}
HOW_TO_READ = (
    Text(
        "Nothing here is estimated: every number counts the whole set, so none has an interval. "
        "Where a number was drawn from a sample, its n stands beside it.",
        "本页没有估计值：所有数字都是对整个数据集的计数，因此不带区间；"
        "若某个数字来自抽样，旁边会注明 n。",
    ),
    Text(
        "p95 is the least length that 95% of the records do not exceed. In the chart the pale "
        "last bar holds what is longer than 99% of the records.",
        "p95 是 95% 的记录都不超过的最小长度。图中最后一根浅色柱是比 99% 的记录更长的部分。",
    ),
    Text(
        "Tokens are those of the whole record in the model's chat template; the tokens of a role "
        "are those of its text alone. A preference counts with both of its answers.",
        "词元数按模型的对话模板计算整条记录；各角色的词元数只计其文本。偏好对的两个回答都计入。",
    ),
    Text(
        "A word is what stands between white space; a Chinese or Japanese character counts as "
        "one. System turns are no turns here.",
        "词以空白分隔；一个汉字或假名算一个词。系统消息不计入轮次。",
    ),
    Text(
        "Languages are told by script. Of those in Latin letters only English is told, by its "
        "small words; system turns and what follows the first 2,000 characters take no part.",
        "语言按文字判断；使用拉丁字母的语言中只识别英文（依据常用虚词）。"
        "系统消息与前 2,000 字符之后的内容不参与判断。",
    ),
    Text(
        "Copies have the same turns as an earlier record, whatever their group and tags.",
        "重复记录指各轮内容与之前某条完全相同的记录，不论分组与标签。",
    ),
)
