"""`reconcile person correct` and `erase`: what is noted, what goes, who is known again afterwards."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import person_world as world
import polars as pl
import pytest
from person_world import nights, person
from test_person_export import code

from pipeline import access_log, cases
from pipeline.cases import Event, case_number, open_ledger, read_book
from pipeline.cases.flow import case_flow
from pipeline.cases.people import recognise
from pipeline.cases.person_rights import Correction, ListPlace, corrections, note_erasure
from pipeline.desk import NightFolders, explain
from pipeline.matching import judgements
from pipeline.matching.judgements import Judgement

DEPARTMENT = "civil_affairs"
AT = "2026-11-05T09:30:00+08:00"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world.make_world(tmp_path_factory.mktemp("person"))


@pytest.fixture
def out(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "out"))


def correct(out: Path, number: str, note: str, *more: str, department: str = DEPARTMENT) -> str:
    said = ("--note", note, "--department", department, "--reason", "本人来电", *more)
    done = person(out, "correct", number, *said)
    return done.output if done.exit_code == 0 else code(done)


def noted(out: Path) -> list[Correction]:
    with open_ledger(out / "state") as ledger:
        return corrections(ledger)


def events(out: Path, *kinds: str) -> list[Event]:
    with open_ledger(out / "state") as ledger:
        return [one.event for one in ledger.events() if one.event.kind in kinds]


def is_whole(out: Path) -> None:
    with open_ledger(out / "state") as ledger:
        assert cases.check(ledger, cases.replay) == []


# ---- correct ----


def test_a_correction_is_told_to_its_department(out: Path) -> None:
    said = correct(
        out, world.MISSES, f"欧阳建国 已停保\n身份证 {world.MISSES} 电话 13987654321 卡 539901198005"
    )
    assert "已记入台账" in said
    with open_ledger(out / "state") as ledger:
        (one,) = corrections(ledger)
        assert corrections(ledger, date(2026, 11, 1)) == []
        assert corrections(ledger, date(2026, 10, 31)) == [one]
        assert one.cases == cases.person_rights.cases_of(read_book(ledger.events()), one.person)
    assert one.department == DEPARTMENT
    assert one.cases
    assert "已停保" in one.note
    assert not any(secret in one.note for secret in ("建国", "13987654321", "1980", world.MISSES))
    is_whole(out)
    last = access_log.read(out / "state")[-1]
    assert (last.command, last.reason, last.cases) == ("person correct", "本人来电", one.cases)
    path = out.parent / "me.json"
    assert person(out, "export", world.MISSES, "--out", path).exit_code == 0
    told = {one["名称"]: one["记录"] for one in json.loads(path.read_text("utf-8"))["内容"]}
    (said,) = told["更正请求"]
    where = said.pop("名册中的位置")
    assert said == {"日期": "2026-10-31", "部门": DEPARTMENT, "说明": one.note}
    assert where.split("；")[0] == "civil_affairs/dibao/539901_示例市名单_20261031.csv 第2行"


def test_a_correction_of_somebody_without_a_case(out: Path) -> None:
    """The head of a family is on no register: the ledger enters him, and the night's book still follows on it."""
    assert "已记入台账" in correct(out, world.HEAD, "不是户主")
    (entered,) = events(out, "person")[-1:]
    with open_ledger(out / "state") as ledger:
        (one,) = corrections(ledger)
        book = read_book(ledger.events())
        assert book.people["id", ledger.key.of("id", world.HEAD)] == {one.person}
    assert entered.body["person"] == one.person
    assert one.cases == ()
    assert "已记入台账" in correct(out, world.HEAD, "还是不是户主")
    assert len({event.body["person"] for event in events(out, "correction")}) == 1
    is_whole(out)


def test_what_cannot_be_noted(out: Path) -> None:
    before = len(events(out, "correction", "person"))
    noted = len(access_log.read(out / "state"))
    assert correct(out, world.STRANGER, "错") == "E876"
    assert correct(out, world.MISSES, " \n") == "E879"
    assert correct(out, world.MISSES, "长" * 201) == "E879"
    for refused in ("应为19610203", "应为１９６１０２０３", "见疑点SLSX-2610-0001-6", "20261031起"):
        assert correct(out, world.MISSES, refused) == "E879"  # with it the egress check would stop all mail
    assert correct(out, world.MISSES, "错", department="nobody") == "E878"
    assert len(events(out, "correction", "person")) == before
    assert len(access_log.read(out / "state")) == noted


