"""Held-out text: how well a model predicts it, whatever its tokenizer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tuneval import files
from tuneval.data.example import Text
from tuneval.data.read import read_items
from tuneval.errors import DataError
from tuneval.evaluation.question import Question
from tuneval.evaluation.task import Questions, Task, TaskAbout

PLAIN_TEXT = (".txt", ".md")


class HeldOutText(Task):
    """The likelihood of whole texts. `unit`: a text file is one document, or one on each line."""

    about: ClassVar[TaskAbout] = TaskAbout(
        name="text",
        title="Perplexity of held-out text",
        summary="The likelihood of whole texts that the model has not been trained on",
        kind="language modelling",
        languages=("any",),
        capabilities=("language_modelling",),
        metrics=("bits_per_byte", "text_perplexity", "word_perplexity"),
        protocols={
            "rolling": "windows as long as the model reads, each token predicted once with as "
            "much before it as the window holds; lm-eval's loglikelihood_rolling",
        },
        layout="a text file, a folder of them, or a data set of texts (JSON lines, CSV, Parquet "
        'with the key "text")',
        source="own file",
        licence="that of the file",
    )

    kind: Literal["text"] = "text"
    path: Annotated[str, Field(min_length=1)]
    unit: Literal["file", "line"] = "file"

    def load(self) -> Questions:
        """As in `Task`; empty texts and equal ones are left out, and that is noted."""
        sources: dict[str, str] = {}
        n_texts = 0
        for source, text in self._texts():
            n_texts += 1
            if text.strip():
                sources.setdefault(text, source)
        if not sources:
            raise DataError("There is no text to read.", where=self.path, mend="give it a text")
        left_out = n_texts - len(sources)
        return Questions(
            questions=tuple(
                Question(id=files.sha256_json(text)[:16], source=source, way="read", prompt=text)
                for text, source in sources.items()
            ),
            protocol=f"text/rolling/{self.unit}",
            metrics=self.about.metrics,
            notes=(f"{left_out} empty or repeated texts are left out",) if left_out else (),
        )

    def _texts(self) -> Iterator[tuple[str, str]]:
        """Each text after its source."""
        if self.path.endswith(PLAIN_TEXT):
            yield from self._of_file(self.path)
            return
        plain = (
            [path for path in files.files_below(self.path) if path.endswith(PLAIN_TEXT)]
            if files.is_folder(self.path)
            else []
        )
        for path in plain:
            yield from self._of_file(path)
        if not plain:
            yield from _of_data_set(self.path)

    def _of_file(self, path: str) -> Iterator[tuple[str, str]]:
        try:
            with files.open_text(path) as stream:
                content = stream.read()
        except UnicodeDecodeError as error:
            raise DataError(
                f"The file is no UTF-8 text: {error.reason} at byte {error.start}.",
                where=path,
                mend="save it as UTF-8",
            ) from None
        if self.unit == "file":
            yield path, content
            return
        for number, line in enumerate(content.splitlines(), start=1):
            yield f"{path}:{number}", line


def _of_data_set(path: str) -> Iterator[tuple[str, str]]:
    for item in read_items(path):
        if not isinstance(item, Text):
            raise DataError(
                f"A text is wanted here, and this is another kind of item: {type(item).__name__}.",
                where=str(item.source),
                mend="give a set of texts, or evaluate the conversations: tuneval evaluate FILE",
            )
        yield str(item.source), item.text
