"""The page's server without a browser: who is let in, what is answered, what is stored."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import review_table as table
from review_client import Client
from review_table import AT, DIBAO, PENSION, key, one

from pipeline.contracts.problem import ReconcileError
from pipeline.desk.review_page import Review
from pipeline.desk.review_pairs import doubtful_pairs
from pipeline.desk.review_server import serving
from pipeline.matching import judgements

TITLES = {DIBAO: "最低生活保障对象花名册"}
PAGES = ("", "review.css", "review.js", "draw.js", "icon.svg")


@pytest.fixture(scope="module")
def wall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One server for all who are not let in; at the end nothing may be stored."""
    folder = tmp_path_factory.mktemp("wall")
    with serving(
        Review(doubtful_pairs(table.write(folder / "out")), TITLES, folder / "state", lambda: AT), 0
    ) as server:
        yield Client(server)
    assert not (folder / "state").exists()


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    pairs = doubtful_pairs(table.write(tmp_path / "out"))
    with serving(Review(pairs, TITLES, tmp_path / "state", lambda: AT), 0) as server:
        yield Client(server)


def test_the_address_is_local_and_every_file_of_the_page_is_there(client: Client) -> None:
    assert client.server.address.startswith("http://127.0.0.1:")
    assert len(client.server.token) >= 32
    for name in PAGES:
        status, headers, body = client("GET", client.inside + name)
        assert status == 200
        assert body
        assert headers["cache-control"] == "no-store"
        assert headers["content-security-policy"].startswith("default-src 'self';")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert not any(name.startswith("access-control") for name in headers)
        assert "Python" not in headers["server"]
        assert b"//" not in body.replace(b"http://www.w3.org/", b"").replace(
            b"// ", b""
        )  # nothing from elsewhere


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "path", ["/", "/api/index", "/{half}/", "/{token}", "/{token}x/", "/?{token}/", "http://["]
)
def test_without_the_token_everything_is_403(wall: Client, method: str, path: str) -> None:
    token = wall.server.token
    status, _, body = wall(method, path.format(token=token, half=token[:16]), b"{}")
    assert (status, body) == (403, b"" if method == "HEAD" else b"403")


@pytest.mark.parametrize(
    "host",
    [
        "none",
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "127.0.0.1.evil.example:{port}",
    ],
)
def test_another_host_is_403(wall: Client, host: str) -> None:
    assert wall("GET", wall.inside, host=host.format(port=wall.port))[0] == 403


def test_localhost_is_this_host(wall: Client) -> None:
    assert wall("GET", wall.inside, host=f"localhost:{wall.port}")[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_a_post_of_another_site_is_403(wall: Client, headers: dict[str, str]) -> None:
    said = b'{"pair": 1, "answer": "same", "who": "x", "before": null}'
    status, _, _ = wall("POST", wall.inside + "api/answer", said, Content_Type="application/json", **headers)
    assert status == 403
    assert wall.get("api/index")["answers"] == {}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"who": "x"}', "text/plain"),
        (b"who=x", "application/x-www-form-urlencoded"),
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b"\xff", "application/json"),
        (b"[" * 4000, "application/json"),
        (b" " * 5000, "application/json"),
    ],
)
def test_a_post_that_is_no_small_json_object_is_400(wall: Client, body: bytes, kind: str) -> None:
    assert wall("POST", wall.inside + "api/undo", body, Content_Type=kind)[0] == 400


@pytest.mark.parametrize("length", ["-1", "x", "99999999999999", "²"])
def test_a_length_that_is_none_is_400(wall: Client, length: str) -> None:
    headers = {"Content_Type": "application/json", "Content_Length": length.encode().decode("latin-1")}
    assert wall("POST", wall.inside + "api/undo", b"{}", **headers)[0] == 400