def test_the_place_is_told_by_list_and_column(out: Path, made: Path) -> None:
    said = correct(out, world.MISSES, "已停保", "--list", "dibao", "--column", "保障状态")
    (one,) = noted(out)
    where = ListPlace(
        "civil_affairs/dibao",
        "539901",
        "civil_affairs/dibao/539901_示例市名单_20261031.csv",
        "",
        2,
        "保障状态",
    )
    assert one.places == (where,)
    assert one.waiting
    file = made.parent / "inbox" / where.file
    assert world.MISSES in file.read_text("gb18030").splitlines()[where.row - 1]
    for word in ("第2行", f"“{where.column}”列", file.name, "已停保", *one.waiting):
        assert word in said
    assert not any(secret in said for secret in ("建国", world.MISSES, world.MISSES[6:14]))


def test_who_does_not_stand_in_the_list_is_told_as_that(out: Path) -> None:
    said = correct(out, world.MISSES, "应在名册上", "--list", "tekun")
    (one,) = noted(out)
    assert one.places == (ListPlace("civil_affairs/tekun", "539901"),)
    assert "没有此人的行" in said


def test_a_list_or_column_that_is_none_is_refused(out: Path) -> None:
    assert correct(out, world.MISSES, "错", "--list", "insured") == "E883"  # another department's
    assert correct(out, world.MISSES, "错", "--column", "血型") == "E883"
    assert noted(out) == []


def test_it_says_truly_whether_a_mail_will_go(out: Path) -> None:
    config = out.parent / "reconcile.toml"

    def way(departments: str, host: str = "localhost") -> str:
        text = f'[mail]\nhost = "{host}"\nsender = "a@example.gov.cn"\nallowed_domains = ["example.gov.cn"]\n'
        config.write_text(f"{text}[departments]\n{departments}", encoding="utf-8")
        return correct(out, world.MISSES, "已停保", "--config", str(config))

    mailed = way('civil_affairs = ["m@example.gov.cn"]\n')
    assert "将写进该部门的下一封数据质量邮件（收件人1个）" in mailed
    for said in (way(""), way('federation = ["f@example.gov.cn"]\n'), correct(out, world.MISSES, "已停保")):
        assert "不会有邮件发给该部门（[departments] 里没有 civil_affairs 的收件人" in said
        assert "另行转交" in said
        assert "将写进" not in said
        assert "第2行" in said
    assert "没有发信的服务器" in way('civil_affairs = ["m@example.gov.cn"]\n', host="")
    (out / "state/STOP_MAIL").touch()
    assert "STOP_MAIL" in way('civil_affairs = ["m@example.gov.cn"]\n')


# ---- erase ----


def texts(out: Path) -> Iterator[tuple[Path, str]]:
    """Everything under the folder as text, tables opened, without what is told to be left (reports)."""
    for path in sorted(out.rglob("*")):
        if not path.is_file() or path.is_relative_to(out / "reports"):
            continue
        if path.suffix == ".parquet":
            yield path, pl.read_parquet(path).with_columns(pl.all().cast(pl.String, strict=False)).write_csv()
        else:
            yield path, path.read_bytes().decode("utf-8", errors="replace")


def test_nothing_of_him_is_left(out: Path) -> None:
    secrets = (world.MISSES, world.SLIP, world.ACCOUNT, world.PHONE, world.ADDRESS, "欧阳建国")
    before = {path for path, text in texts(out) if any(secret in text for secret in secrets)}
    assert {path.relative_to(out).parts[0] for path in before} >= {"state", "results"}
    looked = person(out, "erase", world.MISSES)
    assert "什么也没有改动" in looked.output
    assert {path for path, text in texts(out) if any(secret in text for secret in secrets)} == before
    done = person(out, "erase", world.MISSES, "--yes", "--reason", "本人申请")
    assert done.exit_code == 0, done.output
    left = [(str(path), s) for path, text in texts(out) for s in secrets if s in text]
    assert left == []
    assert not list(out.rglob(".tmp-*"))
    assert "请先让来源部门删除" in done.output
    assert "reports/539901/discrepancies.csv" in done.output
    assert access_log.read(out / "state")[-1].command == "person erase"
    again = person(out, "erase", world.MISSES, "--yes", "--reason", "再来一次")
    assert code(again) == "E876"
    assert code(person(out, "export", world.MISSES, "--out", out / "me.json")) == "E876"


def test_everybody_else_is_as_before(out: Path, made: Path) -> None:
    assert person(out, "erase", world.MISSES, "--yes", "--reason", "本人申请").exit_code == 0
    for path in sorted(made.rglob("*.parquet")):
        mine = pl.read_parquet(path)
        after = pl.read_parquet(out / path.relative_to(made))
        assert after.schema == mine.schema, path
        assert after.height <= mine.height
    child = pl.read_parquet(sorted((out / "state/store/federation/register").rglob("*.parquet")))
    (row,) = child.filter(pl.col("id") == world.CHILD).iter_rows(named=True)
    assert (row["name"], row["gname"], row["gid"], row["gid_typed"]) == ("欧阳小宝", None, None, None)
    manifest = json.loads(
        next((out / "state/store/federation/register").rglob("manifest.json")).read_text("utf-8")
    )
    assert (manifest["rows"], manifest["erased"]) == (4, 1)
    folders = NightFolders(out, out / "state", nights.ROOT / "schemas", nights.ROOT / "rules")
    assert "欧阳小宝" in explain(world.CHILD, folders)  # the night can still be opened


