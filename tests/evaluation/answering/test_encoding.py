"""Questions as token ids, against lm-eval's own way to cut them where there is one."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from tuneval.data.example import Message
from tuneval.errors import UsageError
from tuneval.evaluation.answering.asked import Choosing, Reading, Writing
from tuneval.evaluation.answering.encoding import encode_questions
from tuneval.evaluation.config import EvaluateConfig
from tuneval.evaluation.question import Question
from tuneval.tokenization import load_template

CHOOSE = Question(
    id="q",
    source="test.csv:2",
    way="choose",
    prompt="Where is my order?\nAnswer:",
    choices=(" A", " B", " no idea"),
    gold=(0,),
)


@pytest.fixture
def encode(tiny_llama):
    """A function from questions to what is ready, with the tiny model's tokenizer."""

    def made(*questions, longest=None, template=None, **config):
        return encode_questions(
            questions,
            EvaluateConfig(**config),
            tokenizer=tiny_llama.tokenizer,
            template=template or load_template(tiny_llama.tokenizer),
            longest=longest,
        )

    return made


@pytest.fixture
def ids(tiny_llama):
    """Token ids of a text without any added."""
    return lambda text: tiny_llama.tokenizer(text, add_special_tokens=False)["input_ids"]


@pytest.mark.parametrize(
    ("context", "choices"),
    [
        ("Question: what is it?\nAnswer:", (" yes", " no")),
        ("Question: what is it?\nAnswer: ", ("yes", "no")),
        ("Question: what is it?\n\n", ("yes", "It is a number.")),
        ("怎样重置密码？\n答案：", (" A", "A", "重置密码")),
        ("my pass", (" please", "words please")),
    ],
)
def test_a_prompt_and_its_choices_are_cut_as_lm_eval_cuts_them(
    encode, tiny_llama, context, choices
):
    model = pytest.importorskip("lm_eval.api.model")
    harness = SimpleNamespace(backend="causal", tok_encode=tiny_llama.tokenizer.encode)
    ready = encode(replace(CHOOSE, prompt=context, choices=choices))
    for request, choice in zip(ready.asked["q"].requests, choices, strict=True):
        before, after = model.TemplateLM._encode_pair(harness, context, choice)
        assert (list(request.context), list(request.target)) == (before, after)


def test_what_the_tokenizer_puts_before_a_text_stands_there_once(encode, tiny_llama, ids):
    class WithBos:
        bos_token, bos_token_id = "<|im_start|>", tiny_llama.tokenizer.bos_token_id

        def __call__(self, text, *, add_special_tokens=True, verbose=True):
            rows = [ids(t) for t in ([text] if isinstance(text, str) else text)]
            rows = [[self.bos_token_id, *row] if add_special_tokens else row for row in rows]
            return {"input_ids": rows[0] if isinstance(text, str) else rows}

    questions = [CHOOSE, replace(CHOOSE, id="own", prompt="<|im_start|>" + CHOOSE.prompt)]
    ready = encode_questions(
        questions, EvaluateConfig(), tokenizer=WithBos(), template=None, longest=None
    )
    expected = [WithBos.bos_token_id, *ids(CHOOSE.prompt)]
    for name in ("q", "own"):
        assert list(ready.asked[name].requests[0].context) == expected


def test_nothing_before_the_choices_is_one_token(encode, tiny_llama, ids):
    ready = encode(replace(CHOOSE, prompt="", choices=("yes", "no")))
    first, second = ready.asked["q"].requests
    assert list(first.context) == list(second.context) == [tiny_llama.tokenizer.bos_token_id]
    assert list(second.target) == ids("no")


