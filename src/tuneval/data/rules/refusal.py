"""Answers that refuse in the words of an assistant: a model learns to refuse from few of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tuneval.data.draft import Draft
from tuneval.data.finding import Finding, clip
from tuneval.data.rule import Rule

_HEAD = 300  # characters: boilerplate stands at the beginning
# One of these stands in every refusal; words are found much faster than patterns.
_WORDS = (
    *("AI", " ai ", "language model", "ssistant", "hatbot", "rtificial", "orry", "pologi"),
    *(
        "nfortunately",
        "人工智能",
        "语言模型",
        "助手",
        "助理",
        "机器人",
        "抱歉",
        "对不起",
        "不好意思",
    ),
)
_speaks_as_ai = re.compile(
    r"\b(?:as|(?:I am|I['’]m)(?: just| only)?) an? (?:AI\b|artificial intelligence|"
    r"(?:large |AI )?language model|virtual assistant|chatbot)"
    r"|(?:作为|我(?:只)?是) ?(?:一?个|一名|一款|一种)? ?(?:大型|大|文字型|文本|语言|虚拟)? ?"
    r"(?:AI|人工智能|语言模型|智能助手|智能助理|(?:聊天)?机器人|助手)",
    re.IGNORECASE,
).search
_cannot = re.compile(
    r"\bI (?:cannot|can ?not|can['’]t|don['’]t|do not)"
    r"|\bI(?: am|['’]m) (?:unable|not (?:able|capable|programmed))"
    r"|\b(?:and|but|so) (?:do not|don['’]t|cannot|can['’]t|am unable)"
    r"|无法|不能|没有(?:能力|办法|权限|情感|感情|个人|身体|实体|[^，。]{0,20}的(?:能力|功能))"
    r"|不具备|没办法",
    re.IGNORECASE,
).search
_refuses = re.compile(
    r"\W*(?:I(?: am|['’]m) (?:\w+ )?sorry|I apologi[sz]e|Sorry|Unfortunately)[,.]?(?: but)?,? "
    r"I (?:cannot|can ?not|can['’]t|am unable to|am not able to) "
    r"(?:\w+ )?(?:assist|help|fulfil|comply|provide|complete|answer|generate|write|engage|create|"
    r"support|do that|process)"
    r"|\W*(?:非常|很|十分|实在)?(?:抱歉|对不起|不好意思)"
    r"[，,。！]?\s?(?:但是?|不过)?，?(?:我|本助手)?(?:目前|现在)?"
    r"(?:(?:无法|不能|没办法|没有办法)(?:为您|为你|给您|给你|直接)?"
    r"(?:回答|提供|满足|完成|帮助|协助|执行|生成|创作|处理|回复|预订|订购|访问)"
    r"|没有[^，。]{0,20}的?(?:能力|功能))",
    re.IGNORECASE,
).match


class Refusal(Rule):
    """refusal.boilerplate (warning)"""

    def see(self, draft: Draft) -> Iterator[Finding]:
        """One warning for each answer to learn from that begins with a refusal."""
        for exchange in draft.exchanges:
            if refuses(exchange.response):
                yield draft.finding(
                    "refusal.boilerplate",
                    f"{exchange.path} refuses: {clip(exchange.response[:_HEAD], 80)}.",
                    mend="remove the record, unless refusing is what it shall teach",
                    path=exchange.path,
                    severity="warning",
                )


def refuses(response: str) -> bool:
    """Whether an answer begins with a refusal."""
    head = response[:_HEAD]
    if not any(word in head for word in _WORDS):
        return False
    return bool((_speaks_as_ai(head) and _cannot(head)) or _refuses(head))
