"""Every measure of real records equals what a plain program of its formulas gives.

The plain program below is written from the formulas alone: it puts its own texts together,
cuts them where they meet, and runs the whole model once for each likelihood, in float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from scorings import example, real_records, scored
from transformers import AutoModelForCausalLM, AutoTokenizer

import tuneval.scoring.prompts
from tuneval.data.example import Example, Message

RELATIVE = 1e-6
MEASURES = ("prompt_ppl", "response_ppl", "ifd", "r_ifd", "one_shot")
Nll = tuple[float, int]
Leads = tuple[list[int], list[int]]
"""What stands before a response alone, and before an instruction alone."""


@dataclass(frozen=True)
class Exchange:
    """A question with what was said before it, and the answer."""

    before: list[Message]
    instruction: str
    input: str
    response: str


def joined(pieces: Iterable[list[int]]) -> list[int]:
    return [token for piece in pieces for token in piece]


class Plain:
    """The formulas, one forward pass of the whole model for each likelihood."""

    def __init__(self, folder: Path, *, bos: list[int]) -> None:
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64).eval()
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.bos = bos
        self._seen: dict[tuple[tuple[int, ...], tuple[int, ...]], Nll] = {}

    def ids(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text, add_special_tokens=False))

    def nll(self, context: list[int], target: list[int]) -> Nll:
        """Negative log-likelihood of the target after the context, and its tokens."""
        asked = (tuple(context), tuple(target))
        if asked not in self._seen:
            assert context
            assert target
            ids = torch.tensor([[*context, *target]])
            with torch.no_grad():
                logits = self.model(input_ids=ids).logits[0].numpy()
            total = 0.0
            for place, token in enumerate(target, start=len(context) - 1):
                row = logits[place] - logits[place].max()
                total -= float(row[token] - np.log(np.exp(row).sum()))
            self._seen[asked] = (total, len(target))
        return self._seen[asked]


class Instructions:
    """Texts of the YAML file of prompts, put together by hand."""

    def __init__(self, name: str, plain: Plain) -> None:
        folder = Path(tuneval.scoring.prompts.__file__).parent
        texts = yaml.safe_load((folder / "instruction.yaml").read_text(encoding="utf-8"))
        if name != "instruction":
            texts |= yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8"))
        self.texts, self.plain, self.bos = texts, plain, plain.bos
        self.headers = (plain.ids("### Response:\n"), plain.ids("### Instruction:\n"))

    def before(self, exchange: Exchange) -> list[list[int]]:
        """Ids of what stands before the response: cut where an earlier response begins and ends."""
        template = self.texts["zero_shot" if exchange.input else "zero_shot_no_input"]
        said = [""]
        for message in exchange.before:
            if message.role == "assistant":
                said += [message.content, self.texts["turn_end"]]
            elif message.role == "system":
                said[-1] += message.content + self.texts["turn_end"]
            else:
                said[-1] += self.texts["turn"].replace("{instruction}", message.content)
        head, tail = template.split("{history}")
        tail = tail.replace("{instruction}", exchange.instruction)
        said[0] = head + said[0]
        said[-1] += tail.replace("{input}", exchange.input)
        return [self.plain.ids(text) for text in said]

    def prompt_context(self, exchange: Exchange) -> tuple[list[int], list[int]]:
        """What was there before this turn's own prompt, and that prompt."""
        *earlier, own = self.before(exchange)
        return [*self.bos, *joined(earlier)], own

    def response(self, exchange: Exchange) -> tuple[list[int], list[int]]:
        earlier, own = self.prompt_context(exchange)
        return earlier + own, self.plain.ids(exchange.response)

    def shot(self, exchange: Exchange) -> str:
        text = self.texts["shot" if exchange.input else "shot_no_input"]
        text = text.replace("{example_instruction}", exchange.instruction)
        text = text.replace("{example_input}", exchange.input)
        return text.replace("{example_response}", exchange.response)

    def reversed(self, exchange: Exchange) -> tuple[list[int], list[int]]:
        text = self.texts["reversed" if exchange.input else "reversed_no_input"]
        text = text.replace("{input}", exchange.input).replace("{response}", exchange.response)
        head = self.shot(exchange)
        pieces = [head, text[len(head) :]] if text.startswith(head) else [text]
        context = [*self.bos, *joined(map(self.plain.ids, pieces))]
        return context, self.plain.ids(exchange.instruction)

    def after_shot(
        self, shown: Exchange, exchanges: list[Exchange], system: list[Message]
    ) -> list[tuple[list[int], list[int]]]:
        found = []
        for exchange in exchanges:
            context, target = self.response(exchange)
            own = self.plain.ids(self.shot(shown))
            found.append(([*self.bos, *own, *context[len(self.bos) :]], target))
        return found


