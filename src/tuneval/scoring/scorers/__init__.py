"""The measures, each one file and one row."""

from tuneval.catalog import Catalog

SCORERS = Catalog(
    "scorer",
    {
        "prompt_ppl": "tuneval.scoring.scorers.perplexity:PromptPerplexity",
        "response_ppl": "tuneval.scoring.scorers.perplexity:ResponsePerplexity",
        "ifd": "tuneval.scoring.scorers.difficulty:InstructionFollowing",
        "r_ifd": "tuneval.scoring.scorers.difficulty:InstructionGeneration",
        "one_shot": "tuneval.scoring.scorers.one_shot:OneShot",
        "prompt_tokens": "tuneval.scoring.scorers.lengths:PromptTokens",
        "response_tokens": "tuneval.scoring.scorers.lengths:ResponseTokens",
        "repetition": "tuneval.scoring.scorers.repetition:Repetition",
        "language": "tuneval.scoring.scorers.language:LanguageMatch",
        "format": "tuneval.scoring.scorers.format:FormatFaults",
        "nearest": "tuneval.scoring.scorers.nearest:NearestNeighbour",
    },
)

PERPLEXITIES = ("prompt_ppl", "response_ppl", "ifd", "r_ifd", "one_shot")
"""The five that need a model, and the default."""
