"""A model asked at an address: the answers of the same model here, whatever happens on the way."""

from __future__ import annotations

import json
import socket
import threading

import pytest
from openai_server import MODEL, breaking_off, failing, served

pytest.importorskip("openai")

from tuneval.cli.main import main
from tuneval.data.example import Message
from tuneval.errors import ModelError, UsageError
from tuneval.evaluation.answering.endpoint.respondent import open_endpoint
from tuneval.evaluation.answering.kept import Kept
from tuneval.evaluation.answering.local import LocalRespondent
from tuneval.evaluation.config import EvaluateConfig
from tuneval.evaluation.question import Question
from tuneval.models.endpoint import parse_endpoint
from tuneval.models.load import load_model
from tuneval.models.reference import parse_reference
from tuneval.runs.events import ItemDone


def write(number, **more):
    fields = {
        "id": f"write {number}", "source": "x", "way": "generate", "max_new_tokens": 6,
        "prompt": (Message("user", f"What is {number}?"),),
    }  # fmt: skip
    return Question(**{**fields, **more})


def choose(number, **more):
    fields = {
        "id": f"choose {number}", "source": "x", "way": "choose", "gold": (0,),
        "prompt": f"What is {number} plus {number}? ", "choices": ("A", "yes it is", f"{number}"),
    }  # fmt: skip
    return Question(**{**fields, **more})


@pytest.fixture
def ask(tmp_path):
    """Rows by id of questions asked at a server; `options` go into the address."""

    def asked(server, questions, *, name="answers.jsonl", options="", report=None, **config):
        address = f"endpoint:{server.url}{options}#{MODEL}"
        with open_endpoint(address) as respondent:
            ready = respondent.prepare(questions, EvaluateConfig(**config))
            kept = Kept(tmp_path / name, wanted=ready.asked.keys())
            respondent.answer(ready, kept=kept, stage="answers", report=report or (lambda e: None))
        return kept.rows

    return asked


def here(loaded, questions, folder, **config):
    respondent = LocalRespondent(loaded)
    ready = respondent.prepare(questions, EvaluateConfig(**config))
    kept = Kept(folder / "here.jsonl", wanted=ready.asked.keys())
    respondent.answer(ready, kept=kept, stage="answers")
    return kept.rows


def test_answers_are_those_of_the_model_itself(ask, tiny_llama, tmp_path):
    questions = [write(n) for n in range(4)] + [write(9, prompt="It is ", stop=("a",))]
    questions += [choose(n) for n in range(3)]
    with served(tiny_llama) as server:
        found = ask(server, questions)
    wanted = here(tiny_llama, questions, tmp_path)
    assert set(found) == set(wanted)
    for name, row in found.items():
        if row["way"] == "choose":
            assert row["choice_tokens"] == wanted[name]["choice_tokens"]
            assert row["logprobs"] == pytest.approx(wanted[name]["logprobs"], abs=1e-5)
        else:
            for key in ("predict", "finish_reason"):
                assert row[key] == wanted[name][key]
            assert 0 < row["seconds_to_first"] <= row["seconds"]
    assert found["write 1"]["n_tokens"] == wanted["write 1"]["n_tokens"]


def test_a_conversation_and_its_settings_arrive_as_they_are(ask, tiny_llama):
    prompt = (Message("system", "Be short."), Message("user", "a"), Message("user", "b"))
    stops = tuple("vwxyz")
    with served(tiny_llama, counts=False) as server:
        (row,) = ask(
            server, [write(1, prompt=prompt, stop=stops, temperature=0.7)], top_p=0.9, seed=5
        ).values()
        (body,) = server.asked("/chat/completions")
    assert body["messages"] == [
        {"role": "system", "content": "Be short."}, {"role": "user", "content": "ab"},
    ]  # fmt: skip
    assert (body["temperature"], body["top_p"], body["seed"]) == (0.7, 0.9, 5)
    assert body["stop"] == list("vwxy")  # the fifth is cut off here
    assert "z" not in row["predict"]
    assert row["n_tokens"] is None


def test_many_are_in_flight_and_never_more_than_asked_for(ask, tiny_llama):
    with served(tiny_llama, together=threading.Barrier(3)) as server:
        rows = ask(server, [write(n) for n in range(6)], options="?concurrency=3")
    assert len(rows) == 6  # with two at once the barrier would have broken


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
def test_what_fails_in_passing_is_asked_again(ask, tiny_llama, status):
    with served(tiny_llama) as server:
        wanted = ask(server, [write(1)], name="wanted.jsonl")["write 1"]["predict"]
        server.faults += [failing(status)] * 2  # of the list of models
        found = ask(server, [write(1)])
    assert found["write 1"]["predict"] == wanted


