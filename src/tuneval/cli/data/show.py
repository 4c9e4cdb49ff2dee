"""`tuneval data show`: an example's tokens, those that are trained in colour, the others dim."""

from __future__ import annotations

from itertools import islice
from typing import Any

import click

from tuneval.cli.console import answer, json_option, progress


@click.command()
@click.argument("file")
@click.option("--model", required=True, help="The model whose tokens to show.")
@click.option("--template", default="auto", show_default=True, help="The chat template.")
@click.option("--limit", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--max-length", type=click.IntRange(min=1), help="Cut as training would.")
@json_option
def show(
    file: str, model: str, template: str, limit: int, max_length: int | None, as_json: bool
) -> None:
    """Show the first examples of FILE as tokens, those that training learns in colour."""
    from tuneval.data.read import read
    from tuneval.models.load import load_tokenizer
    from tuneval.tokenization import load_template
    from tuneval.tokenization.show import show as pieces

    with progress() as report:
        tokenizer = load_tokenizer(model, report=report)
    shape = load_template(tokenizer, template)
    rows = []
    for example in islice(read(file), limit):
        encoded = shape.encode(example, max_length=max_length)
        parts = [
            {"text": s.text, "ids": list(s.ids), "trained": s.trained}
            for s in pieces(encoded.tokens, tokenizer)
        ]
        rows.append(
            {
                "example": example.id,
                "where": str(example.source),
                "n_tokens": len(encoded.tokens),
                "n_trained": encoded.tokens.n_trained,
                "truncated": encoded.truncation is not None,
                "tokens": parts,
            }
        )
    content = {"template": shape.name, "template_hash": shape.hash, "examples": rows}
    answer(as_json, content, _draw_all)


def draw(where: str, tokens: list[dict[str, Any]]) -> None:
    """One example: a head line, then its text."""
    n_trained = sum(t["trained"] for t in tokens)
    click.secho(f"{where}: {n_trained} of {len(tokens)} tokens are trained (green)", bold=True)
    for token in tokens:
        text = token["text"]
        if token["trained"]:
            click.secho(text, fg="green", underline=True, nl=False)
        else:
            click.secho(text, dim=True, nl=False)
    click.echo("\n")


def _draw_all(content: dict[str, Any]) -> None:
    for example in content["examples"]:
        draw(example["where"], example["tokens"])
    click.echo(f"template: {content['template']} ({content['template_hash']})")
