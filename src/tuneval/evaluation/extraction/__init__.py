"""How an answer is read from what a model writes: the extractors, chosen by name.

`extract("ceval_few_shot", text, item_id=…)` gives what each reading finds: "strict" takes only an
answer given in so many words, "lenient" what a kind reader would take for it, "official" is the
reading of the benchmark's own script with its known faults, where there is one. The metrics in
`metrics/extraction.py` set them side by side.
May import: catalog. Standard library otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping

from tuneval.catalog import Catalog
from tuneval.evaluation.extraction.extractor import Extractor

_HERE = "tuneval.evaluation.extraction"
EXTRACTORS = Catalog(
    "extractor",
    {
        "letter": f"{_HERE}.letters:LETTER",
        "letters": f"{_HERE}.letters:LETTERS",
        "number": f"{_HERE}.numbers:NUMBER",
        "gsm8k": f"{_HERE}.numbers:GSM8K",
        "gsm8k_cot": f"{_HERE}.numbers:GSM8K_COT",
        "boxed": f"{_HERE}.numbers:BOXED_NUMBER",
        "maths": f"{_HERE}.maths:MATHS",
        "pandalm": f"{_HERE}.pandalm:PANDALM",
        "pandalm_strict": f"{_HERE}.pandalm:PANDALM_STRICT",
        "first_capital": f"{_HERE}.opencompass:FIRST_CAPITAL",
        "first_option": f"{_HERE}.opencompass:FIRST_OPTION",
        "first_capitals": f"{_HERE}.opencompass:FIRST_CAPITALS",
        "ceval_few_shot": f"{_HERE}.ceval:FEW_SHOT",
        "ceval_zero_shot": f"{_HERE}.ceval:ZERO_SHOT",
        "ceval_cot": f"{_HERE}.ceval:COT",
        "ceval_cot_text": f"{_HERE}.ceval:COT_TEXT",
        "cmmlu": f"{_HERE}.cmmlu:CMMLU",
        "cmmlu_random": f"{_HERE}.cmmlu:CMMLU_RANDOM",
        "agieval_zero_shot": f"{_HERE}.agieval:ZERO_SHOT",
        "agieval_few_shot_en": f"{_HERE}.agieval:FEW_SHOT_EN",
        "agieval_few_shot_zh": f"{_HERE}.agieval:FEW_SHOT_ZH",
        "agieval_cot_en": f"{_HERE}.agieval:COT_EN",
        "agieval_cot_zh": f"{_HERE}.agieval:COT_ZH",
        "agieval_letters": f"{_HERE}.agieval:LETTERS_ANYWHERE",
        "agieval_letters_cot": f"{_HERE}.agieval:LETTERS_COT",
        "agieval_maths": f"{_HERE}.agieval:MATHS",
        "agieval_maths_few_shot": f"{_HERE}.agieval:MATHS_FEW_SHOT",
        "agieval_maths_cot": f"{_HERE}.agieval:MATHS_COT",
        "agieval_maths_lm_eval": f"{_HERE}.agieval:MATHS_LM_EVAL",
    },
)


def load_extractor(name: str) -> Extractor:
    """The extractor called `name`. Raises UsageError with near names."""
    found: Extractor = EXTRACTORS.load(name)
    return found


def extract(name: str, answer: str, *, item_id: str) -> Mapping[str, str | None]:
    """What each reading of the extractor finds in an answer, by reading; None for nothing."""
    return load_extractor(name).read(answer, item_id=item_id)


def catalog() -> list[Extractor]:
    """Every extractor, in the table's order."""
    return [load_extractor(name) for name in EXTRACTORS]