def test_the_ledger_forgets_and_stays_whole(out: Path) -> None:
    with open_ledger(out / "state") as ledger:
        book = read_book(ledger.events())
        (gone,) = book.people["id", ledger.key.of("id", world.MISSES)]
        opened = [n for n, c in book.cases.items() if c.person == gone and c.state == "open"]
        others = {n: c for n, c in book.cases.items() if c.person != gone}
    assert opened
    done = person(out, "erase", world.MISSES, "--yes", "--reason", "本人申请")
    assert f"关闭疑点{len(opened)}件" in done.output
    is_whole(out)
    with open_ledger(out / "state") as ledger:
        after = read_book(ledger.events())
        assert not any(gone in people for people in after.people.values())
        one = cases.people.Somebody(
            1, f"{world.MISSES}41", world.MISSES, "欧阳建国", "539901", date(1980, 5, 12)
        )
        assert recognise(after.people, [one], ledger.key) == {}
        assert {(after.cases[n].state, after.cases[n].why) for n in opened} == {("closed", "erased")}
        assert {n: after.cases[n] for n in others} == others
        flow = case_flow(ledger.events())
    # events after the last night count to the next one: the running sum is not yet lower
    assert flow["open"].sum() == len([c for c in book.cases.values() if c.state == "open"])


def test_who_is_delivered_again_is_somebody_new(out: Path, made: Path) -> None:
    with open_ledger(out / "state") as ledger:
        before = set(read_book(ledger.events()).cases)
    person(out, "erase", world.MISSES, "--yes", "--reason", "本人申请")
    nights.night(made.parent / "inbox", out, as_of=date(2026, 11, 20))
    is_whole(out)
    with open_ledger(out / "state") as ledger:
        book = read_book(ledger.events())
        (back,) = book.people["id", ledger.key.of("id", world.MISSES)]
    new = {n for n, c in book.cases.items() if c.person == back}
    assert new
    assert not new & before
    assert back not in book.erased


def test_judgements_about_him_go_and_the_others_stay(out: Path) -> None:
    from hashlib import blake2b

    def key(text: str) -> str:
        return blake2b(text.encode(), digest_size=16).hexdigest()

    pairs = pl.read_parquet(out / "results/pairs.parquet")
    slip = pairs.filter(pl.col("dataset") == "hr_social_security/pension")["row_key"][0]
    made = [
        Judgement(key("r1"), key(world.MISSES), "a/b", "same", "甲", AT),
        Judgement(key("r2"), key(world.CHILD), "a/b", "different", "甲", AT),
        Judgement(slip, key(world.CHILD), "a/b", "different", "甲", AT),
        Judgement(key("r3"), key(f"{world.MISSES}41"), "a/b", "unsure", "乙", AT),
        Judgement(key("r4"), key(world.HEAD), "a/b", "same", "乙", AT),
    ]
    judgements.record(out / "state", made)
    person(out, "erase", world.MISSES, "--yes", "--reason", "本人申请")
    assert judgements.read(out / "state").judgements == (made[1], made[4])
    assert judgements.complaints(out / "state") == []


def test_letters_are_told_and_stay(out: Path) -> None:
    with open_ledger(out / "state") as ledger:
        book = read_book(ledger.events())
        (him,) = book.people["id", ledger.key.of("id", world.MISSES)]
        number = next(n for n, c in book.cases.items() if c.person == him)
        nobody = case_number.make("QQ", date(2026, 10, 31), 1)
        night = max(book.nights)
        letter = {
            "kind": "report", "place": "539901", "to": "", "subject": "", "sha256": "", "batch": "", "by": "", "about": "",
            "rules": "", "held": [],
        }  # fmt: skip
        cargo = {"due_on": None, "again": [], "reminded": [], "corrected": []}
        with ledger.transaction():
            ledger.append(
                [
                    Event(
                        night,
                        "mail",
                        None,
                        {**letter, "letter": "a-1", "cargo": {**cargo, "asked": [number]}},
                    ),
                    Event(
                        night,
                        "mail",
                        None,
                        {**letter, "letter": "a-2", "cargo": {**cargo, "asked": [nobody]}},
                    ),
                    Event(night, "mail_claimed", None, {"letter": "a-1", "first_tonight": True}),
                    Event(night, "mail_sent", None, {"letter": "a-1"}),
                ]
            )
    (out / "state/mail").mkdir()
    for name in ("a-1.eml", "a-2.eml"):
        (out / "state/mail" / name).write_bytes(b"sealed")
    path = out.parent / "me.json"
    words = ("--reason", "本人申请")
    assert person(out, "export", world.MISSES, "--out", path, *words).exit_code == 0
    told = {one["名称"]: one["记录"] for one in json.loads(path.read_text("utf-8"))["内容"]}
    assert [(m["邮件文件"], m["结果"], m["所涉疑点"]) for m in told["涉及的邮件"]] == [
        ("mail/a-1.eml", "已发", number)
    ]
    assert code(person(out, "erase", world.MISSES, "--yes")) == "E870"  # a state that has mailed
    done = person(out, "erase", world.MISSES, "--yes", *words)
    assert "mail/a-1.eml" in done.output
    assert "a-2" not in done.output
    assert (out / "state/mail/a-1.eml").exists()


