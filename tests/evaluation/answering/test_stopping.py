from __future__ import annotations

import pytest

from tuneval.evaluation.answering.stopping import StopTexts


def ends(tokenizer, text: str, stops: list[str]) -> list[bool]:
    """What is said after each token of a text."""
    ids = tokenizer.encode(text)
    stopping = StopTexts(tokenizer, stops)
    return [stopping.end(ids[: n + 1]) for n in range(len(ids))]


@pytest.mark.parametrize(
    ("text", "stop"),
    [
        ("It is a number.\n\nWhat is it?", "\n\n"),
        ("The answer is 7. What is 7 plus 7?", "What is"),
        ("我的订单在哪里？请退款。谢谢", "请退款"),
        ("one two three", "ne tw"),
    ],
)
def test_an_answer_ends_with_the_token_that_completes_a_stop_text(tiny_llama, text, stop):
    tokenizer = tiny_llama.tokenizer
    found = ends(tokenizer, text, ["never", stop])
    first = found.index(True)
    ids = tokenizer.encode(text)
    assert stop in tokenizer.decode(ids[: first + 1])
    assert stop not in tokenizer.decode(ids[:first])
    stopping = StopTexts(tokenizer, ["never", stop])
    assert stopping.cut(ids[: first + 1]) == text[: text.index(stop)]


def test_without_stop_texts_nothing_ends_and_nothing_is_cut(tiny_llama):
    text = "It is a number."
    assert not any(ends(tiny_llama.tokenizer, text, []))
    assert not any(ends(tiny_llama.tokenizer, text, [""]))
    assert StopTexts(tiny_llama.tokenizer, []).cut(tiny_llama.tokenizer.encode(text)) == text


def test_the_first_of_several_stop_texts_cuts(tiny_llama):
    ids = tiny_llama.tokenizer.encode("a number is a number")
    assert StopTexts(tiny_llama.tokenizer, ["is", "number"]).cut(ids) == "a "


def test_a_special_token_that_is_a_stop_text_ends_an_answer_though_it_is_not_in_its_text(
    tiny_llama,
):
    tokenizer = tiny_llama.tokenizer
    special = tokenizer.all_special_tokens[-1]
    ids = [*tokenizer.encode("a number"), tokenizer.convert_tokens_to_ids(special)]
    stopping = StopTexts(tokenizer, ["never", special])
    assert not stopping.end(ids[:-1])
    assert stopping.end(ids)
    assert stopping.cut([*ids, *tokenizer.encode(" and more")]) == "a number"
    assert not StopTexts(tokenizer, ["never"]).end(ids)


def test_a_text_that_ends_only_in_a_part_of_the_answer_does_not_end_it():
    class Stripping:
        """A decoder that swallows the blank before the first token, as SentencePiece's do."""

        all_special_tokens = all_special_ids = ()

        def decode(self, ids, skip_special_tokens):
            return "".join(" a" if token else "\n" for token in ids).removeprefix(" ")

    stopping = StopTexts(Stripping(), ["\na"])
    assert not stopping.end([1, 0, 1])
    assert not stopping.end([1] * 20 + [0, 1])
