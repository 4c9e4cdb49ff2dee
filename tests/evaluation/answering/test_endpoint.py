"""A model asked at an address: the answers of the same model here, whatever happens on the way."""

from __future__ import annotations

import json
import socket
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import pytest
from openai_server import MODEL, breaking_off, failing, served

pytest.importorskip("openai")

from tuneval.cli.main import main
from tuneval.data.example import Message
from tuneval.errors import ModelError, UsageError
from tuneval.evaluation.answering.endpoint.client import Client
from tuneval.evaluation.answering.endpoint.failures import RefusedError, pause
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
    monkeypatch.setattr("tuneval.evaluation.answering.endpoint.failures.FIRST_PAUSE_SECONDS", 0.001)
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
        with pytest.raises(ModelError, match=r"failed, asked 3 times: .*overloaded"):
            ask(server, [write(1)], options="?retries=2")
        assert len(server.seen) == 3


def told(status, **headers):
    """An error as the package raises it."""
    error = RuntimeError("busy")
    error.status_code, error.response = status, SimpleNamespace(headers=headers)
    return error


def test_an_address_says_how_long_to_wait():
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert pause(1, told(429, **{"retry-after": "45"})) == 45.0
    assert 85 < pause(1, told(503, **{"retry-after": soon})) <= 90
    assert pause(9, told(429, **{"retry-after-ms": "1500", "retry-after": "2"})) == 1.5
    assert pause(1, told(429, **{"retry-after": "-3"})) == 0.0
    assert 0 < pause(1, told(429, **{"retry-after": "soon"})) <= 0.5 < pause(3, told(429)) <= 2
    assert pause(1, told(429, **{"retry-after": "3600"})) is None


def test_who_wants_to_be_asked_another_day_is_not_waited_for(ask, tiny_llama):
    with served(tiny_llama) as server:
        far = {"retry-after-ms": "", "retry-after": "3600"}
        server.faults += [failing(429, "quota", **far)]
        with pytest.raises(ModelError, match="asked once: quota") as caught:
            ask(server, [write(1)])
        assert "in 3600 seconds" in caught.value.mend


def busy():
    import openai

    error = openai.APIError("busy", None, body=None)
    error.status_code = 429
    return error


@pytest.mark.parametrize("answers_others", [True, False])
def test_being_busy_with_other_questions_is_no_failure(monkeypatch, answers_others):
    monkeypatch.setattr("tuneval.evaluation.answering.endpoint.failures.FIRST_PAUSE_SECONDS", 1e-4)
    client = Client(parse_endpoint("endpoint:http://127.0.0.1:1/v1?retries=1#m"))
    attempts = []

    def stream(asked, top_p, seed):
        attempts.append(asked)
        if asked == "another" or len(attempts) > 9:
            return "said"
        if answers_others:
            client.write("another", top_p=1.0, seed=1)
        raise busy()

    monkeypatch.setattr(client, "_stream", stream)
    if answers_others:
        assert client.write("one", top_p=1.0, seed=1) == "said"
        assert attempts.count("one") == 6
    else:
        with pytest.raises(ModelError, match="asked 2 times: busy"):
            client.write("one", top_p=1.0, seed=1)


def test_what_is_on_its_way_when_another_question_fails_is_kept(tiny_llama, tmp_path):
    with served(tiny_llama) as server:
        with open_endpoint(f"endpoint:{server.url}?concurrency=2#{MODEL}") as respondent:
            ready = respondent.prepare([write(n) for n in range(9)], EvaluateConfig())
            kept = Kept(tmp_path / "answers.jsonl", wanted=ready.asked.keys())
            server.together = threading.Barrier(2)
            server.faults += [failing(402, "no credit")]
            with pytest.raises(ModelError, match="asked once: no credit"):
                respondent.answer(ready, kept=kept, stage="answers", report=lambda event: None)
        assert len(server.asked("/chat/completions")) == 2
    assert len(kept) == 1


