"""Names by the million: the blocking key by sound, pairs compared as `compare` does, and how common a name is."""

from __future__ import annotations

import random
import time
from itertools import combinations

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pipeline.identity.name_character import Evidence, agreement, transliterated
from pipeline.identity.name_compare import NOTHING, PLAIN, compare
from pipeline.identity.name_data import sections
from pipeline.identity.name_fold import fold
from pipeline.identity.name_frequency import LEAST, MOST, modelled
from pipeline.identity.name_pairs import Marks
from pipeline.identity.name_pinyin import dialect_class, syllable
from pipeline.identity.name_shape import look_alike
from pipeline.identity.name_words import vocabulary
from pipeline.identity.person_name import compare_pairs, frequency, sound_key

CALM = settings(derandomize=True, deadline=None, max_examples=15, phases=(Phase.explicit, Phase.generate))
SURNAMES = "王李张刘陈杨黄赵周吴和木余单曾仇解查区欧阳尉迟"
GIVEN = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂珍华贞争晴睛己已未末晓红江玲珍夫天荒方"
COMPOUND = "欧阳 殴阳 欧杨 司马 司玛 夏侯 夏候 皇甫 皇埔 慕容 木容 单于 单小 东方 欧"  # and miswritten ones
CLASSES = [line for part, line in sections("name_syllables.txt") if part in ("word", "clan")]
WORDS = [word for line in CLASSES for word in line]
HAN = st.builds("".join, st.lists(st.sampled_from(SURNAMES + GIVEN + "凤翁洪芬"), min_size=1, max_size=5))
LISTED = st.builds("".join, st.lists(st.sampled_from(WORDS), min_size=1, max_size=3))
MIXED = st.builds(lambda a, b: a + b, st.sampled_from(SURNAMES + "?草吉"), LISTED)
SUFFIXED = st.builds(lambda a, b: a + b, st.sampled_from(WORDS), st.sampled_from("措草错吉加姆毛?"))
PARTED = st.builds(
    lambda a, b: a + b, st.sampled_from(COMPOUND.split()), st.text("修娜英杨明?", min_size=1, max_size=3)
)
NAMES = st.one_of(HAN, PARTED, LISTED, MIXED, SUFFIXED, st.text("?李珍𠮷abc卓玛", min_size=1, max_size=4))


def keys(names: str | list[str]) -> list[str | None]:
    every = names.split() if isinstance(names, str) else names
    return sound_key(pl.Series(every, dtype=pl.String)).to_list()


# --- blocking key -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [
        "次仁 泽仁 才让 慈仁 茨仁 此里 七林 泽忍",
        "扎西卓玛 札喜追玛 达史周毛",
        "陈志芳 岑自方 程致荒",
        "王兰 黄南",
        "刘宁 流林",
        "单小英 山晓音",
        "曾国强 增国强",
        "仇明 裘敏",
        "和仁青 和任庆 何仁钦",
        "卓玛草 周毛措",
        "吐尔逊买买提 吐逊麦麦提",
        "阿苦尔古 阿库尔果",
        "海来伍各 海乃五各",
        "丹增 单真 丁真",
        "格桑 尕藏",
        "李凤 李红 李洪 李翁 李芬",
        "王枫 王鸿 黄峰",
        "张锋 张宏",
        "冯明 洪敏",
        "欧阳修 殴阳修 欧杨修",
    ],
)
def test_what_one_ear_hears_has_one_key(names: str) -> None:
    assert len(set(keys(names))) == 1
    assert None not in keys(names)


@pytest.mark.parametrize(
    "names",
    [
        "卓玛 卓嘎",
        "扎西 桑吉",
        "次仁 次珍",
        "李明 李静",
        "卓玛 卓玛草",
        "央金卓玛 卓玛央金",
        "单英 丹英",
        "李正 李中",
        "李等 李东",
        "李红 李横",
    ],
)
def test_what_is_heard_apart_has_two_keys(names: str) -> None:
    assert len(set(keys(names))) == 2


def test_no_sound_is_shared_by_crowds() -> None:
    """By the shares of characters in given names: the largest class, and the chance that two strangers share one."""
    shares: dict[str, float] = {}
    for part, line in sections("name_shares.txt"):
        for character in line[1:] if part == "character" else ():
            sound = dialect_class(syllable(character))
            shares[sound] = shares.get(sound, 0.0) + float(line[0])
    assert max(shares.values()) < 4.5  # 文 红 凤 芬 峰 宏
    assert sum(share**2 for share in shares.values()) < 120  # 115, and 107 without hong in the class of feng


def test_keys_of_nothing() -> None:
    names = pl.Series("n", ["李?", None, "", "李明", "?"], dtype=pl.String)
    found = sound_key(names)
    assert found.name == "n"
    assert [key is None for key in found] == [True, True, True, False, True]
    assert sound_key(names.head(0)).to_list() == []
    assert sound_key(names.head(3)).to_list() == [None] * 3


