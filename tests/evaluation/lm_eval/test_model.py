"""Our model as lm-eval asks it, request by request beside lm-eval's own."""

from __future__ import annotations

import pytest

pytest.importorskip("lm_eval")

from lm_eval.api.instance import Instance

from tuneval.errors import ModelError, UsageError
from tuneval.evaluation.lm_eval.settings import settings_of

# Importing lm-eval's own model takes longer than all the answers.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
LONG = "The number of the house is seven and the door is red. "
READS = 48
"""Tokens: less than a long context has."""


def asked(kind, *arguments):
    return [Instance(kind, {}, one, number) for number, one in enumerate(arguments)]


@pytest.fixture(scope="module")
def ours(tiny_llama_folder):
    from tuneval.evaluation.lm_eval.model import TunevalLm

    return TunevalLm(str(tiny_llama_folder), max_length=READS)


@pytest.fixture(scope="module")
def theirs(tiny_llama_folder):
    from lm_eval.models.huggingface import HFLM

    return HFLM(
        pretrained=str(tiny_llama_folder), dtype="float32", device="cpu", max_length=READS,
        batch_size=2,
    )  # fmt: skip


PAIRS = [
    ("", "yes it is"),
    ("What is 3?", " three and more"),
    ("What is 3? ", "three"),
    ("Is it?\n\n", "A"),
    ("Is it?\n\n", "B, and not A"),
    (LONG * 9, " red and seven"),
    ("short", LONG + "It is red."),
]


def test_likelihoods_are_equal_whatever_stands_before_or_is_too_long(ours, theirs):
    requests = asked("loglikelihood", *PAIRS)
    assert len(theirs.tok_encode(LONG * 9)) > READS
    found = ours.loglikelihood(requests, disable_tqdm=True)
    wanted = theirs.loglikelihood(requests, disable_tqdm=True)
    assert [nats for nats, _ in found] == pytest.approx([nats for nats, _ in wanted], abs=1e-4)
    assert [is_greedy for _, is_greedy in found] == [is_greedy for _, is_greedy in wanted]


def test_a_continuation_that_is_what_greedy_decoding_says_is_greedy(ours, theirs):
    (said,) = ours.generate_until(asked("generate_until", ("A", {"until": [], "max_gen_toks": 2})))
    requests = asked("loglikelihood", ("A", said))
    found, wanted = (lm.loglikelihood(requests, disable_tqdm=True)[0][1] for lm in (ours, theirs))
    assert found == wanted


def test_texts_are_equal_in_windows_and_an_empty_one_is_certain(ours, theirs):
    requests = asked("loglikelihood_rolling", ("It is.",), (LONG * 9,), ("",))
    assert len(theirs.tok_encode(LONG * 9)) > 2 * READS
    found = ours.loglikelihood_rolling(requests, disable_tqdm=True)
    empty_is_told = theirs.tok_encode("") != []
    wanted = theirs.loglikelihood_rolling(requests if empty_is_told else requests[:2], True)
    assert found[: len(wanted)] == pytest.approx(wanted, abs=1e-3)
    if not empty_is_told:
        assert found[2] == 0.0


def test_answers_are_equal_up_to_the_first_of_their_stop_texts(ours, theirs):
    requests = asked(
        "generate_until",
        ("What is 3?", {"until": ["\n", "a"], "max_gen_toks": 12}),
        ("What is 4?", {"until": "e", "do_sample": False, "temperature": 0.7, "max_gen_toks": 12}),
        ("What is 5?", {"until": [], "max_new_tokens": 9, "top_k": 5, "num_beams": 1}),
        (LONG * 9, {"until": ["zzz"], "max_gen_toks": 10}),
    )
    found = ours.generate_until(requests)
    assert found == theirs.generate_until(requests, disable_tqdm=True)
    assert any(found)


def test_a_prompt_without_a_token_begins_like_any_text(ours):
    (said,) = ours.generate_until(asked("generate_until", ("", {"until": [], "max_gen_toks": 3})))
    assert said


def test_conversations_are_written_alike_with_and_without_a_begun_answer(ours, theirs):
    said = {"system": "Be short.", "user": "3?", "assistant": "three"}
    turns = [{"role": role, "content": content} for role, content in said.items()]
    turns.append({"role": "user", "content": "4?"})
    assert ours.apply_chat_template(turns) == theirs.apply_chat_template(turns)
    begun = [*turns, {"role": "assistant", "content": "It is"}]
    written = ours.apply_chat_template(begun, add_generation_prompt=False)
    assert written == theirs.apply_chat_template(begun, add_generation_prompt=False)
    assert written.endswith("It is")


def test_a_template_that_knows_no_system_turn_is_given_none(ours, theirs, monkeypatch):
    text = (
        "{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('none') }}"
        "{% endif %}{{ m['content'] }}{% endfor %}"
    )
    turns = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "3?"}]
    for lm in (ours, theirs):
        monkeypatch.setattr(lm.tokenizer, "chat_template", text)
    assert ours.apply_chat_template(turns) == theirs.apply_chat_template(turns) == "3?"


def test_a_continuation_without_a_token_is_an_error_and_never_certain(ours):
    with pytest.raises(ModelError, match="no token of its own"):
        ours._loglikelihood_tokens([(("A", ""), [5], [])])


@pytest.mark.parametrize(
    ("given", "other"),
    [
        ({"do_sample": True, "temperature": 0.7, "top_k": 0, "min_p": 0.0}, None),
        ({"do_sample": True, "temperature": 0.7, "top_k": 1}, "top_k"),
        ({"do_sample": False, "top_k": 40, "early_stopping": False}, None),
        ({"num_beams": 4}, "num_beams"),
        ({"repetition_penalty": 1.0, "use_cache": True}, None),
    ],
)
def test_settings_that_change_an_answer_are_followed_or_refused(given, other):
    if other is None:
        assert settings_of(given)["max_gen_toks"] == 256
    else:
        with pytest.raises(UsageError, match=f"drawn with {other}, which is not followed"):
            settings_of(given)