def test_an_answer_that_breaks_off_is_asked_for_again_whole(ask, tiny_llama, monkeypatch):
    monkeypatch.setattr("tuneval.evaluation.answering.endpoint.client.FIRST_PAUSE_SECONDS", 0.001)
    with served(tiny_llama) as server:
        wanted = ask(server, [write(1)], name="wanted.jsonl")["write 1"]["predict"]
        server.seen.clear()
        with open_endpoint(f"endpoint:{server.url}#{MODEL}") as respondent:
            assert "choose" in respondent.facts.ways
            server.faults += [breaking_off, breaking_off]
            said = respondent._client.write(
                respondent.prepare([write(1)], EvaluateConfig()).asked["write 1"],
                top_p=1.0, seed=17,
            )  # fmt: skip
        assert len(server.asked("/chat/completions")) == 3
    assert said.text == wanted


def test_a_long_failure_is_told_after_so_many_attempts(ask, tiny_llama):
    with served(tiny_llama) as server:
        server.faults += [failing(503, "overloaded")] * 9
        with pytest.raises(ModelError, match=r"failed, 3 times: .*overloaded"):
            ask(server, [write(1)], options="?retries=2")
        assert len(server.seen) == 3


def test_what_is_known_is_not_asked_again(ask, tiny_llama):
    with served(tiny_llama) as server:
        first = ask(server, [write(n) for n in range(3)])
        server.seen.clear()
        again = ask(server, [write(n) for n in range(5)])
        assert len(server.asked("/chat/completions")) == 2
    assert {name: again[name] for name in first} == first


def test_an_interrupt_keeps_what_was_answered(ask, tiny_llama):
    done = []

    def interrupt(event):
        if isinstance(event, ItemDone):
            done.append(event)
            if len(done) == 2:
                raise KeyboardInterrupt

    with served(tiny_llama) as server:
        with pytest.raises(KeyboardInterrupt):
            ask(server, [write(n) for n in range(20)], options="?concurrency=2", report=interrupt)
        n_before = len(server.asked("/chat/completions"))
        assert n_before < 20
        rows = ask(server, [write(n) for n in range(20)])
        assert len(rows) == 20
        assert len(server.asked("/chat/completions")) == n_before + 18


def test_a_question_that_is_refused_is_kept_with_the_reason(ask, tiny_llama):
    long = write(7, prompt=(Message("user", "and so on " * 40),))
    with served(tiny_llama, longest_prompt=40) as server:
        rows = ask(server, [long, write(1), write(2)], options="?concurrency=1")
    assert "maximum context length is 40" in rows["write 7"]["refused"]
    assert "predict" in rows["write 1"]


def test_where_every_question_is_refused_nothing_is_kept(ask, tiny_llama, tmp_path):
    with served(tiny_llama, longest_prompt=1) as server:
        with pytest.raises(ModelError, match=r"refuses every question so far: .*context length"):
            ask(server, [write(n) for n in range(3)])
        with pytest.raises(ModelError, match="refuses every question"):
            ask(server, [write(n) for n in range(30)])
        assert len(server.asked("/chat/completions")) < 3 + 30
    assert not (tmp_path / "answers.jsonl").exists()


def test_nobody_there_is_an_error_in_seconds():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
        with pytest.raises(ModelError, match="Nobody answers at this address"):
            open_endpoint(f"endpoint:{url}?retries=0#{MODEL}")


def test_the_key_comes_from_the_environment_and_only_the_named_one(ask, tiny_llama, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "right")
    with served(tiny_llama, key="right") as server:
        with pytest.raises(ModelError, match="refuses the key: Incorrect API key") as caught:
            ask(server, [write(1)])
        assert "TUNEVAL_ENDPOINT_KEY" in caught.value.mend
        assert ask(server, [write(1)], options="?key_variable=OPENAI_API_KEY")


def test_a_model_that_is_not_served_is_answered_with_the_near_one(tiny_llama):
    with served(tiny_llama) as server:
        with pytest.raises(ModelError, match="no model called 'tini'") as caught:
            open_endpoint(f"endpoint:{server.url}#tini")
        assert MODEL in caught.value.mend
        server.lists_models = False
        open_endpoint(f"endpoint:{server.url}#tini").close()  # it cannot be known yet
        with (
            open_endpoint(f"endpoint:{server.url}#tini") as respondent,
            pytest.raises(ModelError, match="does not exist"),
        ):
            _ = respondent.facts