@pytest.mark.parametrize(
    "path", ["api/pair/0", "api/pair/7", "api/pair/x", "api/pair/-1", "api/end", "../cli.py", "x"]
)
def test_what_is_not_there_is_404(wall: Client, path: str) -> None:
    assert wall("GET", wall.inside + path)[0] == 404


def test_the_index(client: Client) -> None:
    index = client.get("api/index")
    assert [pair["n"] for pair in index["pairs"]] == [1, 2, 3, 4, 5, 6]
    assert [pair["of"] for pair in index["pairs"]] == [1, 3, 3, 3, 1, 1]
    assert len({pair["row"] for pair in index["pairs"]}) == 4
    assert index["lists"] == [[DIBAO, TITLES[DIBAO]], [PENSION, PENSION]]
    assert [code for code, _ in index["counties"]] == ["533401", "533423"]
    assert index["answers"] == {}


def test_a_pair_is_told_in_words_with_its_weights_and_differences(client: Client) -> None:
    pair = client.get("api/pair/1")
    assert (pair["list"], pair["sheet"], pair["row"]) == (TITLES[DIBAO], "在保名单", 5)
    assert (pair["probability"], pair["alone"]) == ("97.3%", "97.3%")
    steps = pair["weights"]
    assert [step["bits"] for step in steps] == [-11.2, 9.31, 6.05, 2.4, 0.0, -1.25]
    assert steps[0]["field"] == "比对之前"
    assert (steps[1]["field"], steps[1]["level"]) == ("号码与生日", "号码一字之差")
    assert steps[3]["level"] == "new_level"  # a level without its word is shown as it is
    assert steps[4]["level"] == "无从比较"
    assert abs(sum(step["bits"] for step in steps) - pair["total"]) < 0.01
    lines = {line["label"]: line for line in pair["shown"]}
    assert lines["姓名"]["row"] == [["次", "other"], ["仁卓玛", ""]]
    assert lines["姓名"]["same"] is False
    assert lines["性别"]["same"] is True
    assert lines["监护人"] == {"label": "监护人", "row": None, "register": [["扎西", ""]], "same": None}


def test_what_the_fields_leave_unexplained_is_a_step_of_its_own(client: Client) -> None:
    pair = client.get("api/pair/3")
    assert pair["weights"][-1] == {"field": "其他", "level": "", "bits": pytest.approx(-1.1 - 5.31)}
    assert (pair["probability"], pair["alone"]) == ("31.0%", "31.0%")


def test_a_pair_with_a_rival_says_how_likely_it_would_be_alone(client: Client) -> None:
    pair = client.get("api/pair/2")
    assert (pair["probability"], pair["alone"]) == ("62.0%", "97.5%")


def test_no_weight_breaks_the_page(tmp_path: Path) -> None:
    odd = {"identity": float("-inf"), "name": float("nan"), "place": None}
    row = one(1, 1, match_weight=float("-inf"), sheet=None, county_code=None, method=None)
    row |= {f"{name}_weight": weight for name, weight in odd.items()}
    pairs = doubtful_pairs(table.write(tmp_path, [row]))
    with serving(Review(pairs, {}, tmp_path / "state", lambda: AT), 0) as server:
        status, _, body = Client(server)("GET", f"/{server.token}/api/pair/1")
    assert status == 200
    pair = json.loads(body, parse_constant=lambda name: pytest.fail(f"no JSON: {name}"))
    assert pair["weights"][1]["bits"] == -100.0
    assert pair["county"] == "县不明"


def test_an_answer_is_on_the_disk_when_it_is_answered(client: Client, tmp_path: Path) -> None:
    status, reply = client.post("api/answer", pair=2, answer="same", who="核查人甲", before=None)
    assert (status, reply["answer"]) == (200, {"answer": "same", "who": "核查人甲", "at": "2026-11-05 09:30"})
    stored = judgements.history(tmp_path / "state").row(0, named=True)
    assert stored == {
        "row_key": key(7),
        "person_key": key(2),
        "dataset": DIBAO,
        "answer": "same",
        "who": "核查人甲",
        "at": "2026-11-05T09:30:07+08:00",
    }
    assert client.get("api/index")["answers"] == {"2": reply["answer"]}


