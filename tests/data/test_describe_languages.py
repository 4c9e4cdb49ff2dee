from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneval.data.description.languages import LANGUAGES, language, script_weights
from tuneval.data.read import read

TEST_DATA = os.environ.get("TUNEVAL_TEST_DATA")
needs_test_data = pytest.mark.skipif(
    not TEST_DATA, reason="TUNEVAL_TEST_DATA does not name a folder of real data files"
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("昨天买的手表坏了，想退货", "zh"),
        ("昨日買った時計を返品したいです。", "ja"),
        ("어제 산 시계를 반품하고 싶어요.", "ko"),
        ("I want to return the watch that I bought yesterday.", "en"),
        ("Я хочу вернуть часы", "cyrillic"),
        ("Θέλω να επιστρέψω το ρολόι", "greek"),
        ("أريد إرجاع الساعة", "arabic"),
        ("אני רוצה להחזיר את השעון", "hebrew"),
        ("मैं घड़ी वापस करना चाहता हूं", "devanagari"),
        ("ฉันต้องการคืนนาฬิกา", "thai"),
        ("Ես ուզում եմ", "other"),
        ("123 + 456 = 579 😀", "none"),
        ("", "none"),
        ("请把 Transformer 模型的训练脚本改成 PyTorch 版本，谢谢", "zh"),
        ("Translate this sentence into Chinese: 昨天买的手表坏了", "mixed"),
        ("Ｗｈｅｒｅ ｉｓ ｔｈｅ ｗａｔｃｈ", "latin"),
    ],
)
def test_a_text_has_the_language_of_its_script(text: str, found: str) -> None:
    assert language(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "Je voudrais retourner la montre que j'ai achetée hier, elle ne marche pas.",
        "Ich habe gestern einen Router gekauft und er funktioniert nicht mehr. Was tun?",
        "Quiero devolver el reloj que compré ayer porque no funciona.",
        "Quero devolver o relógio que comprei ontem. Como posso fazer isso?",
        "Vorrei restituire l'orologio che ho comprato ieri perché non funziona.",
        "Ik wil het horloge teruggeven, want het is niet goed. Kan je me helpen of niet?",
        "Jeg vil gerne returnere det ur, som jeg købte i går, for det virker ikke.",
        "Kan du hjälpa mig att skriva ett brev till min chef om att jag är sjuk?",
        "Saya ingin mengembalikan jam tangan yang saya beli kemarin karena tidak berfungsi.",
        '{"intent":"delivery","product":"none","urgency":"high"}',
        "fog.",
    ],
)
def test_what_is_no_clear_english_is_only_called_latin(text: str) -> None:
    assert language(text) == "latin"


@given(st.text())
def test_every_text_has_one_of_the_languages(text: str) -> None:
    assert language(text) in LANGUAGES


def test_only_the_beginning_of_a_long_text_counts() -> None:
    assert language("这是中文。" * 400 + "English is the rest of it. " * 1000) == "zh"


def test_scripts_are_weighed_over_the_whole_text() -> None:
    assert script_weights("1 + 1") == {}
    assert script_weights("two words") == {"latin": 8}
    assert script_weights("東京は Tokyo です" * 1000) == {"latin": 5000, "zh": 8000, "kana": 12000}


@needs_test_data
@pytest.mark.parametrize(
    ("name", "expected", "least"),
    [("alpaca_en_demo.json", "en", 0.93), ("alpaca_zh_demo.json", "zh", 0.94)],
)
def test_real_sets_are_in_their_language(name: str, expected: str, least: float) -> None:
    answers = [e.answer or "" for e in read(Path(TEST_DATA or "", "instruct", name))]
    counts = Counter(map(language, answers))
    assert counts[expected] / len(answers) > least