class Chat:
    """ChatML written by hand; the response ends with its end-of-turn token."""

    def __init__(self, plain: Plain, *, begin: str = "") -> None:
        self.plain, self.begin = plain, begin
        folder = Path(tuneval.scoring.prompts.__file__).parent
        self.texts = yaml.safe_load((folder / "instruction.yaml").read_text(encoding="utf-8"))
        self.headers = (plain.ids("<|im_start|>assistant\n"),) * 2

    def pieces(self, messages: list[Message]) -> list[str]:
        """Texts tokenised apart: what stands before a response, the response, what follows."""
        pieces = [self.begin]
        for message in messages:
            content = f"{message.content}<|im_end|>\n"
            pieces[-1] += f"<|im_start|>{message.role}\n"
            if message.is_trained:
                pieces += [content, ""]
            else:
                pieces[-1] += content
        return pieces

    def turns(self, messages: list[Message]) -> list[tuple[list[int], list[int], list[int]]]:
        """What was before this turn's own prompt, that prompt, and the response."""
        found = []
        line_break = self.plain.ids("\n")
        earlier: list[int] = []
        prompt: list[int] = []
        pieces = self.pieces(messages)
        for prompt_text, answer_text in zip(pieces[:-1:2], pieces[1::2], strict=True):
            prompt = prompt + self.plain.ids(prompt_text)
            answer = self.plain.ids(answer_text)
            assert answer[-len(line_break) :] == line_break
            answer = answer[: -len(line_break)]
            found.append((earlier, prompt, answer))
            earlier = earlier + prompt + answer
            prompt = line_break
        return found

    def _turn(self, exchange: Exchange) -> tuple[list[int], list[int], list[int]]:
        question = "\n".join(filter(None, (exchange.instruction, exchange.input)))
        asked = [Message("user", question), Message("assistant", exchange.response)]
        return self.turns([*exchange.before, *asked])[-1]

    def prompt_context(self, exchange: Exchange) -> tuple[list[int], list[int]]:
        earlier, prompt, _ = self._turn(exchange)
        return earlier, prompt

    def response(self, exchange: Exchange) -> tuple[list[int], list[int]]:
        earlier, prompt, answer = self._turn(exchange)
        return earlier + prompt, answer

    def reversed(self, exchange: Exchange) -> tuple[list[int], list[int]]:
        text = self.texts["reversed" if exchange.input else "reversed_no_input"]
        text = text.replace("{input}", exchange.input).replace("{response}", exchange.response)
        text = text.rstrip("\n")
        opened = f"{self.begin}<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n"
        return self.plain.ids(opened), self.plain.ids(exchange.instruction)

    def after_shot(
        self, shown: Exchange, exchanges: list[Exchange], system: list[Message]
    ) -> list[tuple[list[int], list[int]]]:
        question = "\n".join(filter(None, (shown.instruction, shown.input)))
        shot = [Message("user", question), Message("assistant", shown.response)]
        found = []
        for exchange in exchanges:
            own = exchange.before[len(system) :]
            question = "\n".join(filter(None, (exchange.instruction, exchange.input)))
            asked = [Message("user", question), Message("assistant", exchange.response)]
            earlier, prompt, answer = self.turns([*system, *shot, *own, *asked])[-1]
            found.append((earlier + prompt, answer))
        return found


