"""From a conversation to token ids with a loss mask, the same way everywhere.

One `Template` serves training, prediction, evaluation and chat; its hash is recorded.
Verbs: `load_template`, `Template.encode`, `Template.encode_prompt`, `encode_all`, `pack`, `show`.
May import: data, catalog, files, errors. The tokenizer object comes from the caller.
"""

from tuneval.tokenization.encode import EncodedSet, encode_all
from tuneval.tokenization.identity import tokenizer_hash
from tuneval.tokenization.pack import pack
from tuneval.tokenization.template import Template, load_template
from tuneval.tokenization.tokens import Encoded, Tokens, Truncation

__all__ = [
    "Encoded",
    "EncodedSet",
    "Template",
    "Tokens",
    "Truncation",
    "encode_all",
    "load_template",
    "pack",
    "tokenizer_hash",
]
