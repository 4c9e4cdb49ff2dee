"""What a careless program turns into NaN, 0, a crash or a lost record has a defined answer."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scorings import OTHERS, call, example, prompts_file, scored
from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2Config, GPT2LMHeadModel

from tuneval.data.example import Message
from tuneval.errors import UsageError
from tuneval.scoring.config import ScoreConfig
from tuneval.scoring.encoding import prompt_encoder
from tuneval.scoring.item import ScoringItem, exercises_of
from tuneval.scoring.reasons import REASONS
from tuneval.scoring.scores import Scores

FIVE = ("prompt_ppl", "response_ppl", "ifd", "r_ifd", "one_shot")
TOOLS = [{"type": "function", "function": {"name": "find", "parameters": {}}}]


def row_of(scores: Scores, example_id: str):
    (row,) = [row for row in scores.rows if row.id == example_id]
    return row


@pytest.fixture(scope="session")
def gpt2_folder(small_folder, tmp_path_factory) -> Path:
    """Learned absolute positions, 96 of them; `~` follows everything, for certain."""
    folder = tmp_path_factory.mktemp("gpt2") / "gpt2"
    tokenizer = AutoTokenizer.from_pretrained(small_folder)
    config = GPT2Config(
        vocab_size=len(tokenizer), n_positions=96, n_embd=32, n_layer=2, n_head=2,
        initializer_range=0.3, bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(3)
        GPT2LMHeadModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def certain_folder(gpt2_folder, tmp_path_factory) -> Path:
    """A model to which `~` is certain after everything."""
    folder = tmp_path_factory.mktemp("certain") / "model"
    model = GPT2LMHeadModel.from_pretrained(gpt2_folder)
    tokenizer = AutoTokenizer.from_pretrained(gpt2_folder)
    with torch.no_grad():
        model.transformer.ln_f.weight.zero_()
        model.transformer.ln_f.bias.fill_(1.0)
        model.transformer.wte.weight[tokenizer.encode("~")] = 100.0
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


# --- Every reason -------------------------------------------------------------------------------

UNSCORED = {
    "no_response": (example("Where is it?"), FIVE, {}),
    "empty_response": (example("Where is it?", " \n"), FIVE[1:], {}),
    "empty_prompt": (example(" ", "It is 5."), FIVE, {}),
    "empty_instruction": (example("", "It is 5.", input="2 plus 3"), FIVE[3:4], {}),
    "one_token_response": (example("Is it?", "a"), FIVE[2:3], {}),
    "one_token_instruction": (example("a", "It is."), FIVE[3:4], {}),
    "one_token_prompt": (
        example("a", "It is."),
        FIVE[:1],
        {"zero_shot_no_input": "{instruction}"},
    ),
    "truncated": (example("Where is it?", "It is here."), FIVE[1:], {"max_length": 16}),
    "no_peer": (example("Where is it?", "It is here."), FIVE[4:], {"one_task": False, "task": "t"}),
    "tools_need_chat": (
        example("Find it.", call("find"), Message("tool", "3"), "It is 3.", tools=TOOLS),
        FIVE,
        {},
    ),
    "template_refuses": (
        example("Find it.", call("find"), Message("tool", "3"), "It is 3.", tools=TOOLS),
        (*FIVE[:3], FIVE[4]),
        {"prompts": "chat"},
    ),
    "no_letters": (example("12 + 3", "15"), ("language",), {}),
    "language_left_open": (
        example("请翻译这句话。", "The order is here, thank you very much."),
        ("language",),
        {},
    ),
    "no_embedding": (example(" ", "It is."), ("nearest",), {"embeddings": "model"}),
}


@pytest.mark.parametrize("code", UNSCORED)
def test_each_reason_is_given_and_counted(tmp_path, small_folder, code):
    each, measures, settings = UNSCORED[code]
    texts = {key: settings[key] for key in settings if key.startswith("zero_shot")}
    settings = {key: value for key, value in settings.items() if key not in texts}
    if texts:
        settings["prompts"] = prompts_file(tmp_path, **texts)
    if "embeddings" in settings:
        settings["embeddings"] = f"model:{small_folder}"
    others = [replace(other, tags={"t": "others"}) for other in OTHERS]
    each = replace(each, tags={"t": "alone"})
    found = scored(
        tmp_path / "scores", small_folder, [each, *others], measures=measures, **settings
    )
    row = row_of(found, each.id)
    assert row.scores == dict.fromkeys(measures)
    assert row.reasons == dict.fromkeys(measures, code)
    for name in measures:
        account = found.card["measures"][name]
        assert account["unscored"][code] >= 1
        assert account["scored"] + sum(account["unscored"].values()) == len(found.rows)
    assert len(found.rows) == 1 + len(others)
    assert Scores.load(found.folder).rows == found.rows


def test_a_ratio_of_losses_over_nothing_is_no_ratio(tmp_path, certain_folder):
    each = example("a", "~~~~")
    prompts = prompts_file(
        tmp_path, zero_shot_no_input="{instruction}", reversed_no_input="{response}"
    )
    of_losses, of_perplexities = (
        scored(tmp_path / r, certain_folder, [each], measures=["ifd"], prompts=prompts, ratio=r)
        for r in ("loss", "perplexity")
    )
    assert of_losses.rows[0].reasons == {"ifd": "certain_alone"}
    assert of_losses.card["measures"]["ifd"]["unscored"] == {"certain_alone": 1}
    assert of_perplexities.rows[0].scores == {"ifd": pytest.approx(1.0)}


def test_a_perplexity_beyond_all_numbers_has_a_reason_and_a_sum(tmp_path, certain_folder):
    each = example("a", "Is it?")
    prompts = prompts_file(tmp_path, zero_shot_no_input="{instruction}")
    settings = {"measures": ["response_ppl"], "prompts": prompts}
    found = scored(tmp_path / "mean", certain_folder, [each], **settings)
    assert found.rows[0].reasons == {"response_ppl": "too_unlikely"}
    assert found.rows[0].parts["response_ppl"][0]["nll"] > 1000
    found = scored(tmp_path / "sum", certain_folder, [each], reduction="sum", **settings)
    assert found.rows[0].scores["response_ppl"] > 1000


def test_every_reason_of_the_table_has_a_case_here():
    assert set(UNSCORED) | {"certain_alone", "too_unlikely"} == set(REASONS)


def test_one_token_has_a_ratio_where_something_stands_before_it(tmp_path, small_folder):
    each = example("Is it?", "a")
    for lead in ("bos", "header"):
        found = scored(
            tmp_path / lead, small_folder, [each, *OTHERS], measures=["ifd"], unconditional=lead
        )
        row = row_of(found, each.id)
        assert row.scores["ifd"] is not None
        assert [part["n_tokens"] for part in row.parts["ifd"]] == [1, 1]


def test_a_tokenizer_without_bos_cannot_begin_with_it(tmp_path, small_folder):
    folder = tmp_path / "model"
    shutil.copytree(small_folder, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.bos_token = None
    tokenizer.save_pretrained(folder)
    with pytest.raises(UsageError, match="no BOS token"):
        scored(tmp_path / "scores", folder, OTHERS, measures=["ifd"], unconditional="bos")


def test_a_refused_or_unfit_peer_is_passed_over_and_not_called_truncated(tmp_path, small_folder):
    tools, plain = UNSCORED["tools_need_chat"][0], OTHERS[0]
    found = scored(tmp_path, small_folder, [tools, plain], measures=["one_shot"])
    assert [row.reasons["one_shot"] for row in found.rows] == ["tools_need_chat", "no_peer"]


def test_texts_that_the_tokenizer_drops_are_empty_and_not_truncated(tmp_path, small_folder):
    from tokenizers import normalizers

    folder = tmp_path / "model"
    shutil.copytree(small_folder, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.backend_tokenizer.normalizer = normalizers.Replace("\u200b", "")
    tokenizer.save_pretrained(folder)
    each = example("Is it?", "\u200b\u200b")
    found = scored(tmp_path / "scores", folder, [each, *OTHERS], measures=["response_ppl", "ifd"])
    assert set(found.rows[0].reasons.values()) == {"empty_response"}


# --- Truncation ---------------------------------------------------------------------------------


@pytest.mark.parametrize("lead", ["nothing", "bos", "header"])
@pytest.mark.parametrize("ratio", ["ifd", "r_ifd"])
def test_both_terms_are_over_the_same_part_of_a_truncated_text(tmp_path, small_folder, ratio, lead):
    question = "What is " + " plus ".join(map(str, range(60)))
    each = example(question, "It is " + ", ".join(map(str, range(60, 120))))
    tokenizer = AutoTokenizer.from_pretrained(small_folder)
    encoder = prompt_encoder(ScoreConfig(), tokenizer, longest=None)
    item = ScoringItem(each, exercises_of(each))
    turns = encoder.responses(item) if ratio == "ifd" else encoder.instructions(item)
    n_before = len(turns[0].context)
    found = scored(
        tmp_path,
        small_folder,
        [each, *OTHERS],
        measures=[ratio],
        max_length=n_before + 60,
        unconditional=lead,
    )
    row = found.rows[0]
    given, alone = row.parts[ratio]
    n_left_out = 1 if lead == "nothing" else 0
    assert given["n_tokens"] == alone["n_tokens"] == 60 - n_left_out
    whole = each.answer if ratio == "ifd" else question
    n_all = len(tokenizer.encode(whole, add_special_tokens=False))
    assert given["n_tokens"] + row.truncated[ratio] + n_left_out == n_all
    assert row.truncated[ratio] > 0
    assert found.card["measures"][ratio]["truncated"] == 1
    kept = tokenizer.encode(whole, add_special_tokens=False)[: given["n_tokens"] + n_left_out]
    shorter = tokenizer.decode(kept)
    assert tokenizer.encode(shorter, add_special_tokens=False) == kept
    again = example(shorter, each.answer) if ratio == "r_ifd" else example(question, shorter)
    short = scored(
        tmp_path / "short", small_folder, [again, *OTHERS], measures=[ratio], unconditional=lead
    )
    assert short.rows[0].scores[ratio] == pytest.approx(row.scores[ratio], rel=1e-4)


def test_nothing_that_is_asked_is_longer_than_the_model_reads(tmp_path, small_folder, make_model):
    folder = make_model(small_folder, tmp_path / "model", longest=64)
    examples = [
        *OTHERS,
        *(
            example("What is 2 plus 3? " * n, "It is 5. " * m, f"And {n}?", f"It is {m}.")
            for n, m in ((1, 30), (30, 1), (4, 4))
        ),
    ]
    short = prompts_file(tmp_path, zero_shot_no_input="{history}{instruction}\n")
    for prompts in (short, "chat"):
        for lead in ("auto", "header"):
            found = scored(
                tmp_path / prompts.replace("/", "-") / lead,
                folder,
                examples,
                prompts=prompts,
                unconditional=lead,
            )
            assert len(found.rows) == len(examples)
            codes = {code for row in found.rows for code in row.reasons.values()}
            assert codes <= {"truncated", "no_peer"}
            for row in found.rows:
                assert all(v is None or math.isfinite(v) for v in row.scores.values())
                assert all((row.scores[name] is None) == (name in row.reasons) for name in FIVE)
            assert found.card["measures"]["response_ppl"]["truncated"] > 0


def test_a_long_header_leaves_less_room_for_the_text_alone(tmp_path, small_folder, make_model):
    folder = make_model(small_folder, tmp_path / "model", longest=48)
    prompts = prompts_file(
        tmp_path,
        zero_shot_no_input="{instruction}" + " the answer is this number" * 4 + "\n",
        reversed_no_input="{response}",
    )
    each = example("Where is my order, is it here or there? " * 3, "a")
    found = scored(
        tmp_path / "scores", folder, [each], measures=["r_ifd"], prompts=prompts,
        unconditional="header",
    )  # fmt: skip
    given, alone = found.rows[0].parts["r_ifd"]
    assert given["n_tokens"] == alone["n_tokens"]


# --- Borders ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "moved"), [("en", 66), ("zh", 41)])
def test_borders_that_a_whole_text_would_move_are_counted(tmp_path, smollm, language, moved):
    """66 of 999 and 41 of 1000 with SmolLM2 and a prompt that ends in `### Response:`."""
    import os

    from tuneval.data.read import read
    from tuneval.scoring.preparation import _count_moved

    if not (data := os.environ.get("TUNEVAL_TEST_DATA")):
        pytest.skip("TUNEVAL_TEST_DATA names no folder of real data")
    prompts = prompts_file(
        tmp_path,
        zero_shot="{history}{instruction}\n\n{input}\n\n### Response:",
        zero_shot_no_input="{history}{instruction}\n\n### Response:",
    )
    encoder = prompt_encoder(ScoreConfig(prompts=prompts), smollm.tokenizer, longest=2048)
    examples = list(read(Path(data) / "instruct" / f"alpaca_{language}_demo.json"))
    items = [ScoringItem(each, exercises_of(each)) for each in examples]
    assert _count_moved(items, encoder) == moved
    for item in items:
        (turn,) = encoder.responses(item)
        response = smollm.tokenizer.encode(item.exercises[0].response, add_special_tokens=False)
        assert turn.target.tolist() == response


def test_a_moving_border_changes_no_token_of_prompt_and_response(tmp_path, small_folder):
    tokenizer = AutoTokenizer.from_pretrained(small_folder)
    prompts = prompts_file(tmp_path, zero_shot_no_input="{instruction} nu")
    each = example("It is a", "mber and more")
    whole = tokenizer.encode("It is a number and more", add_special_tokens=False)
    found = scored(
        tmp_path / "scores", small_folder, [each, OTHERS[0]], measures=["response_ppl"],
        prompts=prompts,
    )  # fmt: skip
    apart = tokenizer.encode("mber and more", add_special_tokens=False)
    assert whole[-len(apart) :] != apart
    (part,) = found.rows[0].parts["response_ppl"]
    assert part["n_tokens"] == len(apart)
    assert found.card["boundary_moved"] == 1


# --- Tokenizers and models ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [{"pad_token": None}, {"model_max_length": int(1e30)}, {"padding_side": "left"}],
    ids=lambda change: next(iter(change)),
)
def test_what_a_tokenizer_says_of_padding_and_length_changes_nothing(
    tmp_path, small_folder, change
):
    folder = tmp_path / "model"
    shutil.copytree(small_folder, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for name, value in change.items():
        setattr(tokenizer, name, value)
    tokenizer.save_pretrained(folder)
    plain = scored(tmp_path / "plain", small_folder, OTHERS)
    changed = scored(tmp_path / "changed", folder, OTHERS)
    assert [row.scores for row in changed.rows] == [row.scores for row in plain.rows]


def test_learned_positions_count_from_each_text_s_own_beginning(tmp_path, gpt2_folder):
    prompts = prompts_file(
        tmp_path,
        zero_shot_no_input="{history}{instruction}\n",
        zero_shot="{history}{instruction}\n{input}\n",
        turn="{instruction}\n",
        turn_end="\n",
    )
    examples = [*OTHERS, example("Is it 2?", "It is.", "And 3?", "It is not, no.")]
    found = scored(
        tmp_path / "s", gpt2_folder, examples, prompts=prompts, measures=["response_ppl"]
    )
    tokenizer = AutoTokenizer.from_pretrained(gpt2_folder)
    model = AutoModelForCausalLM.from_pretrained(gpt2_folder).eval()
    encoder = prompt_encoder(ScoreConfig(prompts=prompts), tokenizer, longest=96)
    for row, each in zip(found.rows, examples, strict=True):
        turns = encoder.responses(ScoringItem(each, exercises_of(each)))
        total = n = 0
        for turn in turns:
            ids = torch.from_numpy(np.concatenate([turn.context, turn.target])).long()[None]
            with torch.no_grad():
                logprobs = model(ids).logits[0].log_softmax(-1)
            places = torch.arange(len(turn.context) - 1, ids.shape[1] - 1)
            total -= float(logprobs[places, ids[0, len(turn.context) :]].sum())
            n += len(turn.target)
        assert row.scores["response_ppl"] == pytest.approx(math.exp(total / n), rel=1e-4)


def test_an_adapter_s_own_tokenizer_is_the_one_that_cuts_its_texts(tmp_path, small_folder):
    import peft

    adapter = tmp_path / "adapter"
    model = AutoModelForCausalLM.from_pretrained(small_folder)
    peft.get_peft_model(model, peft.LoraConfig(target_modules=["q_proj"])).save_pretrained(adapter)
    tokenizer = AutoTokenizer.from_pretrained(small_folder)
    tokenizer.chat_template = "OF THE ADAPTER: " + tokenizer.chat_template
    tokenizer.save_pretrained(adapter)
    settings = {"measures": ["prompt_ppl"], "prompts": "chat"}
    base = scored(tmp_path / "base", small_folder, OTHERS, **settings)
    own = scored(tmp_path / "own", small_folder, OTHERS, adapter=str(adapter), **settings)
    assert own.card["prompts_hash"] != base.card["prompts_hash"]
    n_tokens = [row.parts["prompt_ppl"][0]["n_tokens"] for row in (base.rows[0], own.rows[0])]
    assert n_tokens[1] > n_tokens[0]


# --- Texts --------------------------------------------------------------------------------------


def test_words_in_braces_are_data_and_nothing_is_put_in_their_place(small_folder):
    tokenizer = AutoTokenizer.from_pretrained(small_folder)
    encoder = prompt_encoder(ScoreConfig(), tokenizer, longest=None)
    each = example(
        "Is {instruction} {{0}}?",
        "{response}",
        "Say {history}",
        "{example_response} }{",
        input="{input} {history} {",
        system="Be {history} {brief}.",
    )
    first, second = encoder.responses(ScoringItem(each, exercises_of(each)))
    assert tokenizer.decode(first.context).endswith(
        "request.\n\nBe {history} {brief}.\n\n### Instruction:\nIs {instruction} {{0}}?\n\n"
        "### Response:\n"
    )
    assert tokenizer.decode(second.context).endswith(
        "request.\n\nBe {history} {brief}.\n\n### Instruction:\nIs {instruction} {{0}}?\n\n"
        "### Response:\n{response}\n\n### Instruction:\nSay {history}\n\n"
        "### Input:\n{input} {history} {\n\n### Response:\n"
    )
    assert tokenizer.decode(second.target) == "{example_response} }{"
    item = ScoringItem(each, exercises_of(each))
    shown, _ = encoder.one_shot(item, item)
    assert tokenizer.decode(shown.context).startswith(
        "Below is a response to a request.\n\n### Response:\n{response}\n\nBelow is an instruction"
    )
    assert tokenizer.decode(encoder.instructions(item)[1].context) == (
        "Below is an input and the response to it.\n\n### Input:\n{input} {history} {\n\n"
        "### Response:\n{example_response} }{\n\nGuess the instruction that the response "
        "completes.\n\n### Instruction:\n"
    )


@pytest.mark.parametrize("blank", [" ", "\n", "\t \n"])
def test_an_input_of_blanks_is_no_input(small_folder, blank):
    (exercise,) = exercises_of(example("Is it?", "It is.", input=blank))
    assert (exercise.instruction, exercise.input) == ("Is it?", "")


def test_every_turn_of_a_conversation_is_scored_in_one_pass(tmp_path, small_folder):
    each = example("Hi", "Hello there.", "How?", "So it is.", "Why?", "It is so.", system="Brief.")
    found = scored(
        tmp_path, small_folder, [each], measures=["prompt_ppl", "response_ppl"], one_task=False
    )
    for name in found.measures:
        assert [part["turn"] for part in found.rows[0].parts[name]] == [0, 1, 2]
    assert found.card["work"]["requests"] == 6
    assert found.card["work"]["inputs"] == 1


def test_a_turn_keeps_its_number_where_an_earlier_one_has_nothing_to_measure(
    tmp_path, small_folder
):
    each = example("", "It is 5.", "Is it a number?", "Yes.", input=None)
    for prompts in ("instruction", "chat"):
        found = scored(
            tmp_path / prompts, small_folder, [each], measures=["r_ifd"], prompts=prompts
        )
        assert [part["turn"] for part in found.rows[0].parts["r_ifd"]] == [1, 1]


def test_turns_that_are_not_trained_are_read_and_not_scored(tmp_path, small_folder):
    untrained = Message("assistant", "It is 6.", train=False)
    each = example("2 plus 3?", untrained, "Again?", "It is 5.")
    for prompts in ("instruction", "chat"):
        found = scored(tmp_path / prompts, small_folder, [each, *OTHERS], prompts=prompts)
        for name in FIVE[:4]:
            assert {part["turn"] for part in found.rows[0].parts[name]} == {0}
        assert found.rows[0].parts["prompt_ppl"][0]["n_tokens"] > 20


@pytest.fixture(scope="module")
def tools_folder(small_folder, tmp_path_factory) -> Path:
    """The small model with a chat template that knows tools."""
    folder = tmp_path_factory.mktemp("tools") / "model"
    shutil.copytree(small_folder, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = (
        "{% if tools %}{{ tools | tojson }}\n{% endif %}{% for message in messages %}"
        "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] }}"
        "{% for call in message.tool_calls %}{{ call | tojson }}{% endfor %}"
        "{{ '<|im_end|>\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
    )
    tokenizer.save_pretrained(folder)
    return folder


WITH_CALL = example(
    "Find it.", call("find"), Message("tool", "3"), Message("assistant", "It is 3."), tools=TOOLS
)


def test_calls_of_tools_are_read_by_a_chat_template_that_knows_them_and_not_scored(
    tmp_path, tools_folder
):
    tokenizer = AutoTokenizer.from_pretrained(tools_folder)
    found = scored(tmp_path, tools_folder, [WITH_CALL, *OTHERS], prompts="chat")
    (part,) = found.rows[0].parts["response_ppl"]
    assert part["n_tokens"] == len(tokenizer.encode("It is 3.<|im_end|>"))
    assert part["turn"] == 0
    assert found.rows[0].scores["one_shot"] is not None


def test_a_shot_begins_with_its_question(tools_folder):
    tokenizer = AutoTokenizer.from_pretrained(tools_folder)
    encoder = prompt_encoder(ScoreConfig(prompts="chat"), tokenizer, longest=None)
    peer = ScoringItem(OTHERS[0], exercises_of(OTHERS[0]))
    (turn,) = encoder.one_shot(ScoringItem(WITH_CALL, exercises_of(WITH_CALL)), peer)
    assert tokenizer.decode(turn.context).startswith("<|im_start|>user\nFind it.<|im_end|>\n")
    assert tokenizer.decode(turn.target) == "It is 5.<|im_end|>"


def test_equal_records_are_scored_once_where_they_first_stand(tmp_path, small_folder):
    first, second = OTHERS[:2]
    again = replace(first, source=replace(first.source, line=99))
    found = scored(tmp_path, small_folder, [first, second, again, second])
    assert [row.id for row in found.rows] == [first.id, second.id]
    assert found.rows[0].where == str(first.source)
    assert (found.card["n_records"], found.card["n_examples"]) == (4, 2)
    assert found.card["duplicates"] == 2