def test_an_event_that_leaves_a_case_open_does_not_follow(out: Path) -> None:
    with open_ledger(out / "state") as ledger:
        book = read_book(ledger.events())
        person_ = next(c.person for c in book.cases.values() if c.state == "open")
        with ledger.transaction():
            ledger.append([Event(max(book.nights), "erased", None, {"person": person_})])
        assert [problem.code for problem in cases.check(ledger, cases.replay)] == ["E713"]


def test_an_erasure_that_was_killed_is_finished_by_asking_again(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr("pipeline.desk.person_erase.note_erasure", killed)
        person(out, "erase", world.MISSES, "--yes", "--reason", "本人申请")
    with open_ledger(out / "state") as ledger:
        assert read_book(ledger.events()).erased == set()
    done = person(out, "erase", world.MISSES, "--yes", "--reason", "本人申请")
    assert done.exit_code == 0, done.output
    with open_ledger(out / "state") as ledger:
        assert len(read_book(ledger.events()).erased) == 1
    is_whole(out)


def test_several_people_of_one_number_go_together(out: Path) -> None:
    with open_ledger(out / "state") as ledger:
        book = read_book(ledger.events())
        everybody = sorted({case.person for case in book.cases.values()})
        closed = note_erasure(ledger, everybody)
        assert set(closed) == {n for n, c in book.cases.items() if c.state == "open"}
    is_whole(out)


@pytest.mark.parametrize("command", ["export", "erase", "correct"])
def test_without_the_results_nothing_is_called_everything(out: Path, command: str) -> None:
    """Another --results than the night's: its tables would be left, and the rows that only the links say are his."""
    (out / "results").rename(out / "elsewhere")
    more = {
        "export": ("--out", out / "me.json"),
        "erase": ("--yes",),
        "correct": ("--note", "x", "--department", DEPARTMENT),
    }
    assert code(person(out, command, world.MISSES, *more[command])) == "E882"
    assert events(out, "erased") == []


@pytest.mark.parametrize("command", ["export", "erase"])
def test_a_damaged_manifest_hides_no_rows(out: Path, command: str) -> None:
    (manifest, *_) = sorted((out / "state/store/civil_affairs/dibao").rglob("manifest.json"))
    manifest.write_text("{", encoding="utf-8")
    more = {"export": ("--out", out / "me.json"), "erase": ("--yes",)}
    assert code(person(out, command, world.MISSES, *more[command])) == "E882"


@pytest.mark.parametrize("command", ["export", "erase"])
def test_a_kept_list_without_its_dataset_file_hides_no_rows(out: Path, command: str, tmp_path: Path) -> None:
    shutil.copytree(nights.ROOT / "schemas", tmp_path / "schemas")
    (tmp_path / "schemas/civil_affairs/dibao.yaml").unlink()
    more = {"export": ("--out", out / "me.json"), "erase": ("--yes",)}
    said = person(out, command, world.MISSES, *more[command], "--schemas", tmp_path / "schemas")
    assert code(said) == "E882"
    assert "civil_affairs/dibao" in str(said.exception or said.output)
    assert not (out / "me.json").exists()
    assert events(out, "erased") == []


def test_an_archive_from_before_his_number_was_corrected_is_cleared_too(out: Path) -> None:
    (place,) = (out / "state" / "nights").iterdir()
    people = pl.read_parquet(place / "people.parquet")
    with open_ledger(out / "state") as ledger:
        known = ledger.key.of("night", world.MISSES)[:24]
    (who,) = people.filter(pl.col("key") == known)["who"]
    earlier = pl.when(pl.col("key") == known).then(pl.lit("0" * 24)).otherwise("key")
    people.with_columns(key=earlier).write_parquet(place / "people.parquet")
    assert who in pl.read_parquet(place / "answers.parquet")["who"]
    assert person(out, "erase", world.MISSES, "--yes", "--reason", "本人申请").exit_code == 0
    assert who not in pl.read_parquet(place / "people.parquet")["who"]
    assert who not in pl.read_parquet(place / "answers.parquet")["who"]
