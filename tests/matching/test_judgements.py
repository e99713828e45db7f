"""The clerks' judgements: nothing is lost, nothing is rewritten, and a torn line harms only itself."""

from __future__ import annotations

import errno
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.problem import ReconcileError
from pipeline.matching import judgements
from pipeline.matching.judgements import Judgement

AT = "2026-11-05T09:30:00+08:00"


def one(row: int, person: int, answer: str = "same", who: str = "核查人甲", at: str = AT) -> Judgement:
    return Judgement(f"{row:032x}", f"{person:032x}", "civil_affairs/dibao", answer, who, at)


def journal(state: Path) -> Path:
    return state / "review" / "judgements.jsonl"


def answers(state: Path) -> dict[tuple[int, int], str]:
    return {(int(row, 16), int(person, 16)): a for row, person, a in judgements.current(state).iter_rows()}


def test_nothing_judged_is_an_empty_table_and_makes_no_file(tmp_path: Path) -> None:
    assert judgements.current(tmp_path).columns == ["row_key", "person_key", "answer"]
    assert judgements.current(tmp_path).is_empty()
    assert judgements.history(tmp_path).columns == ["row_key", "person_key", "dataset", "answer", "who", "at"]
    assert judgements.complaints(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_the_last_answer_counts_and_every_line_stays(tmp_path: Path) -> None:
    judgements.record(tmp_path, [one(1, 1, "same"), one(1, 2, "different")])
    judgements.record(tmp_path, [one(1, 1, "unsure", who="核查人乙")])
    assert answers(tmp_path) == {(1, 1): "unsure", (1, 2): "different"}
    said = judgements.history(tmp_path)
    assert said["answer"].to_list() == ["same", "different", "unsure"]
    assert said["who"].to_list() == ["核查人甲", "核查人甲", "核查人乙"]
    first = json.loads(journal(tmp_path).read_text("utf-8").splitlines()[0])
    assert first == {
        "row_key": f"{1:032x}",
        "person_key": f"{1:032x}",
        "dataset": "civil_affairs/dibao",
        "answer": "same",
        "who": "核查人甲",
        "at": AT,
    }


def test_undo_takes_back_the_latest_of_this_person_and_the_answer_before_it_holds_again(
    tmp_path: Path,
) -> None:
    judgements.record(tmp_path, [one(1, 1, "same"), one(2, 2, "same"), one(1, 1, "different")])
    undone = judgements.undo(tmp_path, "核查人甲", AT)
    assert undone == one(1, 1, "different")
    assert answers(tmp_path) == {(1, 1): "same", (2, 2): "same"}
    assert judgements.undo(tmp_path, "核查人甲", AT) == one(2, 2)
    assert judgements.undo(tmp_path, "核查人甲", AT) == one(1, 1)
    assert judgements.undo(tmp_path, "核查人甲", AT) is None
    assert answers(tmp_path) == {}
    assert judgements.history(tmp_path)["answer"].to_list() == [
        *("same", "same", "different"),
        *("undone", "undone", "undone"),
    ]


def test_undo_leaves_other_peoples_answers_and_other_pairs_alone(tmp_path: Path) -> None:
    judgements.record(
        tmp_path, [one(1, 1), one(2, 2), one(1, 1, "different", who="核查人乙"), one(3, 3, "unsure")]
    )
    among = {one(1, 1).pair, one(2, 2).pair}
    assert judgements.undo(tmp_path, "核查人甲", AT, among) == one(2, 2)
    assert judgements.undo(tmp_path, "核查人甲", AT, among) is None
    assert answers(tmp_path) == {(1, 1): "different", (3, 3): "unsure"}


def test_only_the_owner_may_read(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        judgements.record(tmp_path / "state", [one(1, 1)])
    finally:
        os.umask(before)
    assert journal(tmp_path / "state").stat().st_mode & 0o777 == 0o600
    assert journal(tmp_path / "state").parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("cut", [1, 20, 150])
def test_a_torn_last_line_is_said_and_harms_no_other(tmp_path: Path, cut: int) -> None:
    judgements.record(tmp_path, [one(1, 1), one(2, 2)])
    whole = journal(tmp_path).read_bytes()
    torn = whole[:-cut]
    journal(tmp_path).write_bytes(torn)
    lost = cut > 1  # only the line end is wanting: the judgement is all there
    assert [(p.code, p.row) for p in judgements.complaints(tmp_path)] == ([("E521", 2)] if lost else [])
    assert set(answers(tmp_path)) == ({(1, 1)} if lost else {(1, 1), (2, 2)})
    judgements.record(tmp_path, [one(3, 3)])
    assert journal(tmp_path).read_bytes().startswith(torn + b"\n")
    assert (3, 3) in answers(tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        "[]",
        "null",
        "1",
        '"x"',
        "not json",
        json.dumps({**vars(one(1, 1)), "answer": "maybe"}),
        json.dumps({**vars(one(1, 1)), "row_key": "539999196503170010"}),
        json.dumps({**vars(one(1, 1)), "row_key": 7}),
        json.dumps({**vars(one(1, 1)), "dataset": 7}),
        json.dumps({**vars(one(1, 1)), "at": "2026-11-05T09:30:00"}),
        "[" * 100_000,
    ],
)
def test_a_line_that_is_no_judgement_is_said_without_its_content(tmp_path: Path, line: str) -> None:
    judgements.record(tmp_path, [one(1, 1)])
    with journal(tmp_path).open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    judgements.record(tmp_path, [one(2, 2)])
    (problem,) = judgements.complaints(tmp_path)
    assert problem.row == 2
    assert "539999196503170010" not in problem.line()
    assert set(answers(tmp_path)) == {(1, 1), (2, 2)}


def test_further_fields_of_a_later_version_do_no_harm(tmp_path: Path) -> None:
    judgements.record(tmp_path, [one(1, 1)])
    with journal(tmp_path).open("a", encoding="utf-8") as file:
        file.write(json.dumps({**vars(one(2, 2)), "why": "见过本人"}) + "\n")
    assert set(answers(tmp_path)) == {(1, 1), (2, 2)}


@pytest.mark.parametrize(
    "bad",
    [
        {"row_key": "abc"},
        {"person_key": "G" * 32},
        {"answer": "yes"},
        {"who": ""},
        {"who": " 甲"},
        {"who": "甲\n乙"},
        {"who": "甲" * 41},
        {"at": "now"},
        {"at": "2026-11-05"},
        {"dataset": ""},
    ],
)
def test_no_judgement_out_of_form_can_be_made(bad: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"out of form|offset|Invalid isoformat"):
        Judgement(**{**vars(one(1, 1)), **bad})


def _judge(state: Path, row: int) -> None:
    for person in range(20):
        judgements.record(state, [one(row, person)])


def test_two_reviewers_at_once_lose_nothing(tmp_path: Path) -> None:
    # Threads with a descriptor each are as foreign to flock as two processes.
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda row: _judge(tmp_path, row), range(2)))
    assert set(answers(tmp_path)) == {(row, person) for row in range(2) for person in range(20)}


