"""Questions to a model behind an address: many in flight, each answer kept as it comes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import cached_property
from itertools import islice
from typing import Any

from tuneval.errors import ModelError, UsageError
from tuneval.evaluation.answering.endpoint.asking import Sent, Weighed, ready_to_send
from tuneval.evaluation.answering.endpoint.client import Client
from tuneval.evaluation.answering.endpoint.failures import RefusedError
from tuneval.evaluation.answering.kept import Kept
from tuneval.evaluation.answering.respondent import Invariance, Ready, RespondentFacts
from tuneval.evaluation.config import EvaluateConfig
from tuneval.evaluation.question import Question, Way
from tuneval.models.endpoint import parse_endpoint
from tuneval.runs.events import Finished, ItemDone, Report, Started, ignore

AS_SERVED = "as served"
REFUSALS_BEFORE_AN_ANSWER = 8
"""So many refusals and no answer yet: then it is not the questions."""


def open_endpoint(
    model: str, *, adapter: str | None = None, template: str = "auto"
) -> EndpointRespondent:
    """A model at an address, which was asked whether it is there.

    Raises UsageError for what an address does not take, ModelError where it does not answer,
    refuses the key or has no such model, MissingPackageError without `openai`.
    """
    for what, is_given in (("adapter", adapter is not None), ("template", template != "auto")):
        if is_given:
            raise UsageError(
                f"An address serves its model as it is; no {what} is sent to it.",
                where=model,
                mend=f"leave out {what}, or load the model here",
            )
    client = Client(parse_endpoint(model))
    try:
        client.check()
    except BaseException:
        client.close()
        raise
    return EndpointRespondent(client)


class EndpointRespondent:
    """A `Respondent` around a client of one address."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @cached_property
    def facts(self) -> RespondentFacts:
        """Who answers; weights, tokenizer and template are the address's own affair."""
        ways: list[Way] = ["generate"]
        if self._client.offer.likelihood:
            ways.append("choose")
        return RespondentFacts(
            model=self._client.endpoint.name,
            model_hash=None,
            adapter=None,
            template=AS_SERVED,
            template_hash=None,
            tokenizer_hash=None,
            precision=AS_SERVED,
            ways=frozenset(ways),
        )

    def prepare(self, questions: Sequence[Question], config: EvaluateConfig) -> Ready:
        """See `Respondent.prepare`."""
        return ready_to_send(questions, config, takes_texts=self._client.offer.texts)

    def answer(self, ready: Ready, *, kept: Kept, stage: str, report: Report = ignore) -> None:
        """See `Respondent.answer`.

        A question that the address refuses is kept with `refused`, the reason. Raises ModelError
        where it refuses all of them.
        """
        report(Started(stage, len(ready.asked), "items"))
        refused: dict[str, dict[str, Any]] = {}
        has_answered = any("refused" not in row for row in kept.rows.values())
        for name, row in self._answers(ready, kept):
            if "refused" in row and not has_answered:
                refused[name] = row
                if len(refused) >= REFUSALS_BEFORE_AN_ANSWER:
                    raise self._refuses_all(refused)
                continue
            has_answered = has_answered or "refused" not in row
            for one in (*refused.values(), row):
                kept.append(one)
                report(ItemDone(stage, one["id"], len(kept), len(ready.asked)))
            refused.clear()
        if refused:
            raise self._refuses_all(refused)
        report(Finished(stage))

    def _answers(self, ready: Ready, kept: Kept) -> Iterator[tuple[str, dict[str, Any]]]:
        """Rows as they come; what is in flight is bounded.

        After an error the answers that are on their way are still heard, since they are paid for;
        when this is left otherwise they are let go of.
        """
        waiting = ((name, sent) for name, sent in ready.asked.items() if name not in kept)
        at_once = self._client.endpoint.concurrency
        threads = ThreadPoolExecutor(at_once, thread_name_prefix="endpoint")
        flying: dict[Future[dict[str, Any]], str] = {}
        failure: BaseException | None = None
        try:
            while True:
                if failure is None:
                    for name, sent in islice(waiting, at_once - len(flying)):
                        flying[threads.submit(self._row, name, sent, ready)] = name
                if not flying:
                    break
                done, _ = wait(flying, return_when=FIRST_COMPLETED)
                for future in done:
                    name, error = flying.pop(future), future.exception()
                    if error is None:
                        yield name, future.result()
                    elif failure is None:
                        failure = error
                        self._client.leave()
            if failure is not None:
                raise failure
        except BaseException:
            self._client.stop()
            raise
        finally:
            threads.shutdown(cancel_futures=True)

    def _row(self, name: str, sent: Sent, ready: Ready) -> dict[str, Any]:
        common = {"id": name, "prompt": ready.prompts[name]}
        way = "choose" if isinstance(sent, Weighed) else "generate"
        try:
            if isinstance(sent, Weighed):
                logprobs, n_tokens = self._client.weigh(sent)
                return {**common, "way": way, "logprobs": logprobs, "choice_tokens": n_tokens}
            said = self._client.write(sent, top_p=ready.config.top_p, seed=ready.config.seed)
        except RefusedError as refusal:
            return {**common, "way": way, "refused": str(refusal)}
        return {
            **common,
            "way": way,
            "predict": said.text,
            "finish_reason": said.finish_reason,
            "n_tokens": said.n_tokens,
            "seconds_to_first": round(said.seconds_to_first, 6),
            "seconds": round(said.seconds, 6),
        }

    def _refuses_all(self, refused: dict[str, dict[str, Any]]) -> ModelError:
        name, row = next(iter(refused.items()))
        return ModelError(
            f"The address refuses every question so far: {row['refused']}",
            where=f"{self._client.endpoint.url}, question {name}",
            mend="look at what it says of them: the prompt may be too long for its model, or the "
            "task ask for what it does not offer",
        )

    def check_invariance(
        self, ready: Ready, rows: Mapping[str, Mapping[str, Any]], *, n_items: int = 16
    ) -> Invariance | None:
        """None: batches are the address's own."""
        return None

    def close(self) -> None:
        """Give back the connections."""
        self._client.close()

    def __enter__(self) -> EndpointRespondent:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