@pytest.mark.parametrize(
    ("offers", "ways"),
    [
        ({}, {"generate", "choose"}),
        ({"echoes": False}, {"generate"}),
        ({"takes_texts": False}, {"generate"}),
    ],
)
def test_ways_are_what_the_address_offers(tiny_llama, offers, ways):
    with (
        served(tiny_llama, **offers) as server,
        open_endpoint(f"endpoint:{server.url}#{MODEL}") as respondent,
    ):
        assert respondent.facts.ways == ways
        assert respondent.facts.model == f"endpoint:{server.url}#{MODEL}"


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (choose(1, prompt=(Message("user", "a"),)), "the likelihood of choices in a conversation"),
        (write(1, begins="The answer is"), "the answer's beginning"),
        (write(1, prompt="go on"), "takes conversations only"),
    ],
)
def test_what_an_address_cannot_do_is_refused_with_what_to_choose(ask, tiny_llama, question, said):
    with (
        served(tiny_llama, takes_texts=False) as server,
        pytest.raises(UsageError, match=said) as caught,
    ):
        ask(server, [question])
    assert "choose" in caught.value.mend


def test_a_task_at_an_address_is_one_command(tiny_llama, tiny_llama_folder, tmp_path, capsys):
    rows = [{"question": f"What is {n}?", "choices": ["a", "bb"], "answer": "A"} for n in range(5)]
    file = tmp_path / "own.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    words = ["evaluate", "--task", f"multiple_choice={file},protocol=texts,chat=false", "--json"]
    with served(tiny_llama) as server:
        models = ["--model", f"far=endpoint:{server.url}?concurrency=2#{MODEL}"]
        assert main([*words, *models, "--model", f"near={tiny_llama_folder}", "--to",
                     str(tmp_path / "to")]) == 0  # fmt: skip
        told = json.loads(capsys.readouterr().out)
        n_before = len(server.seen)
        assert main([*words, *models, "--to", str(tmp_path / "to")]) == 0
        assert len(server.seen) == n_before  # finished: nobody is asked
    far, near = (next(iter(told["evaluations"][label].values())) for label in ("far", "near"))
    assert far["model"] == f"endpoint:{server.url}#{MODEL}"
    for name, metric in near["metrics"].items():
        assert far["metrics"][name]["estimate"]["value"] == metric["estimate"]["value"]


def test_what_is_refused_is_not_scored_and_says_why(tiny_llama, tmp_path, capsys):
    turns = [("short", "a"), ("so on and on " * 40, "b"), ("brief", "c")]
    rows = [{"instruction": asked, "input": "", "output": said} for asked, said in turns]
    file = tmp_path / "own.json"
    file.write_text(json.dumps(rows), encoding="utf-8")
    with served(tiny_llama, longest_prompt=60) as server:
        words = ["evaluate", "--task", f"generation={file}", "--to", str(tmp_path / "to")]
        model = f"far=endpoint:{server.url}#{MODEL}"
        assert main([*words, "--model", model, "--max-new-tokens", "4", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["evaluations"]["far"]["generation"]
    assert told["counts"]["generated"] == 2
    ((reason, count),) = told["skipped"]["generated"].items()
    assert (reason, count) == ("This model's maximum context length is 60 tokens.", 1)


def test_an_address_is_read_with_its_options():
    found = parse_endpoint("endpoint:https://h:1/v1/?concurrency=3&timeout_seconds=1.5#owner/m:x")
    assert (found.url, found.model) == ("https://h:1/v1", "owner/m:x")
    assert (found.concurrency, found.timeout_seconds) == (3, 1.5)
    reference = parse_reference("endpoint:https://h:1/v1?retries=0#owner/m:x")
    assert (reference.kind, reference.text) == ("endpoint", "endpoint:https://h:1/v1#owner/m:x")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("endpoint:h:80/v1#m", "not the address of a model"),
        ("endpoint:http://h/v1", "not the address of a model"),
        ("endpoint:http://h/v1?concurency=3#m", "no option 'concurency'"),
        ("endpoint:http://h/v1?concurrency=0#m", "'0' cannot be the concurrency"),
        ("endpoint:http://h/v1?timeout_seconds=nan#m", "'nan' cannot be"),
    ],
)
def test_what_is_no_address_is_refused(text, said):
    with pytest.raises(UsageError, match=said):
        parse_endpoint(text)


def test_an_address_has_no_weights_to_load():
    with pytest.raises(ModelError, match="has no weights here"):
        load_model("endpoint:http://h/v1#m")