def test_a_full_disk_leaves_no_half_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judgements.record(tmp_path, [one(1, 1)])
    before = journal(tmp_path).read_bytes()
    write = os.write
    room = [100]

    def full(file: int, data: memoryview) -> int:
        if not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, data[: room.pop()])

    monkeypatch.setattr(judgements.os, "write", full)
    with pytest.raises(ReconcileError) as caught:
        judgements.record(tmp_path, [one(2, 2), one(3, 3)])
    assert caught.value.problem.code == "E520"
    assert journal(tmp_path).read_bytes() == before


@pytest.mark.parametrize("what", ["folder", "link"])
def test_a_place_that_is_no_plain_file_is_refused(tmp_path: Path, what: str) -> None:
    journal(tmp_path).parent.mkdir()
    if what == "folder":
        journal(tmp_path).mkdir()
    else:
        (tmp_path / "elsewhere").write_text("", encoding="utf-8")
        journal(tmp_path).symlink_to(tmp_path / "elsewhere")
    for act in (lambda: judgements.record(tmp_path, [one(1, 1)]), lambda: judgements.current(tmp_path)):
        with pytest.raises(ReconcileError) as caught:
            act()
        assert caught.value.problem.code == "E520"


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(("same", "different", "unsure", "undo")), st.booleans())
    )
)
def test_the_file_agrees_with_a_stack_of_answers_for_each_pair(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, str, bool]]
) -> None:
    state = tmp_path_factory.mktemp("state")
    given_answers: list[tuple[int, str, str]] = []  # in force or covered: pair, answer, who
    for pair, answer, first in steps:
        who = "甲" if first else "乙"
        if answer != "undo":
            judgements.record(state, [one(pair, pair, answer, who)])
            given_answers.append((pair, answer, who))
            continue
        top = {p: number for number, (p, _, _) in enumerate(given_answers)}
        own = [number for number in top.values() if given_answers[number][2] == who]
        undone = judgements.undo(state, who, AT)
        assert (undone is not None) == bool(own)
        if own:
            p, a, _ = given_answers.pop(max(own))
            assert undone == one(p, p, a, who)
    assert answers(state) == {(p, p): a for p, a, _ in given_answers}
