"""The one object that turns a conversation into text and tokens.

A template is a Jinja text. With `auto` it is the tokenizer's own chat template; a name picks a
built-in. Prompt and response are tokenised apart, so their boundary is exact and training sees
the ids that generation starts from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from tuneval.catalog import did_you_mean
from tuneval.data.example import Example, Message
from tuneval.errors import DataError, ModelError, UsageError
from tuneval.tokenization.chat_templates import CHAT_TEMPLATES, chat_template_text
from tuneval.tokenization.tokens import Encoded, Tokens
from tuneval.tokenization.truncate import IdsAndMask, fit

Tools = Sequence[Mapping[str, Any]]
_MARK = "a1b2c3"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of rendered text. `trained` text begins right after an assistant header."""

    text: str
    trained: bool


@dataclass(frozen=True)
class Template:
    """A chat template bound to a tokenizer."""

    name: str
    source: str
    tokenizer: Any

    @cached_property
    def hash(self) -> str:
        """16 hex digits over the Jinja text and the tokens that end a turn."""
        material = "\x00".join([self.source, *map(str, self.stop_ids)])
        return hashlib.sha256(material.encode()).hexdigest()[:16]

    @cached_property
    def stop_ids(self) -> tuple[int, ...]:
        """Token ids that end an assistant turn: the template's own end of turn, then EOS."""
        ids = []
        for piece in self.pieces((Message("user", "u"), Message("assistant", _MARK))):
            if piece.trained:
                after = self._ids(piece.text.rsplit(_MARK, 1)[-1])
                if after and after[0] in set(self.tokenizer.all_special_ids):
                    ids.append(after[0])
        if self.tokenizer.eos_token_id is not None:
            ids.append(self.tokenizer.eos_token_id)
        if not ids:
            raise ModelError(
                "The template and the tokenizer have no token that ends a turn.",
                where=f"template '{self.name}'",
                mend="choose a tokenizer with an EOS token or a template that ends turns",
            )
        return tuple(dict.fromkeys(ids))

    def render(
        self, messages: Sequence[Message], tools: Tools = (), *, add_header: bool = False
    ) -> str:
        """The conversation as text; `add_header` opens an assistant turn at the end."""
        try:
            text = self.tokenizer.apply_chat_template(
                [_as_row(message) for message in messages],
                tools=[dict(tool) for tool in tools] or None,
                chat_template=self.source,
                tokenize=False,
                add_generation_prompt=add_header,
            )
        except Exception as error:
            # Templates are programs of the model's makers and raise whatever they like
            # (jinja2's TemplateError, TypeError); the conversation does not fit the template.
            raise DataError(
                f"The chat template refuses this conversation: {error}",
                where=f"template '{self.name}', roles {[m.role for m in messages]}",
                mend="mend the roles, or choose another template",
            ) from error
        return str(text)

    def pieces(self, messages: Sequence[Message], tools: Tools = ()) -> list[Piece]:
        """The rendered conversation cut at the exact borders of its trained turns."""
        pieces: list[Piece] = []
        done = ""
        for index, message in enumerate(messages):
            if not (message.role == "assistant" and message.is_trained):
                continue
            prompt = self._prompt_text(messages[:index], message, tools)
            turn = self.render(messages[: index + 1], tools)
            if not (prompt.startswith(done) and turn.startswith(prompt)):
                raise DataError(
                    "The chat template changes earlier turns as the conversation grows, "
                    "so its turns cannot be trained together.",
                    where=f"template '{self.name}', turn {index + 1}",
                    mend="write one example per answer, or choose another template (chatml)",
                )
            pieces.append(Piece(prompt[len(done) :], trained=False))
            pieces.append(Piece(turn[len(prompt) :], trained=True))
            done = turn
        whole = self.render(messages, tools)
        self._refuse_silent_loss(whole, messages, tools)
        if len(whole) > len(done):
            pieces.append(Piece(whole[len(done) :], trained=False))
        return [piece for piece in pieces if piece.text]

    def encode(self, example: Example, *, max_length: int | None = None) -> Encoded:
        """The example as `Tokens`, shortened to `max_length` tokens by the rules of `truncate`.

        Raises DataError when no response token would be left or nothing is trained.
        """
        encode = partial(self._encode_whole, tools=example.tools)
        fitted = fit(example.messages, max_length=max_length, encode=encode)
        ids, mask = fitted.ids, fitted.mask
        if not mask.any():
            raise DataError(
                "No response token is left to train on."
                if fitted.truncation
                else "The example has no assistant turn to train on.",
                where=str(example.source),
                mend="raise max_length, or shorten or remove the example",
            )
        return Encoded(Tokens(ids, mask, example.id), fitted.truncation)

    def encode_prompt(
        self, messages: Sequence[Message], tools: Tools = (), *, max_length: int | None = None
    ) -> list[int]:
        """Token ids of the conversation with an open assistant turn at its end."""
        encode = partial(self._encode_open, tools=tools)
        fitted = fit(tuple(messages), max_length=max_length, encode=encode)
        return [int(i) for i in fitted.ids]

    def _prompt_text(self, before: Sequence[Message], answer: Message, tools: Tools) -> str:
        """Everything up to the first character the model must write."""
        opened = self.render(before, tools, add_header=True)
        turn = self.render([*before, answer], tools)
        if turn.startswith(opened):
            return opened
        # Some templates open a turn otherwise than they render a finished one (an empty
        # thinking block, say): the border is then where the answer's own text begins.
        base = self.render(before, tools) if before else ""
        text = answer.content.strip()
        start = turn.find(text, len(base)) if text and turn.startswith(base) else -1
        if start < 0:
            raise DataError(
                "The chat template does not keep the answer's text, so it cannot be trained.",
                where=f"template '{self.name}'",
                mend="choose another template (chatml, plain, alpaca)",
            )
        return turn[:start]

    def _refuse_silent_loss(self, text: str, messages: Sequence[Message], tools: Tools) -> None:
        """Raise DataError when the template leaves out what tools are, were asked or answered."""
        wanted = {
            "the tools": [_function_name(tool) for tool in tools],
            "tool calls": [call.name for message in messages for call in message.tool_calls],
            "answers of tools": [m.content.strip() for m in messages if m.role == "tool"],
        }
        for what, parts in wanted.items():
            if any(_not_in(part, text) for part in parts):
                raise DataError(
                    f"The chat template does not write {what}: they would be lost.",
                    where=f"template '{self.name}'",
                    mend="choose a model whose own template knows tools, or leave the record out",
                )

    def _encode_whole(self, messages: Sequence[Message], tools: Tools = ()) -> IdsAndMask:
        """Every piece, less what follows the last target: it can change no loss."""
        encoded = self._encode_pieces(self.pieces(messages, tools))
        end = int(encoded.mask.nonzero()[0][-1]) + 1 if encoded.mask.any() else None
        return IdsAndMask(encoded.ids[:end], encoded.mask[:end])

    def _encode_open(self, messages: Sequence[Message], tools: Tools = ()) -> IdsAndMask:
        """The ids training has before the answer: cut the pieces of a conversation with one."""
        pieces = self.pieces([*messages, Message("assistant", _MARK)], tools)
        last = max(i for i, piece in enumerate(pieces) if piece.trained)
        encoded = self._encode_pieces(pieces[:last])
        return IdsAndMask(encoded.ids, np.zeros_like(encoded.mask))

    def _encode_pieces(self, pieces: Sequence[Piece]) -> IdsAndMask:
        ids: list[int] = []
        mask: list[bool] = []
        for piece in pieces:
            piece_ids = self._ids(piece.text)
            n_trained = self._turn_length(piece_ids) if piece.trained else 0
            if piece.trained and n_trained == 0:
                piece_ids.append(self.stop_ids[-1])  # the template ends no turn: EOS does
                n_trained = len(piece_ids)
            ids += piece_ids
            mask += [True] * n_trained + [False] * (len(piece_ids) - n_trained)
        return IdsAndMask(np.array(ids, dtype=np.int32), np.array(mask, dtype=np.bool_))

    def _turn_length(self, ids: list[int]) -> int:
        """Number of leading ids up to and with the last end-of-turn token; 0 without one."""
        for position in range(len(ids) - 1, -1, -1):
            if ids[position] in self.stop_ids:
                return position + 1
        return 0

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])


