"""The checkable instructions, by id: IFEval's 25, and further ones.

The ids and arguments are those of Zhou et al. (2023), so that its file can be asked as it is.
Where a check differs from theirs it is to be right in Chinese too (sentences, words, commas), or
to need no guess (the language is told by its script).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import Parameter, signature
from typing import Any

from tuneval.catalog import did_you_mean
from tuneval.errors import DataError
from tuneval.evaluation.instructions import form, wording
from tuneval.evaluation.metric import Unscored

Check = Callable[..., "bool | Unscored"]
Instruction = Mapping[str, Any]
"""`id` with the arguments of its check, as in {"id": "keywords:existence", "keywords": […]}."""

CHECKS: Mapping[str, Check] = {
    "keywords:existence": wording.says,
    "keywords:frequency": wording.says_often,
    "keywords:forbidden_words": wording.avoids,
    "keywords:letter_frequency": wording.uses_letter,
    "language:response_language": wording.is_in_language,
    "length_constraints:number_sentences": form.has_sentences,
    "length_constraints:number_paragraphs": form.has_paragraphs,
    "length_constraints:number_words": form.has_words,
    "length_constraints:nth_paragraph_first_word": form.begins_paragraph,
    "detectable_content:number_placeholders": form.has_placeholders,
    "detectable_content:postscript": wording.has_postscript,
    "detectable_format:number_bullet_lists": form.has_bullets,
    "detectable_format:constrained_response": wording.is_one_of,
    "detectable_format:number_highlighted_sections": form.has_highlights,
    "detectable_format:multiple_sections": form.has_sections,
    "detectable_format:json_format": form.is_json,
    "detectable_format:title": form.has_title,
    "combination:two_responses": form.has_two_responses,
    "combination:repeat_prompt": wording.repeats,
    "startend:end_checker": wording.ends_with,
    "startend:quotation": wording.is_quoted,
    "change_case:capital_word_frequency": wording.shouts,
    "change_case:english_capital": wording.is_upper,
    "change_case:english_lowercase": wording.is_lower,
    "punctuation:no_comma": wording.has_no_comma,
    # Beyond IFEval.
    "startend:start_checker": wording.begins_with,
    "punctuation:forbidden_marks": wording.has_no_marks,
    "keywords:no_digits": wording.has_no_digit,
    "length_constraints:number_characters": form.has_characters,
    "length_constraints:number_lines": form.has_lines,
    "length_constraints:line_characters": form.has_even_lines,
    "length_constraints:blank_line_paragraphs": form.has_blank_line_paragraphs,
    "detectable_format:numbered_list": form.has_numbered_list,
    "detectable_format:json_keys": form.has_json_keys,
    "detectable_format:table": form.has_table,
}


def check(answer: str, instruction: Instruction) -> bool | Unscored:
    """Whether an answer does as one instruction says; an empty one never does."""
    arguments = {name: value for name, value in instruction.items() if name != "id"}
    return bool(answer.strip()) and CHECKS[instruction["id"]](answer, **arguments)


def instruction_from(name: str, arguments: Mapping[str, Any], *, where: str) -> dict[str, Any]:
    """The instruction, checked; an argument that is None or empty counts as not given.

    Raises DataError for an unknown id or argument, or one that is missing.
    """
    if name not in CHECKS:
        raise DataError(
            f"There is no instruction '{name}'.", where=where, mend=did_you_mean(name, dict(CHECKS))
        )
    given = {key: value for key, value in arguments.items() if value not in (None, "", [])}
    _, *known = signature(CHECKS[name]).parameters.values()
    unknown = given.keys() - {parameter.name for parameter in known}
    missing = {p.name for p in known if p.default is Parameter.empty} - given.keys()
    for faults, what in ((unknown, "knows no"), (missing, "needs")):
        if faults:
            raise DataError(
                f"The instruction '{name}' {what} {', '.join(sorted(faults))}.",
                where=where,
                mend=f"give it: {', '.join(p.name for p in known) or 'nothing'}",
            )
    return {"id": name, **given}