def test_a_chat_prompt_is_the_templates_and_its_choices_follow_what_the_turn_begins_with(
    encode, tiny_llama, ids
):
    template = load_template(tiny_llama.tokenizer)
    turns = (Message("user", "Where is my order?"), Message("assistant", "Here."))
    question = replace(
        CHOOSE,
        head=(Message("system", "Be short."),),
        shots=(turns,),
        prompt=(Message("user", "And my money?"),),
        begins="The answer is ",
        choices=("A", "B"),
    )
    ready = encode(question)
    conversation = (Message("system", "Be short."), *turns, Message("user", "And my money?"))
    lead = template.encode_prompt(conversation)
    whole, begun = ids("The answer is B"), ids("The answer is")
    request = ready.asked["q"].requests[1]
    assert list(request.context) == [*lead, *begun]
    assert list(request.target) == whole[len(begun) :]
    assert ready.prompts["q"].endswith(
        "And my money?<|im_end|>\n<|im_start|>assistant\nThe answer is "
    )


def test_what_a_user_says_in_a_row_is_one_turn_and_answers_of_tools_stay_apart(encode):
    question = replace(
        CHOOSE,
        way="generate",
        head=(Message("user", "Exam. "),),
        prompt=(Message("user", "Question?"), Message("tool", "1"), Message("tool", "2")),
    )
    shown = encode(question).prompts["q"]
    assert "user\nExam. Question?<|im_end|>" in shown
    assert "tool\n1<|im_end|>\n<|im_start|>tool\n2<|im_end|>" in shown


def test_conversations_need_a_template_and_texts_do_not(tiny_llama):
    def asked(question):
        return encode_questions(
            [question],
            EvaluateConfig(),
            tokenizer=tiny_llama.tokenizer,
            template=None,
            longest=None,
        )

    assert "q" in asked(CHOOSE).asked
    with pytest.raises(UsageError, match="no chat template"):
        asked(replace(CHOOSE, prompt=(Message("user", "Hello?"),)))


SHOTS = ("yes\n", "yes yes yes yes yes yes\n", "no no no\n")


@pytest.mark.parametrize(
    ("drop", "kept"), [("last", (0, 1)), ("first", (1, 2)), ("longest", (0, 2))]
)
def test_where_all_is_too_long_one_demonstration_is_dropped(encode, ids, drop, kept):
    question = replace(
        CHOOSE, head="Exam.\n", shots=SHOTS, prompt="it?", choices=(" a",), drop=drop
    )
    size = len(ids("Exam.\n" + "".join(SHOTS) + "it?"))
    ready = encode(question, longest=size - 1)
    expected = "Exam.\n" + "".join(SHOTS[place] for place in kept) + "it?"
    assert ready.prompts["q"] == expected
    assert list(ready.asked["q"].requests[0].context) == ids(expected)
    assert ready.shots_dropped == 1
    assert encode(question, longest=size).shots_dropped == 0


def test_then_the_head_goes_and_then_the_question_is_skipped_with_the_reason(encode, ids):
    question = replace(
        CHOOSE, head="Exam.\n", shots=SHOTS, prompt="is it a number?", choices=(" a",)
    )
    size = len(ids("is it a number?"))
    bare = encode(question, longest=size)
    assert bare.prompts["q"] == "is it a number?"
    none = encode(question, replace(question, id="short", prompt="it?"), longest=size - 1)
    assert list(none.asked) == ["short"]
    assert "longer than" in none.skipped["q"]
    assert none.shots_dropped == 1
    assert encode(question, max_length=16).prompts == encode(question, longest=16).prompts


def test_a_prompt_to_go_on_from_makes_room_for_its_answer_while_it_has_shots(encode, ids):
    question = replace(
        CHOOSE, way="generate", shots=SHOTS, prompt="it?", choices=(), max_new_tokens=10
    )
    size = len(ids("".join(SHOTS) + "it?"))
    assert encode(question, longest=size + 9).shots_dropped == 0
    assert encode(question, longest=size + 8).shots_dropped == 1
    bare = len(ids("it?"))
    short = encode(replace(question, shots=()), longest=bare)
    assert list(short.asked["q"].ids) == ids("it?"), "room for one token is room"
    assert short.asked["q"].max_new_tokens == 1
    long = replace(question, shots=(), prompt="is it a number? " * 8)
    bounded = encode(long, max_length=len(ids(long.prompt)) + 3)
    assert bounded.asked["q"].max_new_tokens == 4
    assert "q" in encode(replace(question, shots=()), longest=bare - 1).skipped


