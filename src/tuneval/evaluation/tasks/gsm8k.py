"""GSM8K: grade-school word problems in mathematics, answered in writing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tuneval.data.example import Message
from tuneval.errors import DataError
from tuneval.evaluation.extraction import load_extractor
from tuneval.evaluation.question import Prompt, Question
from tuneval.evaluation.task import Questions, Task, TaskAbout
from tuneval.evaluation.tasks.own import Row, read_rows, shots_id, shown_rows

Protocol = Literal["lm-eval", "official", "chain-of-thought", "boxed"]
MARK = "####"
_CALCULATION = re.compile(r"<<[^>]*>>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What stands around a problem, and how its answer is read; `shots` is the usual number.

    `counts` is the metric that the protocol's users report.
    """

    begin: str
    end: str
    lead: str
    between: str
    stop: tuple[str, ...]
    shots: int
    extractor: str
    counts: str
    chat: bool = False


WORDINGS: Mapping[Protocol, Wording] = {
    "lm-eval": Wording(
        begin="Question: ",
        end="\nAnswer:",
        lead=" ",
        between="\n\n",
        stop=("Question:", "</s>", "<|im_end|>"),
        shots=5,
        extractor="gsm8k",
        counts="answer_official",
    ),
    "official": Wording(
        begin="",
        end="\n",
        lead="",
        between="\n\n",
        stop=(),
        shots=0,
        extractor="gsm8k",
        counts="answer_official",
    ),
    "chain-of-thought": Wording(
        begin="Q: ",
        end="\nA:",
        lead=" ",
        between="\n\n",
        stop=("Q:", "</s>", "<|im_end|>"),
        shots=8,
        extractor="number",
        counts="answer_strict",
    ),
    "boxed": Wording(
        begin="",
        end="\nPlease reason step by step, and put your final answer within \\boxed{}.",
        lead="",
        between="\n\n",
        stop=(),
        shots=0,
        extractor="number",
        counts="answer_strict",
        chat=True,
    ),
}


class Gsm8k(Task):
    """Word problems with a number for an answer.

    `shots` None is the protocol's number, taken from the beginning of `demonstrations`, or drawn
    from all of it by `shot_seed`: by default the `train.jsonl` beside the problems. `chat` None is
    as the protocol has it.
    """

    about: ClassVar[TaskAbout] = TaskAbout(
        name="gsm8k",
        title="GSM8K",
        summary="1,319 grade-school word problems, worked in writing to a number",
        kind="generation",
        languages=("en",),
        capabilities=("mathematics", "reasoning", "problem_solving"),
        metrics=("answer_official", "answer_lenient", "unparsed"),
        protocols={
            "lm-eval": "5 worked solutions before `Question: … Answer:`, the number after ####; "
            "lm-eval's gsm8k, which draws other demonstrations for each problem",
            "official": "the problem and a line break, as in the repository; for models tuned on "
            "its train set",
            "chain-of-thought": "8 solutions before `Q: … A:`, the number after `The answer is`; "
            "lm-eval's gsm8k_cot where `demonstrations` has the eight of Wei et al. (2022)",
            "boxed": "no demonstration, through the chat template; the number in \\boxed{}, as "
            "reports on models for mathematics have it",
        },
        layout="test.jsonl and train.jsonl with question and answer, or the path of the test file",
        source="Cobbe et al. (2021), github.com/openai/grade-school-math",
        licence="MIT",
    )

    kind: Literal["gsm8k"] = "gsm8k"
    path: Annotated[str, Field(min_length=1)]
    protocol: Protocol = "lm-eval"
    shots: Annotated[int, Field(ge=0)] | None = None
    demonstrations: str | None = None
    shot_seed: int | None = None
    chat: bool | None = None
    max_new_tokens: Annotated[int, Field(ge=1)] = 256

    def load(self) -> Questions:
        """As in `Task`."""
        wording = WORDINGS[self.protocol]
        is_chat = wording.chat if self.chat is None else self.chat
        shown = self._shown(wording.shots if self.shots is None else self.shots)
        shots = tuple(self._shot(row, wording, is_chat) for row in shown)
        rows = read_rows(_problems(Path(self.path)))
        form = "chat" if is_chat else "plain"
        return Questions(
            questions=tuple(self._question(row, wording, shots, is_chat) for row in rows),
            protocol=f"gsm8k/{self.protocol}/{shots_id(len(shots), self.shot_seed)}/{form}",
            metrics=(wording.counts, "answer_lenient", "unparsed"),
            demonstrations=tuple(row.text("question") for row in shown),
        )

    def _shown(self, count: int) -> list[Row]:
        if not count:
            return []
        path = Path(self.demonstrations) if self.demonstrations else _beside(Path(self.path))
        return shown_rows(path, count, self.shot_seed)

    def _shot(self, row: Row, wording: Wording, is_chat: bool) -> Prompt:
        asked = f"{wording.begin}{row.text('question')}{wording.end}"
        answer = row.text("answer", "target")
        if self.protocol == "chain-of-thought":
            answer = in_words(answer)
        if is_chat:
            return (Message("user", asked), Message("assistant", answer))
        return f"{asked}{wording.lead}{answer}{wording.between}"

    def _question(
        self, row: Row, wording: Wording, shots: tuple[Prompt, ...], is_chat: bool
    ) -> Question:
        asked = f"{wording.begin}{row.text('question')}{wording.end}"
        number = _number(row)
        return Question(
            id=row.id,
            source=row.source,
            way="generate",
            prompt=(Message("user", asked),) if is_chat else asked,
            head=() if is_chat else "",
            shots=shots,
            reference=load_extractor(wording.extractor).form(number),
            extractor=wording.extractor,
            max_new_tokens=self.max_new_tokens,
            stop=wording.stop,
            fields={"reference_number": float(number)},
        )


def in_words(solution: str) -> str:
    """A solution as Wei et al. write them: sentences, no calculations in brackets, the number last.

    One that is written so already stays as it is.
    """
    steps, mark, number = solution.partition(MARK)
    if not mark:
        return solution
    lines = [line.strip() for line in _CALCULATION.sub("", steps).splitlines() if line.strip()]
    sentences = [line if line.endswith((".", "!", "?")) else f"{line}." for line in lines]
    return " ".join([*sentences, f"The answer is {number.strip()}."])


def _number(row: Row) -> str:
    """The number after ####, without commas."""
    number = row.text("answer").rpartition(MARK)[2].strip().replace(",", "")
    try:
        float(number)
    except ValueError:
        raise row.error(
            f"No number stands after {MARK} in the answer.", mend="end it with: #### 72"
        ) from None
    return number


def _problems(path: Path) -> Path:
    return path / "test.jsonl" if path.is_dir() else path


def _beside(path: Path) -> Path:
    """The train set beside the problems: `train.jsonl`, or a part of it named train-….jsonl."""
    folder = path if path.is_dir() else path.parent
    found = sorted(folder.glob("train*.jsonl"), key=lambda file: len(file.name))
    if not found:
        raise DataError(
            "There is no train.jsonl to take demonstrations from.",
            where=str(folder),
            mend="name a file as demonstrations, or ask for shots=0",
        )
    return found[0]
