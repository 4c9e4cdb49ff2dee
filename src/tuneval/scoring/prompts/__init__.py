"""The texts around a record: built-in ones (YAML, beside this file) and a person's own."""

from tuneval.scoring.prompts.prompts import BUILT_IN, CHAT, Prompts, Target, cut, load_prompts

__all__ = ["BUILT_IN", "CHAT", "Prompts", "Target", "cut", "load_prompts"]
