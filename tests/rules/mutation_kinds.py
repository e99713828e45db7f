"""What a tired hand does to one line of a rule file, a function a kind of slip: the line (from 0) and what it becomes."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

_KEY = re.compile(r"^(\s*(?:- )?)([A-Za-z_]+)(:)")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_WIDE = {":": "：", ",": "，", "{": "｛", "}": "｝", "(": "（", ")": "）", "'": "‘", '"': "“", "[": "［"}
_OPERATORS = ["<=", ">=", "<>", "<", ">", "="]
_OPERATOR = re.compile(r"(?<![<>=])(<=|>=|<>|<|>|=)(?![<>=])")

# The line's number and its new text, None for a line that is lost; None where the file has no such line.
Changed = tuple[int, str | None] | None


def _pick(lines: list[str], dice: random.Random, fits: Callable[[str], bool]) -> int | None:
    rows = [
        row
        for row, line in enumerate(lines)
        if line.strip() and not line.lstrip().startswith("#") and fits(line)
    ]
    return dice.choice(rows) if rows else None


def key_dropped(lines: list[str], dice: random.Random, names: Sequence[str]) -> Changed:
    """A line with a key is lost."""
    row = _pick(lines, dice, lambda line: bool(_KEY.match(line)))
    return None if row is None else (row, None)


def key_doubled(lines: list[str], dice: random.Random, names: Sequence[str]) -> Changed:
    """A line stands twice."""
    row = _pick(lines, dice, lambda line: bool(_KEY.match(line)) and "- " not in line)
    return None if row is None else (row, f"{lines[row]}\n{lines[row]}")


def key_misspelt(lines: list[str], dice: random.Random, names: Sequence[str]) -> Changed:
    """A letter of a key is lost, doubled or swapped with the next."""
    row = _pick(lines, dice, lambda line: bool(_KEY.match(line)))
    if row is None:
        return None
    lead, key, rest = _KEY.match(lines[row]).groups()  # type: ignore[union-attr]
    return row, lead + misspelt(key, dice) + rest + lines[row][len(lead) + len(key) + 1 :]


def misspelt(word: str, dice: random.Random) -> str:
    at = dice.randrange(len(word))
    how = dice.randrange(3)
    if how == 0 and len(word) > 1:
        return word[:at] + word[at + 1 :]
    if how == 1 or at + 1 == len(word):
        return word[:at] + word[at] + word[at:]
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def operator(lines: list[str], dice: random.Random, names: Sequence[str]) -> Changed:
    """Another comparison, and for or, a `not` more or less."""
    rows = _condition_rows(lines)
    if not rows:
        return None
    row = dice.choice(rows)
    head, text = _condition(lines[row])
    swaps = [_other_comparison, _and_or, _negated]
    dice.shuffle(swaps)
    changed = next((new for swap in swaps if (new := swap(text, dice)) != text), None)
    return None if changed is None else (row, head + changed)


def _other_comparison(text: str, dice: random.Random) -> str:
    found = list(_OPERATOR.finditer(text))
    if not found:
        return text
    one = dice.choice(found)
    other = dice.choice([sign for sign in _OPERATORS if sign != one[0]])
    return text[: one.start()] + other + text[one.end() :]


def _and_or(text: str, dice: random.Random) -> str:
    found = list(re.finditer(r"\b(and|or)\b", text))
    if not found:
        return text
    one = dice.choice(found)
    return text[: one.start()] + ("or" if one[0] == "and" else "and") + text[one.end() :]


def _negated(text: str, dice: random.Random) -> str:
    if "not " in text and dice.random() < 0.7:
        return text.replace("not ", "", 1)
    found = list(re.finditer(r"[\u4e00-\u9fff]+", re.sub("'[^']*'", lambda m: " " * len(m[0]), text)))
    one = dice.choice(found) if found else None
    return text if one is None else f"{text[: one.start()]}not {text[one.start() :]}"


def number(lines: list[str], dice: random.Random, names: Sequence[str]) -> Changed:
    """A number is one more or less, or a digit is typed twice; mostly in conditions and parameters."""
    found = re.compile(r"(?<![\d〔\w-])\d+(?![\d-])")
    keys = ("given:",) if dice.random() < 0.2 else ("values:",)
    rows = [n for n, line in enumerate(lines) if line.lstrip().startswith(keys)]
    rows += _condition_rows(lines) if keys == ("values:",) else []
    rows = [n for n in rows if found.search(lines[n])]
    if not rows:
        return None
    row = dice.choice(rows)
    one = dice.choice(list(found.finditer(lines[row])))
    new = dice.choice([str(int(one[0]) + 1), str(max(int(one[0]) - 1, 0)), one[0] + one[0][-1], f"0{one[0]}"])
    return row, lines[row][: one.start()] + new + lines[row][one.end() :]


def fact(lines: list[str], dice: random.Random, names: Sequence[str]) -> Changed:
    """A fact is taken for another one, or misspelt."""
    words = re.compile("|".join(sorted(map(re.escape, names), key=len, reverse=True)))
    rows = [row for row in _condition_rows(lines) if words.search(_condition(lines[row])[1])]
    if not rows:
        return None
    row = dice.choice(rows)
    head, text = _condition(lines[row])
    one = dice.choice(list(words.finditer(text)))
    new = dice.choice(list(names)) if dice.random() < 0.7 else misspelt(one[0], dice)
    return row, head + text[: one.start()] + new + text[one.end() :]


def parameter(lines: list[str], dice: random.Random, names: Sequence[str]) -> Changed:
    """A parameter's name or unit is changed where it is declared."""
    start = next((row for row, line in enumerate(lines) if line.startswith("parameters:")), None)
    if start is None:
        return None
    rows = [row for row in range(start + 1, len(lines)) if re.match(r"  [\u4e00-\u9fff]+:", lines[row])]
    row = dice.choice(rows) if rows else None
    if row is None:
        return None
    name = lines[row].strip().split(":")[0]
    other = dice.choice(list(names)) if dice.random() < 0.3 else misspelt(name, dice)
    return row, lines[row].replace(name, other, 1)


