"""How many kinds of faults the form of an answer has.

Kinds, not places: one open bracket and ten are both one fault of an answer, so that long answers
are not worse for being long. What is right for one reader may be a fault for another; the kinds
are kept to what hardly anybody means to write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from tuneval.data import mojibake
from tuneval.data.rules.control_characters import unseen_characters
from tuneval.data.rules.refusal import refuses
from tuneval.data.rules.template_tokens import template_heading, template_token
from tuneval.data.rules.truncated import IN_CODE, IN_JSON, breaks_off
from tuneval.scoring.form.html import has_html
from tuneval.scoring.form.json_text import begins_as_json, has_broken_json
from tuneval.scoring.form.numbering import restarts
from tuneval.scoring.form.pairs import has_open_bracket, has_open_quote
from tuneval.scoring.form.prose import prose
from tuneval.scoring.form.tables import has_broken_table
from tuneval.scoring.item import ScoringItem
from tuneval.scoring.reasons import Unscored
from tuneval.scoring.scorer import Measured, Reading, Scorer
from tuneval.scoring.setting import Setting


@dataclass(frozen=True)
class Answer:
    """What is looked at; an answer is not empty."""

    prompt: str
    response: str

    @cached_property
    def prose(self) -> str:
        """The response without its code."""
        return prose(self.response)

    @cached_property
    def sentences(self) -> str:
        """The same, empty where the response is JSON, whose brackets and quotes are its own."""
        return "" if begins_as_json(self.response) else self.prose

    @cached_property
    def end(self) -> str | None:
        """How it breaks off."""
        return breaks_off(self.response)


FAULTS: dict[str, Callable[[Answer], bool]] = {
    "code": lambda answer: answer.end == IN_CODE,
    "json": lambda answer: has_broken_json(answer.prompt, answer.response),
    "bracket": lambda answer: has_open_bracket(answer.sentences),
    "quote": lambda answer: has_open_quote(answer.sentences),
    "table": lambda answer: has_broken_table(answer.prompt, answer.prose),
    "numbering": lambda answer: restarts(answer.prose),
    "cut_off": lambda answer: answer.end not in (None, IN_CODE, IN_JSON),
    "refusal": lambda answer: refuses(answer.response),
    "template": lambda answer: bool(template_token(answer.prose) or template_heading(answer.prose)),
    "html": lambda answer: has_html(answer.prompt, answer.prose),
    "encoding": lambda answer: (
        "\ufffd" in answer.response or mojibake.find(answer.response) is not None
    ),
    "unseen": lambda answer: bool(unseen_characters(answer.response)),
}
"""Each kind of fault and whether an answer has it."""


def format_faults(prompt: str, response: str) -> list[str]:
    """The kinds of faults of an answer, in the order of FAULTS; none of an empty one."""
    if not response.strip():
        return []
    answer = Answer(prompt, response)
    return [kind for kind, has_it in FAULTS.items() if has_it(answer)]


class FormatFaults(Scorer):
    """The number of kinds of faults in all answers together; a kind counts once."""

    name: ClassVar[str] = "format"

    @property
    def reading(self) -> Reading:
        """Broken form."""
        return Reading(
            "Format faults",
            "格式缺陷",
            "score",
            f"How many of {len(FAULTS)} kinds of faults the answer has: open code blocks, broken "
            "JSON, open brackets or quotation marks, broken tables or numbering, a cut-off end, a "
            "refusal, marks of chat templates, HTML, damaged encoding, unseen characters. "
            "0: none.",
            f"回答含有 {len(FAULTS)} 类格式缺陷中的几类：未闭合的代码块、无法解析的 JSON、"
            "未闭合的括号或引号、损坏的表格或编号、结尾截断、拒答套话、模板标记残留、HTML 残留、"
            "编码损坏、不可见字符。0 表示没有。",
            "the rules of `tuneval data check`; tables by GitHub Flavored Markdown 0.29, 4.10; "
            "JSON by RFC 8259",
            neutral=0.0,
        )

    def combine(
        self, item: ScoringItem, measured: Sequence[Measured], setting: Setting
    ) -> float | Unscored:
        """A whole number."""
        if not item.exercises:
            return Unscored("no_response")
        if not any(exercise.response.strip() for exercise in item.exercises):
            return Unscored("empty_response")
        kinds: set[str] = set()
        for exercise in item.exercises:
            prompt = exercise.instruction + "\n" + exercise.input
            kinds.update(format_faults(prompt, exercise.response))
        return float(len(kinds))