@pytest.mark.parametrize(("code", "asked"), [(503, 2), (None, 2), (400, 1)])
def test_an_error_in_the_middle_of_an_answer_is_judged_by_its_code(tiny_llama, code, asked):
    def fault(handler):
        handler.begin_stream()
        handler.event({"error": {"message": "out of it", "code": code}})

    with served(tiny_llama) as server:
        with open_endpoint(f"endpoint:{server.url}#{MODEL}") as respondent:
            (sent,) = respondent.prepare([write(1)], EvaluateConfig()).asked.values()
            server.faults += [fault]
            client = respondent._client
            if asked == 1:
                with pytest.raises(RefusedError, match="out of it"):
                    client.write(sent, top_p=1.0, seed=1)
            else:
                assert client.write(sent, top_p=1.0, seed=1).finish_reason
        assert len(server.asked("/chat/completions")) == asked


def test_a_model_that_wants_the_length_called_otherwise_is_asked_so_from_then_on(tiny_llama):
    said = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
    with served(tiny_llama) as server:
        with open_endpoint(f"endpoint:{server.url}#{MODEL}") as respondent:
            sent = respondent.prepare([write(1), write(2)], EvaluateConfig()).asked.values()
            server.faults += [failing(400, said)]
            for one in sent:
                assert respondent._client.write(one, top_p=1.0, seed=1).n_tokens <= 6
        bodies = server.asked("/chat/completions")
    assert [sorted(body.keys() & {"max_tokens", "max_completion_tokens"}) for body in bodies] == [
        ["max_tokens"], ["max_completion_tokens"], ["max_completion_tokens"],
    ]  # fmt: skip


def test_a_page_for_browsers_is_no_model(tiny_llama):
    def page(handler):
        data = b"<html>Welcome</html>"
        handler.send_response(200)
        handler.send_header("content-type", "text/html")
        handler.send_header("content-length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    with served(tiny_llama) as server:
        server.faults += [page]
        with pytest.raises(ModelError, match="does not speak OpenAI's protocol"):
            open_endpoint(f"endpoint:{server.url}#{MODEL}")


def test_tokens_that_are_counted_otherwise_than_weighed_are_no_likelihood(ask, tiny_llama):
    with (
        served(tiny_llama, miscounts=1) as server,
        pytest.raises(ModelError, match=r"counts \d+ tokens in it and weighs \d+"),
    ):
        ask(server, [choose(1)])


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


def test_nothing_of_the_environment_that_is_for_another_address_is_sent(tiny_llama, monkeypatch):
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-secret")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Gateway: gate-secret\nauthorization: Bearer own")
    heard = []

    def listen(handler):
        heard.extend(f"{name}: {value}".lower() for name, value in handler.headers.items())
        handler.answer({"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    with served(tiny_llama) as server:
        server.faults += [listen]
        open_endpoint(f"endpoint:{server.url}#{MODEL}").close()
    assert not [line for line in heard if "secret" in line]
    assert [line for line in heard if line.startswith("authorization")] == [
        "authorization: bearer none"
    ]


def test_a_key_that_the_address_quotes_is_not_told(tiny_llama, monkeypatch):
    monkeypatch.setenv("TUNEVAL_ENDPOINT_KEY", "sk-secret")
    with served(tiny_llama) as server:
        server.faults += [failing(401, "Incorrect API key provided: sk-secret.")]
        with pytest.raises(ModelError, match="provided: …") as caught:
            open_endpoint(f"endpoint:{server.url}#{MODEL}")
    assert "secret" not in str(caught.value)


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
        ("endpoint:http://me:secret@h/v1#m", "would stand in every result"),
    ],
)
def test_what_is_no_address_is_refused(text, said):
    with pytest.raises(UsageError, match=said) as caught:
        parse_endpoint(text)
    assert "secret" not in str(caught.value)


def test_an_address_has_no_weights_to_load():
    with pytest.raises(ModelError, match="has no weights here"):
        load_model("endpoint:http://h/v1#m")