def exchanges_of(each: Example) -> list[Exchange]:
    found = []
    for place, message in enumerate(each.messages):
        if message.role == "assistant" and message.is_trained:
            asked = each.messages[place - 1]
            own = asked.content
            if asked.input:
                own = own[: -len(asked.input) - 1]
            before = list(each.messages[: place - 1])
            found.append(Exchange(before, own, asked.input or "", message.content))
    return found


def together(parts: list[Nll]) -> Nll:
    return math.fsum(nll for nll, _ in parts), sum(n for _, n in parts)


def plain_scores(
    way: Instructions | Chat,
    each: Example,
    peers: list[Example],
    *,
    leads: Leads,
    ratio: str = "perplexity",
    reduction: str = "mean",
    one_shot: str = "sign",
) -> dict[str, float | None]:
    """The five measures of one example, from the formulas."""
    nll = way.plain.nll
    exchanges = exchanges_of(each)

    def perplexity(total: Nll) -> float:
        return total[0] if reduction == "sum" else math.exp(total[0] / total[1])

    def difficulty(turns: list[tuple[list[int], list[int]]], lead: list[int]) -> float | None:
        given, alone = [], []
        for context, target in turns:
            first = 0 if lead else 1
            if len(target) == first:
                continue  # one token that nothing predicts alone
            given.append(nll(context + target[:first], target[first:]))
            alone.append(nll(lead + target[:first], target[first:]))
        if not given:
            return None
        (a, n), (b, m) = together(given), together(alone)
        assert n == m
        return math.exp(a / n - b / n) if ratio == "perplexity" else a / b

    prompts = []
    for exchange in exchanges:
        earlier, own = way.prompt_context(exchange)
        if not earlier:  # nothing predicts the very first token
            earlier, own = own[:1], own[1:]
        prompts.append(nll(earlier, own))
    gains = []
    for peer in peers:
        system = [m for m in peer.messages[:1] if m.role == "system"]
        zero = together([nll(*way.response(e)) for e in exchanges_of(peer)])
        one = together([nll(*t) for t in way.after_shot(exchanges[0], exchanges_of(peer), system)])
        assert zero[1] == one[1]
        if one_shot == "sign":
            gains.append(float(np.sign(zero[0] - one[0])))
        else:
            gains.append(perplexity(zero) - perplexity(one))
    return {
        "prompt_ppl": perplexity(together(prompts)),
        "response_ppl": perplexity(together([nll(*way.response(e)) for e in exchanges])),
        "ifd": difficulty([way.response(e) for e in exchanges], leads[0]),
        "r_ifd": difficulty([way.reversed(e) for e in exchanges], leads[1]),
        "one_shot": sum(gains) / len(gains),
    }


CONVERSATIONS = [
    example("Hello!", "Hi, how can I help?", "Where is my order?", "It left yesterday {today}."),
    example(
        "我的订单在哪里？", "已经发货。", "谢谢！", "不客气。", "再见", "再见！", system="请简短。"
    ),
    example(
        "What is 2 plus 3?",
        Message("assistant", "It is 6.", train=False),
        "Check it, and add what follows.",
        "It is 5, then 9.",
        input="{4}",
        system="You are a clerk.",
    ),
]


@pytest.fixture(scope="module")
def records() -> list[Example]:
    english = real_records("en", count=10, longest=150)
    chinese = real_records("zh", count=10, longest=50)
    assert sum(any(m.input for m in e.messages) for e in english + chinese) == 8
    return [*english, *chinese, *CONVERSATIONS]


@pytest.fixture(scope="module")
def plains(small_folder, small_bos_folder) -> Callable[[str], tuple[Path, Plain]]:
    made: dict[str, tuple[Path, Plain]] = {}

    def get(name: str) -> tuple[Path, Plain]:
        if name not in made:
            folder = small_bos_folder if name == "bos" else small_folder
            made[name] = (folder, Plain(folder, bos=[0] if name == "bos" else []))
        return made[name]

    return get


