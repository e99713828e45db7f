"""The review page in a headless Chromium: the keys are pressed, and the judgements are looked up on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import review_table as table
from review_browser import CHROMIUM, Browser, browser, choose, pressed, said
from review_table import AT, DIBAO, PENSION, key

from pipeline.desk.review_page import Review
from pipeline.desk.review_pairs import doubtful_pairs
from pipeline.desk.review_server import ReviewServer, serving
from pipeline.matching import judgements
from pipeline.matching.judgements import Judgement

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

TITLES = {DIBAO: "最低生活保障对象花名册", PENSION: "城乡居民基本养老保险待遇领取人员名册"}
WHO = "核查人甲"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def server(tmp_path: Path, state: Path) -> Iterator[ReviewServer]:
    pairs = doubtful_pairs(table.write(tmp_path / "out"))
    with serving(Review(pairs, TITLES, state, lambda: AT), 0) as at_work:
        yield at_work


@pytest.fixture
def page(chromium: Browser, server: ReviewServer) -> Iterator[Browser]:
    """Opened, the name given; at the end the console must be empty."""
    chromium.console.clear()
    chromium.open(server.address)
    chromium.write(WHO)
    chromium.press("Enter")
    chromium.wait("document.activeElement.id === 'main'")  # where the closed question gives the keys back to
    yield chromium
    assert chromium.console == []


def answers(state: Path) -> dict[int, str]:
    """By the number of the person."""
    return {int(person, 16): answer for _, person, answer in judgements.current(state).iter_rows()}


def test_the_keys_answer_store_and_move_on(page: Browser, state: Path) -> None:
    assert page.text("#count") == "已核 0 / 6"
    pressed(page, "1", 2)
    pressed(page, "2", 3)
    pressed(page, "3", 4)
    assert answers(state) == {1: "same", 2: "different", 3: "unsure"}
    assert (page.text("#count"), page.js("document.querySelector('#bar').value")) == ("已核 3 / 6", 3)
    assert set(judgements.history(state)["who"]) == {WHO}
    assert set(judgements.history(state)["at"]) == {"2026-11-05T09:30:07+08:00"}
    pressed(page, "u", 3)
    assert answers(state) == {1: "same", 2: "different"}
    assert page.text("#count") == "已核 2 / 6"
    pressed(page, "u", 2)
    pressed(page, "u", 1)
    page.press("u")  # nothing of his is left
    said(page, "没有可以撤销的")
    assert answers(state) == {}
    assert judgements.history(state).height == 6


def test_to_the_end_and_a_reload_keeps_everything(page: Browser, server: ReviewServer, state: Path) -> None:
    for then in (2, 3, 4, 5, 6, None):
        pressed(page, "2", then)
    assert page.text("#count") == "已核 6 / 6"
    assert "全部核完" in page.text(".done")
    assert answers(state) == dict.fromkeys((1, 2, 3, 4, 6, 8), "different")
    page.open(server.address)
    assert page.text("#count") == "已核 6 / 6"
    assert WHO in page.text("#who")  # not asked again
    assert page.js("document.querySelector('#ask').open") is False
    assert "已判 ✗ 不是" in page.text(".said")
    pressed(page, "1", None)  # a changed mind
    assert answers(state)[1] == "same"


def test_next_previous_and_a_reload_in_the_middle(page: Browser, server: ReviewServer, state: Path) -> None:
    page.press("k")
    said(page, "前面没有了")
    pressed(page, "j", 2)
    pressed(page, "j", 3)
    pressed(page, "k", 2)
    page.open(server.address)
    assert page.js("document.querySelector('#main').dataset.pair") == "2"
    assert answers(state) == {}


def test_both_sides_stand_side_by_side_with_their_differences_marked(page: Browser) -> None:
    head = page.text(".sides thead")
    assert TITLES[DIBAO] in head
    assert "533401_低保_20261031.xlsx，工作表“在保名单”，第5行" in head
    assert "持证残疾人名册" in head
    marks = page.js("[...document.querySelectorAll('.sides mark')].map(m => m.className || m.textContent)")
    assert marks == ["次", "泽", "10", "01", "␣", "gap"]
    assert "539999196503170100" in page.text(".sides")  # whole: the clerk needs it
    signs = page.js("[...document.querySelectorAll('.sides tbody .sign')].map(s => s.textContent).join('')")
    assert signs == "≠≠===–≠–=="  # not by colour alone
    assert page.js("getComputedStyle(document.querySelector('mark')).borderBottomStyle") == "solid"


def test_the_waterfall_adds_up(page: Browser) -> None:
    words = page.js("document.querySelector('.weights svg').getAttribute('aria-label')")
    assert "−11.2" in words
    assert "号码与生日 号码一字之差 +9.3" in words
    ends = page.js(
        "[...document.querySelectorAll('.weights rect')]"
        ".map(r => [r.x.baseVal.value, r.x.baseVal.value + r.width.baseVal.value, r.className.baseVal])"
    )
    assert [kind for _, _, kind in ends] == ["against", "for", "for", "for", "none", "against", "total"]
    zero = reached = ends[0][1]
    for left, right, kind in ends[:-1]:
        begin, end = (right, left) if kind == "against" else (left, right)
        assert begin == pytest.approx(reached, abs=0.01)
        reached = begin if kind == "none" else end
    assert ends[-1][:2] == pytest.approx([zero, reached], abs=0.01)


def test_the_candidates_of_a_row_are_told_and_two_of_them_need_a_second_press(
    page: Browser, state: Path
) -> None:
    assert page.js("document.querySelector('.row-of')") is None
    pressed(page, "2", 2)
    assert "有 3 位候选" in page.text(".row-of")
    pressed(page, "1", 3)
    assert "已判第 1 位是同一人" in page.text(".row-of")
    page.press("1")
    said(page, "再按一次")
    assert answers(state) == {1: "different", 2: "same"}
    pressed(page, "1", 4)
    assert answers(state) == {1: "different", 2: "same", 3: "same"}


def test_filters_by_list_county_and_what_is_open(page: Browser, state: Path) -> None:
    choose(page, "list", PENSION)
    page.wait("document.querySelector('#main').dataset.pair === '6'")
    assert page.text("#count") == "已核 0 / 1"
    pressed(page, "2", None)  # the key is an answer though the focus was in the list of choices
    assert "还有 5 对未核" in page.text(".done")
    choose(page, "list", "")
    choose(page, "county", "533423")
    page.wait("document.querySelector('#main').dataset.pair === '5'")
    assert page.text("#count") == "已核 0 / 1"
    pressed(page, "3", None)
    choose(page, "county", "")
    choose(page, "which", "unsure")
    page.wait("document.querySelector('#main').dataset.pair === '5'")
    pressed(page, "1", None)
    assert answers(state) == {8: "different", 6: "same"}
    pressed(page, "u", 5)
    assert answers(state) == {8: "different", 6: "unsure"}  # what held before


def test_filters_by_keyboard(page: Browser, state: Path) -> None:
    page.js("document.querySelector('#list').focus()")
    page.press("ArrowDown")
    page.press("ArrowDown")
    page.wait("document.querySelector('#main').dataset.pair === '6'")
    assert page.js("document.activeElement.id") == "list"  # it may go on
    page.press("1")
    said(page, "按 Esc 回来")
    page.press("Escape")
    pressed(page, "1", None)
    assert answers(state) == {8: "same"}


def test_nobody_answers_without_a_name_and_keys_are_text_in_the_name(
    chromium: Browser, server: ReviewServer, state: Path
) -> None:
    chromium.open(server.address)
    assert chromium.js("document.activeElement.id") == "name"
    chromium.press("1")
    chromium.press("Escape")
    chromium.wait("!document.querySelector('#ask').open")
    chromium.press("2")
    chromium.wait("document.querySelector('#ask').open")
    assert not state.exists()


def test_held_keys_and_shortcuts_do_nothing(page: Browser, state: Path) -> None:
    page.press("1", repeat=True)
    page("Input.dispatchKeyEvent", type="keyDown", key="1", code="Digit1", modifiers=2)
    page("Input.dispatchKeyEvent", type="keyDown", key="End", code="Numpad1")
    assert page.js("fetch('api/index').then((r) => r.json()).then((i) => Object.keys(i.answers).length)") == 0
    assert answers(state) == {}


def test_a_key_under_a_chinese_input_method_counts_by_its_place(page: Browser, state: Path) -> None:
    page(
        "Input.dispatchKeyEvent", type="rawKeyDown", key="Process", code="Numpad2", windowsVirtualKeyCode=229
    )
    page.wait("document.querySelector('#main').dataset.pair === '2'")
    assert answers(state) == {1: "different"}


def test_somebody_elses_answer_is_shown_before_it_is_changed(page: Browser, state: Path) -> None:
    other = Judgement(key(5), key(1), DIBAO, "different", "核查人乙", AT.isoformat())
    judgements.record(state, [other])
    page.press("1")
    said(page, "刚才另有判断")
    assert "核查人乙" in page.text(".said")
    assert answers(state) == {1: "different"}
    pressed(page, "1", 2)
    assert answers(state) == {1: "same"}
    page.console.clear()  # the browser itself notes the 409


def test_an_answer_that_could_not_be_stored_does_not_move_on(page: Browser, state: Path) -> None:
    state.write_text("a file", encoding="utf-8")
    page.press("1")
    said(page, "E520")
    assert page.js("document.querySelector('#main').dataset.pair") == "1"
    assert page.text("#count") == "已核 0 / 6"
    page.console.clear()  # the browser itself notes the 500


def test_a_server_that_is_gone_is_said(page: Browser, server: ReviewServer) -> None:
    server.shutdown()
    server.socket.close()
    page.press("1")
    said(page, "连不上")
    assert page.js("document.querySelector('#main').dataset.pair") == "1"
    page.console.clear()


def test_the_end_button_by_keyboard(page: Browser, server: ReviewServer) -> None:
    page.js("document.querySelector('#end').focus()")
    page.press("Enter")
    assert server.ended.wait(10)
    page.wait("document.querySelector('.done')")
    assert "可以关闭此页" in page.text(".done")
    assert "还有 6 对未核" in page.text(".done")
    page.press("1")
    assert page.js("document.querySelectorAll('button:not([disabled])').length") == 0


def test_all_is_reached_by_the_tab_key(page: Browser) -> None:
    reached = []
    for _ in range(14):
        page.press("Tab")
        reached.append(page.js("document.activeElement.id || document.activeElement.dataset.answer || ''"))
    for wanted in (
        "list",
        "county",
        "which",
        "who",
        "end",
        "same",
        "different",
        "unsure",
        "undo",
        "previous",
        "next",
    ):
        assert wanted in reached, reached


@pytest.mark.parametrize(("wide", "tall"), [(1366, 640), (1366, 768), (1920, 1000)])
def test_ten_lines_and_three_candidates_fit_without_scrolling(page: Browser, wide: int, tall: int) -> None:
    page.size(wide, tall)
    page.press("j")
    page.wait("document.querySelector('#main').dataset.pair === '2'")
    over = "(e) => [e.scrollHeight - e.clientHeight, e.scrollWidth - e.clientWidth]"
    assert page.js(f"({over})(document.querySelector('main'))") == [0, 0]
    assert page.js(f"({over})(document.documentElement)") == [0, 0]
    page.size(1366, 768)


def test_text_from_a_list_is_never_markup(chromium: Browser, tmp_path: Path) -> None:
    evil = "<img src=x onerror=\"document.title='owned'\">"
    said_by_lists = [("姓名", evil, "王芳"), (evil, evil, None)]
    row = table.one(
        1, 1, sheet=evil, method=evil, name=evil, shown=table.shown(said_by_lists), source_file=evil
    )
    pairs = doubtful_pairs(table.write(tmp_path, [row]))
    with serving(Review(pairs, {DIBAO: evil}, tmp_path / "state", lambda: AT, who="<b>甲</b>"), 0) as server:
        chromium.console.clear()
        chromium.open(server.address)
        assert chromium.js("document.querySelectorAll('main img, header img, main b').length") == 0
        assert evil in chromium.text(".sides")
        assert chromium.js("document.title") == "人工核对"
        assert chromium.js("document.querySelector('#ask').open") is False  # the name was given with --who
    assert chromium.console == []