def test_every_spelling_of_a_word_has_the_key_of_its_class() -> None:
    heads = dict(zip(WORDS, keys(WORDS), strict=True))
    assert all(len({heads[word] for word in line}) == 1 for line in CLASSES)
    twice = [f"{line[0]}{word}" for line in CLASSES[:20] for word in WORDS[:300] if len(line[0] + word) == 4]
    spelled = [
        f"{line[-1]}{word}" for line in CLASSES[:20] for word in WORDS[:300] if len(line[0] + word) == 4
    ]
    assert keys(twice) == keys(spelled)


def test_few_classes_are_joined_by_a_common_sound() -> None:
    """Homophones have one key: 史布 石布, 拉杰 那杰. If a new spelling joined many classes, the key would find crowds."""
    joined: dict[str | None, list[str]] = {}
    for line, key in zip(CLASSES, keys([line[0] for line in CLASSES]), strict=True):
        joined.setdefault(key, []).append(line[0])
    assert max(map(len, joined.values())) == 2
    assert sum(len(heads) > 1 for heads in joined.values()) < 20


@CALM
@given(st.lists(st.tuples(HAN, HAN), min_size=20, max_size=60))
def test_names_that_sound_the_same_have_one_key(pairs: list[tuple[str, str]]) -> None:
    alike = [
        (one, other)
        for one, other in pairs + [(one, one[:1] + one[1:].translate(HOMOPHONES)) for one, _ in pairs]
        if compare(one, other).evidence & ~(Evidence.EQUAL | Evidence.PINYIN) == Evidence.NONE
        and compare(one, other).score > 0.7
    ]
    assert alike
    assert keys([one for one, _ in alike]) == keys([other for _, other in alike])


HOMOPHONES = str.maketrans("伟芳英静丽珍", "玮方鹰婧莉贞")


# --- pairs ------------------------------------------------------------------------------------------------------


def assert_as_compared(pairs: list[tuple[str, str]]) -> None:
    found = compare_pairs(pl.Series([one for one, _ in pairs]), pl.Series([other for _, other in pairs]))
    expected = [compare(one, other) for one, other in pairs]
    assert found["score"].to_list() == [one.score for one in expected]
    assert found["evidence"].to_list() == [one.evidence.value for one in expected]


@CALM
@given(st.lists(st.tuples(NAMES, NAMES), min_size=50, max_size=150))
def test_pairs_are_scored_as_by_compare(pairs: list[tuple[str, str]]) -> None:
    assert_as_compared(pairs + [(other, one) for one, other in pairs[:20]])


@CALM
@given(st.lists(st.tuples(NAMES, st.integers(0, 9), st.sampled_from(GIVEN + "?")), min_size=50, max_size=100))
def test_near_pairs_are_scored_as_by_compare(cases: list[tuple[str, int, str]]) -> None:
    slips = [(name, name[: at % len(name)] + other + name[at % len(name) + 1 :]) for name, at, other in cases]
    cuts = [(name, name[: at % len(name)] + name[at % len(name) + 1 :] or other) for name, at, other in cases]
    assert_as_compared(slips + cuts + [(name, name[::-1]) for name, _, _ in cases])


@CALM
@given(st.lists(st.tuples(PARTED, PARTED), min_size=100, max_size=200))
def test_compound_surnames_are_scored_as_by_compare(pairs: list[tuple[str, str]]) -> None:
    assert_as_compared(pairs)
    assert [compare(*pair) for pair in pairs] == [compare(other, one) for one, other in pairs]


def test_every_band_is_met() -> None:
    """So that the properties above are about something."""
    chance = random.Random(3)
    names = [chance.choice(SURNAMES) + chance.choice(GIVEN) + chance.choice(GIVEN + " ") for _ in range(4000)]
    names = [name.strip() for name in names] + [
        chance.choice(WORDS) + chance.choice(WORDS) for _ in range(2000)
    ]
    pairs = list(zip(names, names[1:] + names[:1], strict=True)) + list(zip(names, names[::-1], strict=True))
    assert_as_compared(pairs)
    scores = compare_pairs(pl.Series([one for one, _ in pairs]), pl.Series([other for _, other in pairs]))[
        "score"
    ]
    bands = [(0.0, 0.05), (0.05, NOTHING), (NOTHING, PLAIN), (PLAIN, 0.7), (0.7, 1.01)]
    assert all(((scores >= low) & (scores < high)).any() for low, high in bands)


def test_spellings_of_every_class() -> None:
    pairs = [pair for line in CLASSES for pair in combinations(line[:5], 2)]
    assert_as_compared(pairs)
    found = compare_pairs(pl.Series([one for one, _ in pairs]), pl.Series([other for _, other in pairs]))
    assert (found["score"] >= 0.7).all()


