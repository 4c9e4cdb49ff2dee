"""What is asked with earlier answers: later turns of a conversation, and second stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tuneval.data.example import Message
from tuneval.errors import DataError
from tuneval.evaluation.question import Prompt, Question

NOT_REACHED = "the question before it was not answered"
FIRST_STAGE = "#1"
"""Behind the id of a question of two stages: what the first one is called among the answers."""


def staged(questions: Sequence[Question]) -> list[Question]:
    """The questions as they are put: one of two stages is two, and keeps its id for the second."""
    found: list[Question] = []
    for question in questions:
        if question.then is not None:
            first = replace(question, id=question.id + FIRST_STAGE, reference=None, then=None)
            found.append(first)
            question = replace(question, after=first.id, prompt=question.then.text)
        found.append(question)
    return found


def rounds(questions: Sequence[Question]) -> list[list[Question]]:
    """The questions in the rounds they are asked in: each one after the one that it follows.

    Nearly every task has one round. Raises DataError when a question follows none of them.
    """
    known: set[str] = set()
    found: list[list[Question]] = []
    waiting = list(questions)
    while waiting:
        ready = [q for q in waiting if q.after is None or q.after in known]
        if not ready:
            raise DataError(
                f"The question '{waiting[0].id}' follows '{waiting[0].after}', which is not asked.",
                where=waiting[0].source,
                mend="ask both of them, or neither",
            )
        found.append(ready)
        known |= {question.id for question in ready}
        waiting = [question for question in waiting if question.id not in known]
    return found


def go_on(question: Question, asked: Mapping[str, Question], said: Mapping[str, str]) -> Question:
    """A question of a later round as it is asked: after the whole conversation before it.

    A second stage is one text, or one turn: the question, its answer, and what is asked below.

    `asked` are the earlier questions as they were asked, `said` the answers, both by id.
    """
    if question.after is None:
        return question
    before, answer = asked[question.after], said[question.after]
    if question.then is not None:
        prompt = _below(before.prompt, f"\n{answer}\n{question.then.text}")
        return replace(question, prompt=prompt, max_new_tokens=question.then.max_new_tokens)
    if isinstance(before.prompt, str) or isinstance(question.prompt, str):
        raise TypeError("a conversation goes on in messages")
    prompt = (*before.prompt, Message("assistant", answer), *question.prompt)
    return replace(question, prompt=prompt, head=before.head, shots=before.shots)


def _below(prompt: Prompt, text: str) -> Prompt:
    """The prompt with a text put to its end; of messages, to that of the last one."""
    if isinstance(prompt, str):
        return prompt + text
    *earlier, last = prompt
    return (*earlier, replace(last, content=last.content + text))