def full_width(lines: list[str], dice: random.Random, names: Sequence[str]) -> Changed:
    """One punctuation mark is typed in Chinese."""
    row = _pick(lines, dice, lambda line: any(mark in line for mark in _WIDE))
    if row is None:
        return None
    one = dice.choice([n for n, character in enumerate(lines[row]) if character in _WIDE])
    return row, lines[row][:one] + _WIDE[lines[row][one]] + lines[row][one + 1 :]


def indentation(lines: list[str], dice: random.Random, names: Sequence[str]) -> Changed:
    """A blank more or less in front of a line, or a tab."""
    row = _pick(lines, dice, lambda line: bool(_KEY.match(line)))
    if row is None:
        return None
    line = lines[row]
    return row, dice.choice(
        [" " + line, line[1:] if line.startswith(" ") else "  " + line, "\t" + line.lstrip()]
    )


def yes_no(lines: list[str], dice: random.Random, names: Sequence[str]) -> Changed:
    """yes for no, true for yes, an unheard-of word."""
    word = re.compile(r"\b(yes|no|true|false)\b")
    row = _pick(lines, dice, lambda line: bool(word.search(line)))
    if row is None:
        return None
    one = dice.choice(list(word.finditer(lines[row])))
    new = dice.choice([w for w in ("yes", "no", "true", "false", "是", "否", "有", "Y", "1") if w != one[0]])
    return row, lines[row][: one.start()] + new + lines[row][one.end() :]