def test_characters_that_may_be_one_have_a_mark_in_common() -> None:
    chance = random.Random(7)
    listed = sorted({character for word in WORDS for character in word} | set(GIVEN + SURNAMES))
    shapes = sorted({character for _, line in sections("name_shapes.txt") for character in line[0]})
    every = [chr(code) for code in chance.sample(range(0x4E00, 0x9FA5), 100)] + listed[::5] + shapes[::3]
    marks, agreed = Marks(), 0
    for one, other in combinations(every, 2):
        if not marks[one] & marks[other]:
            assert not transliterated(one, other)
            assert not agreement(one, other, True)
            assert not look_alike(one, other)
        else:
            agreed += 1
    assert agreed > 500


def test_pairs_keep_their_rows() -> None:
    left = pl.Series("l", ["李明", None, "卓玛", "", "李明", "王芳"] * 1000, dtype=pl.String)
    right = pl.Series("r", ["李明", "李明", "卓嘎", "李明", "王芳", None] * 1000, dtype=pl.String)
    found = compare_pairs(left, right)
    assert found.schema == {"score": pl.Float64, "evidence": pl.UInt16}
    assert found.rows() == [(1.0, 1), (None, None), (0.3, 256), (None, None), (0.0, 0), (None, None)] * 1000
    assert compare_pairs(left.head(0), right.head(0)).is_empty()


def test_every_listed_word_has_two_characters_or_more() -> None:
    """`may_be_known` and the rules for short names rest on it."""
    assert all(1 < len(word) <= 5 for word in vocabulary())


def test_unrelated_pairs_take_microseconds() -> None:
    """Measured, once warm, on a busy machine: 4.5 µs a pair of Chinese names, 18 of names of words; by `compare` 37, 110."""
    chance = random.Random(5)
    count = 50_000
    names = [chance.choice(SURNAMES) + chance.choice(GIVEN) + chance.choice(GIVEN) for _ in range(2 * count)]
    start = time.process_time()
    compare_pairs(pl.Series(names[:count]), pl.Series(names[count:]))
    assert (time.process_time() - start) / count < 60e-6


# --- how common -------------------------------------------------------------------------------------------------


def shares(*names: str) -> list[float]:
    return frequency(pl.Series(names, dtype=pl.String)).to_list()


def test_common_names_are_common() -> None:
    ladder = ["蔺泽栩", "李小珍", "王伟", "次仁格列", "扎西卓玛", "阿旺", "扎西"]
    found = shares(*ladder)
    assert found == sorted(found)
    assert len(set(found)) == len(found)
    assert shares("张伟")[0] == pytest.approx(290_607 / 1.3e9, rel=0.2)
    assert shares("王秀英")[0] == pytest.approx(246_737 / 1.3e9, rel=0.2)
    assert shares("阿旺")[0] == pytest.approx(1 / 60, rel=0.01)
    assert shares("次仁格列")[0] == pytest.approx(1 / 40 / 20, rel=0.01)
    assert shares("泽仁", "才让") == shares("次仁", "次仁")


def test_what_could_not_be_read_is_no_rarity() -> None:
    for clear, blurred in (
        ("李小珍", "李?珍"),
        ("李小珍", "?小珍"),
        ("李小珍", "李??"),
        ("扎西卓玛", "扎?卓玛"),
    ):
        assert shares(blurred) >= shares(clear)
    assert shares("?", "??") == [MOST, MOST]


def test_counted_names_go_before_the_model() -> None:
    names = pl.Series("n", ["李小珍", "扎西", None, "", "和光勇"], dtype=pl.String)
    found = frequency(names, {"扎西": 0.2, "和光勇": 1e-9, "李小珍": 0.001})
    assert found.name == "n"
    assert found.to_list() == [0.001, MOST, None, None, LEAST]
    assert frequency(names.head(0)).to_list() == []


@CALM
@given(st.lists(NAMES, min_size=30, max_size=100))
def test_shares_are_probabilities(names: list[str]) -> None:
    found = shares(*names)
    assert all(LEAST <= share <= MOST for share in found)
    assert all(0 < modelled(name) <= 1 for name in names)


def test_shares_of_the_lists_are_of_a_whole() -> None:
    lines = [(part, float(line[0]), line[1:]) for part, line in sections("name_shares.txt")]
    total: dict[str, float] = {}
    for part, percent, names in lines:
        total[part] = total.get(part, 0.0) + percent * len(names)
        assert 0 < percent <= 15
    assert total["surname"] < 105
    assert total["character"] < 100
    assert total["given_name"] < 15
    assert total["word"] < 60
    for part in ("surname", "given_name", "word"):
        every = [name for section, _, names in lines if section == part for name in names]
        assert len(every) == len(set(every))
        assert fold(pl.Series(every)).to_list() == every


def test_old_and_variant_forms_are_folded() -> None:
    pairs = [pair for _, line in sections("name_variants.txt") for pair in line]
    assert all(len(pair) == 2 for pair in pairs)
    olds, news = [f"李{pair[0]}" for pair in pairs], [f"李{pair[1]}" for pair in pairs]
    assert fold(pl.Series(olds)).to_list() == news == fold(pl.Series(news)).to_list()