@pytest.mark.parametrize(
    "wrong",
    [
        {"pair": 0},
        {"pair": 7},
        {"pair": "1"},
        {"pair": True},
        {"pair": None},
        {"pair": 1.0},
        {"answer": "undone"},
        {"answer": None},
        {"answer": ["same"]},
        {"who": ""},
        {"who": None},
        {"who": "甲\n乙"},
        {"who": "\ud800"},
        {"who": "甲" * 41},
    ],
)
def test_an_answer_out_of_form_is_400_and_stores_nothing(
    client: Client, tmp_path: Path, wrong: dict[str, Any]
) -> None:
    good = {"pair": 1, "answer": "same", "who": "甲", "before": None}
    status, reply = client.post("api/answer", **good | wrong)
    assert status == 400
    assert reply["problem"]
    assert judgements.history(tmp_path / "state").is_empty()


def test_who_changes_an_answer_must_have_seen_it(client: Client, tmp_path: Path) -> None:
    assert client.post("api/answer", pair=1, answer="same", who="甲", before=None)[0] == 200
    status, reply = client.post("api/answer", pair=1, answer="different", who="乙", before=None)
    assert status == 409
    assert reply["answers"]["1"]["who"] == "甲"
    assert client.post("api/answer", pair=1, answer="different", who="乙", before="same")[0] == 200
    assert judgements.current(tmp_path / "state")["answer"].to_list() == ["different"]


def test_undo_only_takes_back_ones_own(client: Client) -> None:
    client.post("api/answer", pair=1, answer="same", who="甲", before=None)
    client.post("api/answer", pair=2, answer="unsure", who="乙", before=None)
    assert client.post("api/undo", who="甲") == (200, {"n": 1, "answers": client.get("api/index")["answers"]})
    assert set(client.get("api/index")["answers"]) == {"2"}
    assert client.post("api/undo", who="甲")[1]["n"] is None
    assert client.post("api/undo", who="")[0] == 400


def test_what_cannot_be_stored_is_said(client: Client, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file", encoding="utf-8")
    status, reply = client.post("api/answer", pair=1, answer="same", who="甲", before=None)
    assert status == 500
    assert "E520" in reply["problem"]


def test_a_bug_is_said_without_anybodys_data(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.desk.review_page.shown", lambda text: {}[text])
    status, _, body = client("GET", client.inside + "api/pair/1")
    assert status == 500
    assert "KeyError" in body.decode()
    assert "539999" not in body.decode()


def test_two_at_once_on_one_pair_store_one_answer(client: Client, tmp_path: Path) -> None:
    statuses: list[int] = []

    def press(who: str) -> None:
        statuses.append(client.post("api/answer", pair=1, answer="same", who=who, before=None)[0])

    both = [threading.Thread(target=press, args=(who,)) for who in ("甲", "乙")]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert sorted(statuses) == [200, 409]
    assert judgements.history(tmp_path / "state").height == 1


def test_the_end_button_ends(client: Client) -> None:
    assert not client.server.ended.is_set()
    assert client.post("api/end")[0] == 200
    assert client.server.ended.wait(5)


def test_nothing_is_logged(client: Client, capfd: pytest.CaptureFixture[str]) -> None:
    client("GET", "/wrong")
    client("BREW", client.inside)
    client.get("api/pair/1")
    client.post("api/answer", pair=1, answer="same", who="甲", before=None)
    assert capfd.readouterr() == ("", "")


def test_a_port_in_use_is_said(client: Client, tmp_path: Path) -> None:
    with pytest.raises(ReconcileError) as caught, serving(client.server.review, client.port):
        pass
    assert caught.value.problem.code == "E526"
