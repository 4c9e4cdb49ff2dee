"""How AGIEval words a question, and how lm-eval and OpenCompass do. All texts as published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuneval.data.example import Message
from tuneval.evaluation.question import Prompt
from tuneval.evaluation.tasks.exam.admission import Admission, Demonstration, Problem
from tuneval.evaluation.tasks.exam.sheet import LETTERS

_HEADS = {
    "en": "Here are the answers for the problems in the exam.\n",
    "zh": "以下是考试中各个问题的答案。\n",
}
_NUMBERED = {"en": "Problem {}.   ", "zh": "问题 {}.   "}
_CHOOSE_FROM = {
    "en": "Choose from the following options:    ",
    "zh": "从以下选项中选择:    ",
}
_EXPLANATION = {"en": "Explanation for Problem {}:   ", "zh": "问题 {}的解析:   "}
_THEREFORE = {"en": "The answer is therefore", "zh": "答案是"}
# The last letter is E or D here, whatever options a question has.
_SECOND_STAGE = {
    "en": "Therefore, among A through E, the answer is",
    "zh": "因此，从A到D, 我们应选择",
}
_SECOND_STAGE_OF_CLOZE = {"en": "Therefore, the answer is", "zh": "因此，答案是"}
_HINTS = {"en": "The answer is ", "zh": "答案是："}
# For written answers OpenCompass has a blank behind the colon.
_WRITTEN_HINTS = {"en": "The answer is ", "zh": "答案是： "}


@dataclass(frozen=True, slots=True, kw_only=True)
class Framed:
    """The parts of a `Question`; `lead` goes before each option's letter where one is chosen."""

    prompt: Prompt
    head: Prompt = ""
    shots: tuple[Prompt, ...] = ()
    begins: str = ""
    lead: str = ""


def zero_shot(problem: Problem, about: Admission, *, reasons: bool, is_chat: bool) -> Framed:
    """The question alone; with `reasons` it asks to think step by step (AGIEval's first stage)."""
    text = problem.passage + _bare(problem, about) + "\n" + _ask(problem, about, reasons=reasons)
    if is_chat:
        return Framed(prompt=(Message("user", text),))
    return Framed(prompt=text, lead=" " if about.language == "en" else "")


def second_stage(about: Admission) -> str:
    """What AGIEval puts below a question and the reasoning on it: its second stage."""
    texts = _SECOND_STAGE_OF_CLOZE if about.form == "cloze" else _SECOND_STAGE
    return texts[about.language]


def few_shot(
    problem: Problem,
    shots: Sequence[Demonstration],
    about: Admission,
    *,
    reasons: bool,
    chooses: bool,
    is_chat: bool,
) -> Framed:
    """Numbered questions with their answers, and the next one."""
    turns = [_solved(shot, place, about, reasons) for place, shot in enumerate(shots, start=1)]
    asked = _numbered(problem, len(shots) + 1, about)
    therefore = _THEREFORE[about.language] if chooses else ""
    if is_chat:
        return Framed(
            head=(),
            shots=tuple((Message("user", q), Message("assistant", a)) for q, a in turns),
            prompt=(Message("user", asked),),
            begins=therefore,
            lead=" ",
        )
    return Framed(
        head=_HEADS[about.language],
        shots=tuple(f"{question}{reply}\n\n" for question, reply in turns),
        prompt=asked + therefore,
        lead=" ",
    )


def opencompass(problem: Problem, about: Admission, *, chooses: bool, is_chat: bool) -> Framed:
    """OpenCompass: agieval_mixed_0fa998 for options compared, agieval_gen_617738 for the rest."""
    # It introduces gaokao-english in Chinese, which AGIEval itself asks in English.
    language = "zh" if about.intro.endswith("。") else "en"
    question = "\n".join((about.intro, problem.passage + problem.text))
    if problem.options or about.form != "cloze":
        question += "\n" + "\n".join(problem.options)
    if not chooses:
        text = question + "\n" + _WRITTEN_HINTS[language]
        return Framed(prompt=(Message("user", text),) if is_chat else text)
    hint = _HINTS[language]
    if is_chat:
        return Framed(prompt=(Message("user", question),), begins=hint)
    return Framed(prompt=question, lead="\n" + hint)


def shown(problem: Problem) -> str:
    """The passage, the question and its options, as every protocol shows them."""
    return "\n".join(part for part in (problem.passage, problem.text, *problem.options) if part)


def _bare(problem: Problem, about: Admission) -> str:
    is_english = about.language == "en"
    text = ("Q: " if is_english else "问题：") + problem.text
    if about.form == "cloze":
        return text
    return f"{text} {'Answer Choices: ' if is_english else '选项：'}{' '.join(problem.options)}"


def _ask(problem: Problem, about: Admission, *, reasons: bool) -> str:
    is_english, is_cloze = about.language == "en", about.form == "cloze"
    last = _last_letter(problem, about)
    if reasons and is_english:
        return "A: Let's think step by step." if is_cloze else "Let's think step by step."
    if reasons:
        return (
            "答案：让我们逐步思考："
            if is_cloze
            else f"从A到{last}, 我们应选择什么？让我们逐步思考："
        )
    if is_english:
        return "A: The answer is" if is_cloze else f"A: Among A through {last}, the answer is"
    return "答案：" if is_cloze else f"答案：从A到{last}, 我们应选择"


def _last_letter(problem: Problem, about: Admission) -> str:
    """The last option's; options that stand in one text count as five in English, four else."""
    n = len(problem.options)
    if n == 1:
        n = 5 if about.language == "en" else 4
    return LETTERS[n - 1] if n else ""


def _numbered(problem: Problem, number: int, about: Admission) -> str:
    language = about.language
    begin = _NUMBERED[language].format(number)
    if about.form == "cloze":
        return f"{begin}{problem.text}\n"
    options = _CHOOSE_FROM[language] + " ".join(problem.options)
    return f"{begin}{problem.passage} {problem.text}\n{options}\n"


def _solved(shot: Demonstration, number: int, about: Admission, reasons: bool) -> tuple[str, str]:
    language = about.language
    explained = f"{_EXPLANATION[language].format(number)}{shot.explanation}\n" if reasons else ""
    reply = f"{explained}{_THEREFORE[language]} {shot.answer}"
    return _numbered(shot.problem, number, about), reply
