"""What the four methods with virtual tokens have in common: they put something in front of the
input and leave the model's weights alone.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from tuneval.errors import ModelError, UsageError
from tuneval.models.methods.method import TuningMethod


class VirtualTokensMethod(TuningMethod):
    """`virtual_tokens`: how many stand in front of every input. They count towards its length."""

    cannot_merge: ClassVar[str] = "virtual tokens stand in front of the input, not in the weights"

    virtual_tokens: Annotated[int, Field(ge=1)] = 20


class FromWords(VirtualTokensMethod):
    """One whose virtual tokens begin where the model already knows its way.

    `vocabulary`: as tokens drawn from it; `text`: as those of `init_text`; `random`: as normal
    numbers that spread as those of drawn tokens do.
    """

    init: Literal["vocabulary", "text", "random"] = "vocabulary"
    init_text: str | None = None

    @model_validator(mode="after")
    def _text_where_it_is_asked_for(self) -> Self:
        if self.init == "text" and not (self.init_text or "").strip():
            raise ValueError("init 'text' needs an init_text")
        if self.init != "text" and self.init_text is not None:
            raise ValueError(f"init_text is for init 'text', not '{self.init}'")
        return self


def first_embeddings(model: Any, config: FromWords, tokenizer: Any) -> Any:
    """Embeddings of the words to begin with, (1, n, D): of the text, or drawn."""
    import torch

    words = model.get_input_embeddings()
    if config.init == "text":
        ids = torch.tensor(_text_ids(config, tokenizer))
    else:
        ids = torch.randint(words.num_embeddings, (config.virtual_tokens,))
    return words(ids.to(words.weight.device))[None].detach()


def _text_ids(config: FromWords, tokenizer: Any) -> list[int]:
    """One token of the text for each virtual one; a shorter text is repeated, a longer one cut."""
    if tokenizer is None:
        raise UsageError("init 'text' needs the model's tokenizer.", where="method.init")
    ids = tokenizer(config.init_text, add_special_tokens=False)["input_ids"]
    if not ids:
        raise ModelError(
            f"The tokenizer makes no tokens of {config.init_text!r}.", where="method.init_text"
        )
    repeats = -(-config.virtual_tokens // len(ids))
    return list(ids * repeats)[: config.virtual_tokens]


def wrap(model: Any, settings: Any) -> Any:
    """The model in peft's wrapper, only what makes its virtual tokens trainable."""
    import peft

    longest = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if longest is not None and settings.num_virtual_tokens >= longest:
        raise ModelError(
            f"{settings.num_virtual_tokens} virtual tokens leave no room: the model reads "
            f"{longest} tokens.",
            where="method.virtual_tokens",
            mend="choose fewer",
        )
    return peft.get_peft_model(model, settings)


def put_in(wrapped: Any, start: Any) -> None:
    """Let what is trained, where that is the virtual tokens themselves, begin as `start`."""
    import torch

    with torch.no_grad():
        wrapped.prompt_encoder[wrapped.active_adapter].embedding.weight.copy_(start)
