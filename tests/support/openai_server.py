"""A small HTTP server that speaks OpenAI's protocol, in front of a loaded model.

Layouts are those of OpenAI's reference and of vLLM's server: `/models`, `/chat/completions` and
`/completions` with streams of `data:` lines, `echo` with `logprobs`, and errors as `{"error": …}`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import torch

from tuneval.data.example import Message
from tuneval.models.generation import generate
from tuneval.tokenization import load_template

MODEL = "tiny"
Fault = Callable[["Handler"], None]


@dataclass
class Server:
    """What it does and what it saw. `faults` are met by the next requests, one each.

    `together` waits until so many requests are there at once.
    """

    loaded: Any
    key: str | None = None
    lists_models: bool = True
    takes_texts: bool = True
    echoes: bool = True
    counts: bool = True
    miscounts: int = 0
    longest_prompt: int | None = None
    together: threading.Barrier | None = None
    faults: list[Fault] = field(default_factory=list)
    seen: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""

    def asked(self, path: str) -> list[dict[str, Any]]:
        """The bodies of the requests to a path, in order."""
        return [body for seen, body in self.seen if seen == path]


@contextmanager
def served(loaded: Any, **how: Any) -> Iterator[Server]:
    """The server on a free port of this machine, for as long as the block runs."""
    state = Server(loaded, **how)
    http = ThreadingHTTPServer(("127.0.0.1", 0), type("Here", (Handler,), {"state": state}))
    state.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


def failing(status: int, message: str = "busy", **headers: str) -> Fault:
    """Answers with an error, to be asked again after a millisecond."""

    def fault(handler: Handler) -> None:
        handler.error(status, message, **{"retry-after-ms": "1", **headers})

    return fault


def breaking_off(handler: Handler) -> None:
    """Begins a stream and ends it in the middle of an answer."""
    handler.begin_stream()
    handler.event({"choices": [{"index": 0, "delta": {"content": "half"}, "text": "half"}]})


class Handler(BaseHTTPRequestHandler):
    state: Server
    protocol_version = "HTTP/1.0"

    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        if self.meets_fault({}) or self.refuses_key():
            return
        if not self.state.lists_models:
            return self.error(404, "Not Found")
        self.answer({"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.state.together is not None and body.get("stream"):
            self.state.together.wait(timeout=10)
        if self.meets_fault(body) or self.refuses_key():
            return
        if body["model"] != MODEL:
            return self.error(404, f"The model `{body['model']}` does not exist.")
        path = self.path.removeprefix("/v1")
        if path == "/chat/completions":
            template = load_template(self.state.loaded.tokenizer, "auto")
            said = [Message(m["role"], m["content"]) for m in body["messages"]]
            return self.write(body, list(template.encode_prompt(said)), template.stop_ids)
        if path != "/completions" or not self.state.takes_texts:
            return self.error(404, "Not Found")
        if body.get("echo"):
            return self.echo(body)
        tokenizer = self.state.loaded.tokenizer
        ids = tokenizer.encode(body["prompt"])
        if not body.get("stream"):
            return self.answer({"choices": [{"index": 0, "text": "", "finish_reason": "length"}]})
        self.write(body, ids, (tokenizer.eos_token_id,))

    def meets_fault(self, body: dict[str, Any]) -> bool:
        with self.state.lock:
            self.state.seen.append((self.path.removeprefix("/v1"), body))
            fault = self.state.faults.pop(0) if self.state.faults else None
        if fault is not None:
            fault(self)
        return fault is not None

    def refuses_key(self) -> bool:
        wrong = self.state.key and self.headers["authorization"] != f"Bearer {self.state.key}"
        if wrong:
            self.error(401, "Incorrect API key provided.")
        return bool(wrong)

    def write(self, body: dict[str, Any], ids: list[int], stop_ids: Any) -> None:
        longest = self.state.longest_prompt
        if longest is not None and len(ids) > longest:
            return self.error(400, f"This model's maximum context length is {longest} tokens.")
        with self.state.lock:
            (said,) = generate(
                self.state.loaded.model,
                [ids],
                stop_ids=stop_ids,
                max_new_tokens=body.get("max_tokens") or body["max_completion_tokens"],
                temperature=body["temperature"],
                seed=body.get("seed", 17),
            )
        text = self.state.loaded.tokenizer.decode(list(said.ids), skip_special_tokens=True)
        reason = said.finish_reason
        for stop in body.get("stop", []):
            if stop in text:
                text, reason = text[: text.index(stop)], "stop"
        self.begin_stream()
        half = len(text) // 2
        for part, why in ((text[:half], None), (text[half:], None), ("", reason)):
            self.event(
                {"choices": [{"index": 0, "delta": {"content": part}, "text": part,
                              "finish_reason": why}]}
            )  # fmt: skip
        if self.state.counts:
            n_tokens = len(said.ids)
            self.event({"choices": [], "usage": usage(len(ids), n_tokens)})
        self.wfile.write(b"data: [DONE]\n\n")

    def echo(self, body: dict[str, Any]) -> None:
        choices, n_tokens = [], 0
        for index, prompt in enumerate(body["prompt"]):
            ids = self.state.loaded.tokenizer.encode(prompt)
            with self.state.lock, torch.no_grad():
                logits = self.state.loaded.model(torch.tensor([ids])).logits[0]
            logprobs = logits.double().log_softmax(-1)
            told = [None] + [float(logprobs[n, token]) for n, token in enumerate(ids[1:])]
            told.append(float(logprobs[-1].max()))  # the token that max_tokens=1 adds
            found = {"token_logprobs": told} if self.state.echoes else None
            choices.append({"index": index, "text": prompt, "logprobs": found})
            n_tokens += len(ids)
        counted = usage(n_tokens + self.state.miscounts, 1) if self.state.counts else None
        self.answer({"choices": choices[::-1], "usage": counted})

    def begin_stream(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()

    def event(self, content: dict[str, Any]) -> None:
        self.wfile.write(f"data: {json.dumps({'id': 'x', **content})}\n\n".encode())

    def answer(self, content: dict[str, Any], status: int = 200, **headers: str) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def error(self, status: int, message: str, **headers: str) -> None:
        self.answer({"error": {"message": message, "type": "error"}}, status, **headers)


def usage(n_prompt: int, n_said: int) -> dict[str, int]:
    return {
        "prompt_tokens": n_prompt,
        "completion_tokens": n_said,
        "total_tokens": n_prompt + n_said,
    }
