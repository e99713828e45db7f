"""Further ways in which one name is written in another list, where a world is asked for them (`Trouble.names`).

Written down from how clerks write, independently of the tables of `pipeline.identity`, so that the sample tests those.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from pipeline.sample.lists import Export
from pipeline.sample.world import World

# One word, as different clerks write what they hear (Tibetan and Yi).
_TRANSLITERATED = {
    "扎西": ("札西", "扎喜"), "卓玛": ("卓麻", "卓马"), "次仁": ("泽仁", "才让", "慈仁", "次任"),
    "平措": ("品初", "彭措", "平错"), "丹增": ("旦增", "旦真", "丹真"), "格桑": ("格绒", "噶桑", "嘎桑"),
    "尼玛": ("尼麻", "尼马"), "达瓦": ("达娃",), "洛桑": ("罗桑", "洛绒", "罗绒"), "央金": ("拥金", "英金"),
    "拉姆": ("拉木", "拉毛"), "多吉": ("多杰", "夺吉"), "顿珠": ("邓珠", "敦珠", "顿主"), "旺堆": ("旺都", "汪堆"),
    "白玛": ("贝玛", "白马", "班玛"), "索南": ("索朗", "索郎"), "西绕": ("喜绕", "喜饶", "西饶"),
    "仁青": ("仁钦", "仁清"), "益西": ("依西", "意西"), "桑吉": ("桑杰",), "央宗": ("央中", "拥宗"),
    "卓嘎": ("卓噶", "卓尕"), "曲批": ("曲丕", "曲培"), "鲁茸": ("鲁绒",), "此里": ("此理", "次里"),
    "农布": ("诺布", "罗布", "洛布"), "培楚": ("培初",), "江初": ("江楚",), "定主": ("丁主", "定祝"),
    "阿茸": ("阿绒",), "七林": ("齐林", "其林"), "拥忠": ("雍仲", "拥中"), "德吉": ("得吉", "德基"),
    "吾金": ("乌金", "邬金"), "斯那": ("思那", "斯纳"),
    "阿苦": ("阿库",), "吉克": ("吉格",), "马海": ("马黑",), "沙马": ("沙玛", "沙麻"), "曲木": ("曲莫", "曲目"),
    "海来": ("海勒",), "吉木": ("吉姆",), "阿牛": ("阿纽",), "俄木": ("俄莫",), "木呷": ("木嘎", "木甲"),
    "日古": ("日谷",), "尔古": ("尔谷",), "伍各": ("五各", "伍格"), "有布": ("友布",), "拉铁": ("拉体",),
    "阿支": ("阿芝", "阿枝"), "阿呷": ("阿嘎",), "石布": ("史布",), "乌果": ("伍果",), "阿各": ("阿格",),
}  # fmt: skip
# Sound-alikes, among them those of south-western speech: n/l, zh/z, -n/-ng, f/h.
_SOUND = {
    "张": "章", "李": "理", "王": "汪", "杨": "阳", "余": "俞", "何": "和", "黄": "王", "周": "邹", "徐": "许",
    "程": "陈", "彭": "朋", "吕": "李", "傅": "付", "沈": "审", "邓": "凳", "蒋": "姜", "贾": "甲", "丁": "定",
    "谢": "解", "罗": "洛", "冯": "逢", "强": "祥", "建": "健", "国": "果", "志": "智", "勇": "永", "文": "雯",
    "荣": "蓉", "福": "富", "林": "琳", "海": "孩", "生": "森", "忠": "中", "义": "毅", "发": "法", "宇": "雨",
    "浩": "豪", "天": "添", "胜": "盛", "利": "力", "芳": "方", "珍": "真", "兰": "南", "香": "湘", "菊": "橘",
    "莲": "连", "凤": "奉", "素": "苏", "霞": "侠", "萍": "平", "娟": "绢", "琴": "勤", "婷": "庭", "雅": "亚",
    "佳": "家", "静": "敬", "敏": "明", "春": "纯", "珠": "朱", "淑": "树", "刚": "钢", "鹏": "彭", "飞": "菲",
}  # fmt: skip
# Look-alikes: misread from handwriting, or the next line of a shape-based input method.
_LOOK = {
    "李": "季", "杨": "扬", "天": "夫", "平": "乎", "东": "车", "义": "乂", "永": "水", "芬": "芳", "菊": "鞠",
    "雪": "雷", "丽": "两", "娟": "捐", "娥": "峨", "巧": "功", "佳": "桂", "怡": "冶", "淑": "椒", "香": "杳",
    "梅": "海", "英": "央", "云": "去", "月": "用", "春": "舂", "华": "毕", "贵": "责", "海": "悔", "宇": "字",
    "浩": "洁", "鹏": "朋", "磊": "垒", "星": "皇", "胜": "性", "林": "材", "玉": "王", "兰": "三", "王": "玉",
    "刘": "列", "陈": "阵", "余": "佘", "马": "乌", "何": "伺", "郭": "郊", "胡": "湖", "于": "干", "贾": "贸",
    "富": "官", "明": "朋", "光": "先", "仁": "仨", "次": "欠", "扎": "礼", "玛": "码", "嘎": "嗄", "呷": "岬",
}  # fmt: skip
_DOTS = ("", "•", "．", ".", " ", "‧", "・", "-")
_NOTES = ("（已故）", "(曾用名)", "（户主）", "（小）", "(低保)", "【迁出】", "（乳名阿妹）", "(残)")


def written_further(
    world: World, export: Export, frame: pl.DataFrame, true: pl.Series, names: pl.Series
) -> pl.Series:
    """The rows asked for carry the true name in one of the further ways; the others stay as delivered."""
    roll = world.rolls(frame, "_key")
    asked = roll.chance(f"further name {export.key}", min(1.0, world.trouble.names * world.dirt))
    hit = (asked & true.is_not_null()).arg_true()
    if not len(hit):
        return names
    dice = roll.below(f"further way {export.key}", 10**6).gather(hit)
    cells = [further(name, r) for name, r in zip(true.gather(hit), dice, strict=True)]
    return names.clone().scatter(hit, pl.Series(cells, dtype=pl.String))


def further(name: str, r: int) -> str:
    """The name in the way that `r` chooses, or the next one that changes it."""
    turn, r = divmod(r, len(_WAYS))[::-1]
    for step in range(len(_WAYS)):
        written = _WAYS[(turn + step) % len(_WAYS)](name, r)
        if written != name:
            return written
    return name


def _transliterated(name: str, r: int) -> str:
    """One word in another transliteration."""
    found = [at for at in range(len(name) - 1) if name[at : at + 2] in _TRANSLITERATED]
    if not found:
        return name
    at = found[r % len(found)]
    variants = _TRANSLITERATED[name[at : at + 2]]
    return name[:at] + variants[r // 7 % len(variants)] + name[at + 2 :]


def _sounding(name: str, r: int) -> str:
    return _exchanged(name, r, _SOUND)


def _looking(name: str, r: int) -> str:
    return _exchanged(name, r, _LOOK)


def _exchanged(name: str, r: int, table: dict[str, str]) -> str:
    """One character by the table."""
    found = [at for at, character in enumerate(name) if character in table]
    if not found:
        return name
    at = found[r % len(found)]
    return name[:at] + table[name[at]] + name[at + 1 :]


def _dotted(name: str, r: int) -> str:
    """Another interpunct or none; one more where a name of four characters had none."""
    if "·" in name:
        return name.replace("·", _DOTS[r % len(_DOTS)])
    return f"{name[:2]}·{name[2:]}" if len(name) == 4 else name


def _shorter(name: str, r: int) -> str:
    """One character missing, never the first of a name of three."""
    if len(name) < 3:
        return name
    at = 1 + r % (len(name) - 1)
    return name[:at] + name[at + 1 :]


def _noted(name: str, r: int) -> str:
    return name + _NOTES[r % len(_NOTES)]


_WAYS: tuple[Callable[[str, int], str], ...] = (
    _transliterated,
    _sounding,
    _looking,
    _dotted,
    _shorter,
    _noted,
)
