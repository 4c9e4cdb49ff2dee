from __future__ import annotations

import pytest

from tuneval.data import mojibake

CHINESE = "这是一个中文句子，我们的任务是生成文本！"
FRENCH = "L'été dernier, la première forêt brûlait déjà."


@pytest.mark.parametrize(
    ("text", "likely"),
    [
        ("cafÃ©", "é"),
        ("itâ€™s", "’"),
        ("ä½ å¥½", "你好"),
        ("ä½\xa0å¥½", "你好"),
        ("ÄãºÃ", "你好"),
        ("浣犲ソ", "你好"),
        ("锟斤拷", None),
        ("10Â°C", "°"),
        ("120 Ã— 15", "×"),
        ("ðŸ˜€", "😀"),
        ("Ð¿Ñ€Ð¸Ð²ÐµÑ‚", "привет"),
        ("mÃ³wiÄ‡", "ó"),
        ("ï¼Œ", "，"),
        (CHINESE.encode().decode("latin-1"), CHINESE),
        (CHINESE.encode("gbk").decode("latin-1"), CHINESE),
        (FRENCH.encode().decode("cp1252", "replace"), "é"),
        (CHINESE.encode().decode("gb18030", "replace"), None),
    ],
)
def test_text_read_in_a_wrong_encoding_is_told_by_what_it_was(
    text: str, likely: str | None
) -> None:
    found = mojibake.find(f"He said: {text}")
    assert found
    assert found.text in text
    assert likely is None or found.likely == likely
    assert mojibake.may_be_in(text)


@pytest.mark.parametrize(
    "text",
    [
        CHINESE,
        FRENCH,
        "“Ã” and “Â” are letters; NÃO, MANHÃ”",
        "«Â» vérité\xa0» à\xa0«\xa0oui\xa0»",
        "áéíóú ÀÁÂÃÄÅÆÇÈÉ àâäéèêëîïôöùûüÿç ñÑ¿¡",
        "ÀÈÌÒÙÁÉÍÓÚÂÊÎÔÛÃÑÕÄËÏÖÜ",
        "Ångström, Größe, São Tomé, ÑANDÚ, Ä…hm",
        "涓涓细流，锛与银，浠鏄浣",
        "日本語の文章です。한국어 문장입니다.",
        "1 × 2 ÷ 3 ± 4° · ½ £5 §6 ©",
        "Привет, мир! Γειά σου",
        "lone \ud83d half",
    ],
)
def test_real_accents_signs_and_rare_characters_pass(text: str) -> None:
    assert mojibake.find(text) is None


def test_one_warning_of_each_kind_a_turn(look_at_answer) -> None:
    found = look_at_answer("encoding", "cafÃ© crÃ¨me?", "�the� cafÃ©")
    assert found == [
        "encoding.mojibake",
        "encoding.replacement_character",
        "encoding.mojibake",
    ]


def test_a_long_text_takes_no_longer_for_its_length() -> None:
    """A pattern that goes back and forth would take hours here."""
    assert mojibake.find("é" + "中" * 400_000) is None
    assert mojibake.find("Ã" * 400_000) is None