def assert_golden(
    found, records: list[Example], way: Instructions | Chat, *, leads: Leads, shots: int, **more
) -> None:
    by_id = {each.id: each for each in records}
    assert [row.id for row in found.rows] == [each.id for each in records]
    for row, each in zip(found.rows, records, strict=True):
        peers = list(dict.fromkeys(part["peer"] for part in row.parts["one_shot"]))
        assert len(peers) == shots
        assert row.id not in peers
        assert all(found_by(found, peer).task == row.task for peer in peers)
        expected = plain_scores(way, each, [by_id[p] for p in peers], leads=leads, **more)
        values = {name: value for name, value in row.scores.items() if value is not None}
        wanted = {name: value for name, value in expected.items() if value is not None}
        assert values == pytest.approx(wanted, rel=RELATIVE, abs=1e-9), each.messages
        reasons = {"ifd": "one_token_response", "r_ifd": "one_token_instruction"}
        assert row.reasons == {name: reasons[name] for name, v in expected.items() if v is None}
        assert not row.truncated


def found_by(found, example_id: str):
    (row,) = [row for row in found.rows if row.id == example_id]
    return row


QUICK = [
    ("plain", "instruction", "auto", {}),
    ("plain", "instruction", "header", {"ratio": "loss"}),
    ("plain", "demonstration", "auto", {"one_shot": "raw", "reduction": "sum"}),
    ("plain", "chat", "bos", {"one_shot": "raw"}),
    ("bos", "instruction", "auto", {"reduction": "sum"}),
    ("bos", "chat", "auto", {"ratio": "loss"}),
    ("bos", "instruction", "nothing", {}),
]
SLOW = [
    ("plain", "instruction", "nothing", {"ratio": "loss", "reduction": "sum"}),
    ("plain", "instruction", "bos", {"one_shot": "raw"}),
    ("plain", "demonstration", "header", {}),
    ("plain", "chat", "auto", {"ratio": "loss", "one_shot": "raw"}),
    ("plain", "chat", "header", {"reduction": "sum"}),
    ("bos", "instruction", "header", {"reduction": "sum", "one_shot": "raw"}),
    ("bos", "demonstration", "bos", {"ratio": "loss"}),
    ("bos", "chat", "header", {"ratio": "loss", "reduction": "sum"}),
    ("bos", "chat", "nothing", {}),
]


def cases():
    for slow, rows in ((False, QUICK), (True, SLOW)):
        for row in rows:
            marks = [pytest.mark.slow] if slow else []
            yield pytest.param(*row, id="-".join([*row[:3], *row[3].values()]), marks=marks)


@pytest.mark.parametrize(
    ("tokenizer", "prompts", "unconditional", "more"),
    list(cases()),
)
def test_five_measures_equal_the_formulas(
    tmp_path, plains, records, tokenizer, prompts, unconditional, more
):
    folder, plain = plains(tokenizer)
    begin = "<|endoftext|>" if tokenizer == "bos" else ""
    way = Chat(plain, begin=begin) if prompts == "chat" else Instructions(prompts, plain)
    leads = {
        "auto": (plain.bos, plain.bos),
        "nothing": ([], []),
        "bos": ([plain.tokenizer.bos_token_id],) * 2,
        "header": tuple(plain.bos + header for header in way.headers),
    }[unconditional]
    found = scored(
        tmp_path,
        folder,
        records,
        prompts=prompts,
        unconditional=unconditional,
        precision="float64",
        shots=2,
        **more,
    )
    assert found.measures == list(MEASURES)
    assert_golden(found, records, way, leads=leads, shots=2, **more)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("tokenizer", ["plain", "bos"])
def test_five_measures_of_the_real_model_equal_the_formulas(tmp_path, smollm, add_bos, tokenizer):
    from tuneval.models.sources import find_sources

    folder = find_sources(smollm.reference).base
    if tokenizer == "bos":
        folder = add_bos(folder, tmp_path / "model")
    plain = Plain(folder, bos=[0] if tokenizer == "bos" else [])
    records = [
        *real_records("en", count=2, longest=120),
        *real_records("zh", count=2, longest=40),
        CONVERSATIONS[0],
    ]
    found = scored(tmp_path / "scores", folder, records, precision="float64", shots=1)
    way = Instructions("instruction", plain)
    assert_golden(found, records, way, leads=(plain.bos, plain.bos), shots=1)