def load_template(tokenizer: Any, name: str = "auto") -> Template:
    """The tokenizer's own chat template (`auto`), or a built-in one by name."""
    if name == "auto":
        own = getattr(tokenizer, "chat_template", None)
        if isinstance(own, str) and own:
            return Template("tokenizer", own, tokenizer)
        raise UsageError(
            "The tokenizer has no chat template of its own.",
            where=str(getattr(tokenizer, "name_or_path", "")),
            mend="choose a template by name: " + ", ".join(CHAT_TEMPLATES),
        )
    if name not in CHAT_TEMPLATES:
        raise UsageError(
            f"There is no template called '{name}'.",
            mend=did_you_mean(name, ["auto", *CHAT_TEMPLATES]),
        )
    return Template(name, chat_template_text(name), tokenizer)


def _as_row(message: Message) -> dict[str, Any]:
    """A message as the templates expect it: transformers' form, with arguments as an object."""
    row: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        row["tool_calls"] = [
            {
                "type": "function",
                "function": {"name": call.name, "arguments": json.loads(call.arguments)},
            }
            | ({} if call.id is None else {"id": call.id})
            for call in message.tool_calls
        ]
    more = {"tool_call_id": message.tool_call_id, "name": message.name}
    return row | {key: value for key, value in more.items() if value is not None}


def _function_name(tool: Mapping[str, Any]) -> str:
    """The name in a tool's schema, with or without the frame `{"type", "function"}`."""
    function = tool.get("function", tool)
    return str(function.get("name", "")) if isinstance(function, Mapping) else ""


def _not_in(part: str, text: str) -> bool:
    """Whether the text has it neither as it is nor written as a JSON text."""
    return part not in text and json.dumps(part, ensure_ascii=False)[1:-1] not in text
