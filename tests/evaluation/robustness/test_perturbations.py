"""Each perturbation changes what it says, and nothing that the answer hangs on."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneval.errors import UsageError
from tuneval.evaluation.robustness.edits import Edit, Passage, rewrite
from tuneval.evaluation.robustness.perturbations import PERTURBATIONS, catalog, load_change
from tuneval.evaluation.robustness.perturbations.chinese import (
    _characters_by_sound,
    _common_characters,
)
from tuneval.evaluation.robustness.perturbations.english import neighbours
from tuneval.evaluation.robustness.perturbations.synonyms import synonyms

CELL = "下列关于细胞膜的说法，正确的是哪一项？"


def changed(name: str, text: str, *, seed: int = 3) -> str:
    return load_change(name)(Passage(text), Random(seed)).text


def test_neighbouring_keys_touch_on_the_keyboard() -> None:
    assert set(neighbours("g")) == set("tyfhvb")
    assert set(neighbours("q")) == set("wa")
    assert set(neighbours("m")) == set("njk")
    for key in "qwertyuiopasdfghjklzxcvbnm":
        assert all(key in neighbours(other) for other in neighbours(key))


def test_typos_change_an_exact_share_of_letters_to_neighbours_and_keep_case() -> None:
    text = "WHICH planet has the LARGEST diameter of them?".lower().replace("which", "Which")
    slipped = changed("typos:0.1", text)
    places = [n for n, (a, b) in enumerate(zip(text, slipped, strict=True)) if a != b]
    in_long_words = sum(len(word) for word in re.findall(r"\w{4,}", text))
    assert len(places) == round(0.1 * in_long_words)
    for place in places:
        assert slipped[place].lower() in neighbours(text[place].lower())
        assert slipped[place].isupper() == text[place].isupper()


def test_typos_keep_capitals() -> None:
    slipped = changed("typos:1", "WHICH Planet")
    assert [letter.isupper() for letter in slipped] == [*[True] * 5, False, True, *[False] * 5]


def test_typos_spare_short_words_where_a_slip_makes_another_word() -> None:
    assert changed("typos:1", "it is not two") == "it is not two"


def test_case_writes_sentences_small_and_leaves_abbreviations() -> None:
    assert changed("case", "Does DNA of Mice melt? I Think NaCl does.") == (
        "does DNA of mice melt? I think NaCl does."
    )


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("I do not know what it is.", "I don't know what it is."),
        ("They're here and she won't go.", "They are here and she will not go."),
        ("What is the capital?", "What's the capital?"),
        ("Cannot it be so? It can’t.", "Can't it be so? It cannot."),
        ("It's been here; he's Tom's.", "It's been here; he's Tom's."),
    ],
)
def test_contractions_go_both_ways_and_never_guess(text: str, other: str) -> None:
    assert changed("contractions", text) == other


def test_spacing_adds_blanks_between_words_and_nothing_else() -> None:
    text = "One two three four five six.\n  Indented 细胞膜的说法"
    spaced = changed("spacing:1", text)
    assert spaced != text
    assert re.sub(r"\s", "", spaced) == re.sub(r"\s", "", text)
    assert "\n  Indented" in spaced
    assert "细 胞 膜 的 说 法" in spaced


def test_punctuation_changes_its_width_and_back() -> None:
    assert changed("punctuation", CELL) == "下列关于细胞膜的说法,正确的是哪一项?"
    assert changed("punctuation", "今天很好,你呢?(问)3.5 e.g. a,b") == (
        "今天很好，你呢？(问)3.5 e.g. a,b"
    )
    assert changed("punctuation", "今天(周五)很好") == "今天（周五）很好"
    assert changed("punctuation", "Well, is it so?") == "Well, is it so?"


def test_homophones_sound_alike_tone_included() -> None:
    from pypinyin import Style, lazy_pinyin

    wrong = changed("homophones:0.5", CELL)
    assert len(wrong) == len(CELL)
    places = [n for n, (a, b) in enumerate(zip(CELL, wrong, strict=True)) if a != b]
    assert len(places) >= 4
    sounds = lazy_pinyin(CELL, style=Style.TONE3, neutral_tone_with_five=True, errors=list)
    for place in places:
        assert wrong[place] in _characters_by_sound()[sounds[place]]


def test_homophones_never_touch_nor_make_a_numeral() -> None:
    assert changed("homophones:1", "三百五十二加四") == "三百五十二加四"
    made = set("".join(_characters_by_sound().values()))
    assert made.isdisjoint("零一二三四五六七八九十百千万亿")


def test_the_common_characters_are_the_first_level_of_gb_2312() -> None:
    characters = _common_characters()
    assert len(characters) == 3755
    assert (characters[0], characters[-1]) == ("啊", "座")


def test_script_goes_to_traditional_and_back() -> None:
    traditional = changed("traditional_simplified", "头发与发展的后面")
    assert traditional == "頭髮與發展的後面"
    assert changed("traditional_simplified", traditional) == "头发与发展的后面"
    assert changed("traditional_simplified", "一二三 abc") == "一二三 abc"


def test_synonyms_keep_form_article_and_capital() -> None:
    assert changed("synonyms:1", "Big towns often buy a huge house.", seed=1).startswith("Large")
    for seed in range(20):
        assert "a enormous" not in changed("synonyms:1", "It is a huge house.", seed=seed)
    assert changed("synonyms:1", "the right angle of an odd plane") == (
        "the right angle of an odd plane"
    )


def test_chinese_synonyms_stand_for_whole_words_only() -> None:
    assert changed("synonyms:1", "因为他很高兴") != "因为他很高兴"
    assert changed("synonyms:1", "教师节") == "教师节"


def test_no_word_of_the_list_has_two_groups() -> None:
    for language in ("en", "zh"):
        for word, others in synonyms(language).items():
            assert word not in others
            for other in others:
                back = synonyms(language).get(other)
                assert back is None or word in back, (word, other)


def test_the_suffix_speaks_the_language_of_the_question() -> None:
    assert "true" in changed("adversarial_suffix", "How many?")
    assert "真" in changed("adversarial_suffix", CELL)
    assert changed("adversarial_suffix:describing.+ similarlyNow", "How many? \n") == (
        "How many? describing.+ similarlyNow \n"
    )
    assert changed("adversarial_suffix", " ") == " "


def test_several_are_made_one_after_the_other() -> None:
    both = changed("case+contractions", "Tom does not know.")
    assert both == "tom doesn't know."
    text = "Do not touch 'Tom Miller' please now."
    kept = Passage(text, ((13, 25),))
    assert "'Tom Miller'" in load_change("contractions+case+typos:1")(kept, Random(1)).text


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("typo", "'typos'"),
        ("typos:2", "0.1"),
        ("typos:many", "0.1"),
        ("case:1", "write 'case'"),
    ],
)
def test_a_wrong_name_or_share_says_what_to_write(name: str, mend: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_change(name)
    assert mend in caught.value.mend


def test_every_row_loads_by_its_name_and_tells_its_source() -> None:
    assert [about.name for about in catalog()] == list(PERTURBATIONS)
    assert all(about.source and about.summary for about in catalog())


def test_of_overlapping_edits_the_first_is_made_and_kept_spans_move_along() -> None:
    edits = [Edit(0, 2, ("XYZ",)), Edit(1, 2, ("!",)), Edit(1, 3, ("?",)), Edit(2, 2, ("-",))]
    after = rewrite(Passage("abcd", ((2, 4),)), edits, Random(1), share=1.0)
    assert (after.text, after.kept) == ("XYZ-cd", ((4, 6),))


SPANS = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(lambda ends: tuple(sorted(ends)))


@given(
    st.text(max_size=30), st.lists(SPANS, max_size=4), st.lists(SPANS, max_size=8), st.integers()
)
def test_what_is_kept_is_kept_and_found_again(
    text: str, kept: list[tuple[int, int]], places: list[tuple[int, int]], seed: int
) -> None:
    spans = tuple((a, b) for a, b in kept if b <= len(text))
    edits = [Edit(a, b, ("<new>", "")) for a, b in places if b <= len(text)]
    after = rewrite(Passage(text, spans), edits, Random(seed), share=0.7)
    for (a, b), (x, y) in zip(spans, after.kept, strict=True):
        assert a == b or text[a:b] == after.text[x:y]