def date_(lines: list[str], dice: random.Random, names: Sequence[str]) -> Changed:
    """A date of another day, another form, or of no calendar."""
    row = _pick(lines, dice, lambda line: bool(_DATE.search(line)))
    if row is None:
        return None
    one = dice.choice(list(_DATE.finditer(lines[row])))
    y, m, d = one[0].split("-")
    new = dice.choice([f"{int(y) + 1}-{m}-{d}", f"{y}-{int(m) + 1:02}-{d}", f"{y}-{m}-{int(d) + 1:02}",
                       f"{y}/{m}/{d}", f"{y}年{m}月{d}日", f"{y}{m}{d}", f"{y}-{int(m)}-{int(d)}", f"{y}-{d}-{m}", y])  # fmt: skip
    return row, lines[row][: one.start()] + new + lines[row][one.end() :]


def region(lines: list[str], dice: random.Random, names: Sequence[str]) -> Changed:
    """A region code of somewhere else, of nowhere, cut, or with a leading zero and no quotes."""
    code = re.compile(r'"(\d{2,6})"')
    row = _pick(
        lines,
        dice,
        lambda line: bool(code.search(line)) and ("region" in line or line.rstrip().endswith(":")),
    )
    if row is None:
        return None
    one = dice.choice(list(code.finditer(lines[row])))
    old = one[1]
    new = dice.choice(
        [
            f'"{old[:-1]}"',
            f'"{old}0"',
            f"0{old}",
            f'"{int(old) + 1}"',
            f'"99{old[2:]}"',
            f'"{old[::-1]}"',
            old,
            "江西",
        ]
    )
    return row, lines[row][: one.start()] + new + lines[row][one.end() :]


def quotes(lines: list[str], dice: random.Random, names: Sequence[str]) -> Changed:
    """A quotation mark is lost, or another is typed."""
    row = _pick(lines, dice, lambda line: "'" in line or '"' in line)
    if row is None:
        return None
    one = dice.choice([n for n, character in enumerate(lines[row]) if character in "'\""])
    return row, lines[row][:one] + dice.choice(["", "’", "”", "`", '"', "'"]) + lines[row][one + 1 :]


def answer(lines: list[str], dice: random.Random, names: Sequence[str]) -> Changed:
    """A case expects another answer or another reason."""
    row = _pick(lines, dice, lambda line: line.lstrip().startswith(("expect:", "because:")))
    if row is None:
        return None
    head, value = lines[row].split(":", 1)
    ids = [line.split("id:")[1].strip() for line in lines if line.lstrip().startswith("- id:")]
    outcomes = [
        "missing",
        "receiving",
        "not_due",
        "undetermined",
        "found",
        "not_found",
        misspelt(value.strip(), dice),
    ]
    new = (
        f" [{dice.choice([*ids, '没有', 'received'])}]" if "because" in head else f" {dice.choice(outcomes)}"
    )
    return row, f"{head}:{new}"


def _condition_rows(lines: list[str]) -> list[int]:
    """Lines on which (a part of) a condition stands: `when:`, `received:`, and what follows a `when: >-`."""
    rows, block = [], -1  # indentation of the key whose text goes on
    for row, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if block >= 0 and line.strip() and indent > block:
            rows.append(row)
            continue
        key = re.match(r"^\s*(?:when|received):\s*(.*)$", line)
        block = indent if key and key[1].startswith((">", "|")) else -1
        if key and block < 0:
            rows.append(row)
    return rows


def _condition(line: str) -> tuple[str, str]:
    """What stands before the condition's text, and the text."""
    key = re.match(r"^\s*(?:when|received):", line) or re.match(r"^\s*", line)
    end = key.end() if key else 0
    return line[:end], line[end:]


KINDS: dict[str, Callable[[list[str], random.Random, Sequence[str]], Changed]] = {
    "一项漏了": key_dropped, "一行写了两遍": key_doubled, "键写错": key_misspelt, "运算符": operator, "数": number,
    "事实": fact, "参数": parameter, "全角标点": full_width, "缩进": indentation, "是否": yes_no, "日期": date_,
    "区划代码": region, "引号": quotes, "用例结论": answer,
}  # fmt: skip