def test_demonstrations_stand_in_an_order_of_the_seed_that_like_questions_share(encode):
    shots = tuple(f"{n} is a number.\n" for n in range(6))
    one = replace(CHOOSE, shots=shots)
    two = replace(one, id="two", prompt="What is it?")
    assert encode(one).prompts["q"].startswith("".join(shots))

    def order(seed):
        ready = encode(one, two, shot_seed=seed)
        assert ready.prompts["q"].removesuffix(one.prompt) == ready.prompts["two"].removesuffix(
            two.prompt
        )
        return ready.prompts["q"]

    assert order(1) == order(1)
    assert len({order(seed) for seed in range(5)}) > 1
    assert sorted(order(1)) == sorted(encode(one).prompts["q"])


def test_a_choice_without_a_token_of_its_own_is_a_reason_to_skip(encode):
    ready = encode(replace(CHOOSE, prompt="my pass", choices=(" please", "word")))
    assert "'word' has no token of its own" in ready.skipped["q"], "password is one token"


def test_the_temperature_of_a_task_goes_before_that_of_the_evaluation(encode):
    question = replace(CHOOSE, way="generate", stop=("\n",), max_new_tokens=7)
    ready = encode(question, replace(question, id="own", temperature=0.1), temperature=0.7)
    assert [ready.asked[name].temperature for name in ("q", "own")] == [0.7, 0.1]
    assert isinstance(ready.asked["q"], Writing)
    assert (ready.asked["q"].stop, ready.asked["q"].max_new_tokens) == (("\n",), 7)


@pytest.mark.parametrize("length", [1, 7, 8, 9, 16, 21, 30])
def test_texts_are_cut_into_the_windows_of_lm_eval(encode, tiny_llama, ids, length):
    utils = pytest.importorskip("lm_eval.utils")
    text = tiny_llama.tokenizer.decode(ids("Where is my order? I want my money back, please." * 3))
    whole = ids(text)[:length]
    text = tiny_llama.tokenizer.decode(whole)
    assert ids(text) == whole
    ready = encode(replace(CHOOSE, way="read", prompt=text, choices=()), longest=8)
    assert isinstance(ready.asked["q"], Reading)
    rolled = utils.get_rolling_token_windows(
        token_list=whole,
        prefix_token=tiny_llama.tokenizer.bos_token_id,
        max_seq_len=8,
        context_len=1,
    )
    found = [(list(r.context), list(r.target)) for r in ready.asked["q"].requests]
    assert found == [tuple(utils.make_disjoint_window(pair)) for pair in rolled]


def test_an_empty_text_is_skipped(encode):
    assert encode(replace(CHOOSE, way="read", prompt="")).skipped == {"q": "the text is empty"}


def test_the_prompt_hash_is_of_all_that_the_model_is_given(encode):
    hashes = {
        encode(*questions).prompt_hash
        for questions in (
            [CHOOSE],
            [replace(CHOOSE, prompt="Where is your order?\nAnswer:")],
            [replace(CHOOSE, choices=(" A", " C", " no idea"))],
            [replace(CHOOSE, id="r")],
            [replace(CHOOSE, way="read")],
            [replace(CHOOSE, way="generate")],
            [replace(CHOOSE, way="generate", max_new_tokens=9)],
            [replace(CHOOSE, way="generate", stop=("\n",))],
            [CHOOSE, replace(CHOOSE, id="other")],
            [CHOOSE, replace(CHOOSE, id="other", choices=("",))],
        )
    }
    assert len(hashes) == 10
    same = encode(replace(CHOOSE, tags={"subject": "x"}, gold=(1,), source="elsewhere"))
    assert same.prompt_hash == encode(CHOOSE).prompt_hash


def test_many_questions_keep_their_order(encode):
    questions = [replace(CHOOSE, id=str(n), prompt=f"{n}?") for n in range(150)]
    ready = encode(*questions)
    assert list(ready.asked) == [str(n) for n in range(150)]
    assert all(isinstance(asked, Choosing) for asked in ready.asked.values())
    assert all(np.issubdtype(r.context.dtype, np.int32) for r in ready.asked["7"].requests)
