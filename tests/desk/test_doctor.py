"""`reconcile doctor`: a healthy installation is said to be so, and every planted fault is found, named and has a cure."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline import cases, clock
from pipeline.cases.event import Event
from pipeline.cli_watch import watch_app
from pipeline.contracts.settings import Settings
from pipeline.desk import doctor_files, doctor_machine, doctor_work
from pipeline.desk.doctor import CHECKS, DoctorRequest, doctor, is_ill, lines
from pipeline.desk.doctor_finding import Finding, Patient
from pipeline.desk.doctor_volume import is_encrypted, swap_devices
from pipeline.heartbeat import Heartbeat, write_heartbeat

ROOT = Path(__file__).parents[2]
AS_OF = date(2026, 10, 31)
NOW = datetime(2026, 11, 1, 8, 0, tzinfo=clock.SHANGHAI)
BEAT = Heartbeat(AS_OF, NOW - timedelta(hours=6), 3, 40, 42, 4)
MAIL = {
    "host": "127.0.0.1",
    "sender": "a@x.gov.cn",
    "allowed_domains": ("x.gov.cn",),
    "operator": ("op@x.gov.cn",),
}


@pytest.fixture(autouse=True)
def private() -> None:
    os.umask(0o077)


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    """A state after one night."""
    state, out, inbox = tmp_path / "state", tmp_path / "out", tmp_path / "inbox"
    for folder in (state, out, inbox / "feedback"):
        folder.mkdir(parents=True)
    with cases.open_ledger(state) as ledger:
        with ledger.transaction():
            ledger.append([Event(AS_OF, "night", None, {})])
        cases.backup(ledger, ledger.places.backups, 30)
    write_heartbeat(state, BEAT)
    run = {"format": 1, "as_of": AS_OF.isoformat(), "counties": {"533401": "香格里拉市", "533423": "维西县"}}
    (out / "run.json").write_text(json.dumps(run), encoding="utf-8")
    return Patient(state, out, inbox, None, Settings(), ROOT / "schemas", ROOT / "rules", NOW, BEAT)


def one(check: Callable[[Patient], object], patient: Patient) -> Finding:
    found = check(patient)
    assert isinstance(found, Finding)
    return found


def test_a_healthy_installation(patient: Patient) -> None:
    request = DoctorRequest(patient.state, patient.out, patient.schemas, patient.rules, patient.inbox)
    found = doctor(request)
    assert [f.line() for f in found if f.level == "wrong" and f.name != "内存转储"] == []
    assert {f.name for f in found} >= {"设置", "磁盘空间", "台账", "规则", "台账备份", "上一夜", "反馈文件夹"}
    assert all(f.cure for f in found if f.level != "good")
    assert lines(found)[-1].startswith(f"{len(found)} 项检查")


def test_nothing_there_yet_is_no_fault(tmp_path: Path) -> None:
    found = doctor(DoctorRequest(tmp_path / "state", tmp_path / "out", ROOT / "schemas", ROOT / "rules"))
    assert [f.line() for f in found if f.level == "wrong" and f.name != "内存转储"] == []
    assert list(tmp_path.iterdir()) == []  # a look makes nothing


def test_a_look_changes_nothing(patient: Patient) -> None:
    def content() -> dict[str, bytes]:
        return {str(p): p.read_bytes() for p in sorted(patient.state.parent.rglob("*")) if p.is_file()}

    before = content()
    doctor(DoctorRequest(patient.state, patient.out, patient.schemas, patient.rules, patient.inbox))
    assert content() == before


def test_signs_have_words_too() -> None:
    told = [Finding("时钟", level, "…", "校准").line() for level in ("good", "warning", "wrong")]
    assert [line.split("  ")[0] for line in told] == ["✓ 正常", "! 注意", "✗ 有误"]
    assert told[2].endswith("。办法：校准")


def test_a_check_that_breaks_is_a_finding_without_its_text(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Patient) -> Finding:
        raise ValueError("539999196503170010")

    monkeypatch.setattr("pipeline.desk.doctor.CHECKS", (("坏的检查", broken),))
    found = doctor(DoctorRequest(patient.state, patient.out, patient.schemas, patient.rules))
    assert found[-1].level == "wrong"
    assert "ValueError" in found[-1].words
    assert "539999" not in "\n".join(lines(found))


def test_each_check_is_known_once() -> None:
    names = [name for name, _ in CHECKS]
    assert len(names) == len(set(names)) >= 20


# the machine


def test_too_little_space(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    (patient.out / "results").mkdir()
    (patient.out / "results" / "links.parquet").write_bytes(b"x" * 1000)

    def free(amount: int) -> Finding:
        usage = type("Usage", (), {"free": amount})
        monkeypatch.setattr(doctor_machine.shutil, "disk_usage", lambda _: usage)
        return one(doctor_machine.disk_space, patient)

    assert free(2999).level == "wrong"
    assert free(3000).level == "warning"  # three nights, but not 2 GB
    assert free(2 << 30).level == "good"


def test_the_newest_snapshot_of_every_list_counts(patient: Patient) -> None:
    for day, size in (("20260930", 500), ("20261031", 70)):
        place = patient.state / "store/finance/payments/all" / day
        place.mkdir(parents=True)
        (place / "open-00000.parquet").write_bytes(b"x" * size)
    assert doctor_machine._last_nights_size(patient) == 70


def device(system: Path, number: str, uuid: str = "", below: tuple[str, ...] = ()) -> None:
    """A block device as sysfs shows it."""
    place = system / "devices" / number
    (place / "slaves").mkdir(parents=True)
    if uuid:
        (place / "dm").mkdir()
        (place / "dm" / "uuid").write_text(uuid)
    for slave in below:
        (place / "slaves" / slave).symlink_to(system / "devices" / slave)
    (system / "dev/block").mkdir(parents=True, exist_ok=True)
    (system / "dev/block" / number).symlink_to(place)


@pytest.mark.parametrize(
    ("uuid", "below", "expected"),
    [
        ("CRYPT-LUKS2-abc", (), True),
        ("", (), False),
        ("LVM-abc", ("crypt",), True),
        ("LVM-abc", ("plain",), False),
        ("LVM-abc", ("crypt", "plain"), False),  # half of it is open
    ],
)
def test_encryption_below_the_file_system(
    tmp_path: Path, uuid: str, below: tuple[str, ...], expected: bool
) -> None:
    system, number = tmp_path / "sys", tmp_path.stat().st_dev
    device(system, "crypt", "CRYPT-LUKS2-x")
    device(system, "plain")
    device(system, f"{os.major(number)}:{os.minor(number)}", uuid, below)
    assert is_encrypted(tmp_path, system, tmp_path / "no mountinfo") is expected


def test_encryption_that_cannot_be_said(tmp_path: Path) -> None:
    assert is_encrypted(tmp_path, tmp_path / "no sysfs", tmp_path / "no mountinfo") is None


@pytest.mark.parametrize(("kind", "expected"), [("fuse.gocryptfs", True), ("tmpfs", True), ("nfs4", None)])
def test_file_systems_that_encrypt_themselves(tmp_path: Path, kind: str, expected: bool | None) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        f"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n23 22 0:50 / {tmp_path} rw,relatime - {kind} x rw\n"
    )
    assert is_encrypted(tmp_path, tmp_path / "no sysfs", mounts) is expected


def test_swap(tmp_path: Path, patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    swaps = tmp_path / "swaps"
    swaps.write_text(
        "Filename Type Size Used Priority\n/dev/zram0 partition 1 0 -2\n/dev/nowhere partition 1 0 -3\n"
    )
    assert swap_devices(tmp_path, tmp_path / "no", swaps) == {"/dev/zram0": True, "/dev/nowhere": False}
    assert swap_devices(tmp_path, tmp_path / "no", tmp_path / "no swaps") is None
    monkeypatch.setattr(doctor_machine, "swap_devices", lambda: {"/dev/sda2": False})
    assert one(doctor_machine.swap, patient).level == "warning"


def test_memory(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    def of(gigabytes: float) -> str:
        monkeypatch.setattr(doctor_machine, "machine_memory", lambda: int(gigabytes * 2**30))
        return one(doctor_machine.memory, patient).level

    assert [of(2.9), of(4.0), of(8.0)] == ["wrong", "warning", "good"]


@pytest.mark.parametrize(
    ("now", "level"),
    [
        (NOW.replace(year=1970), "wrong"),
        (NOW.replace(year=2199), "wrong"),
        (BEAT.finished - timedelta(hours=2), "wrong"),  # before the last night ended
        (NOW, "good"),
    ],
)
def test_the_clock(patient: Patient, monkeypatch: pytest.MonkeyPatch, now: datetime, level: str) -> None:
    monkeypatch.setenv("TZ", "CST-8")
    import time

    time.tzset()
    try:
        assert one(doctor_machine.clock_right, replace(patient, now=now)).level == level
    finally:
        monkeypatch.undo()
        time.tzset()


def test_another_zone_is_noted(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    try:
        found = one(doctor_machine.clock_right, patient)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert found.level == "warning"
    assert "UTC+0" in found.words


def test_holidays(patient: Patient) -> None:
    unknown = replace(patient, now=NOW.replace(year=2090))
    assert one(doctor_machine.holidays, unknown).level == "warning"
    period = {"period": {"holidays": ["2090-02-01", "2091-02-01"]}}
    told = replace(unknown, settings=Settings.model_validate(period))
    assert one(doctor_machine.holidays, told).level == "good"
    assert one(doctor_machine.holidays, replace(patient, now=NOW.replace(year=2024))).level == "good"


# who may read what


def test_files_that_others_can_read(patient: Patient) -> None:
    assert one(doctor_files.contents, patient).level == "good"
    (patient.state / "heartbeat.json").chmod(0o644)
    found = one(doctor_files.contents, patient)
    assert found.level == "wrong"
    assert "1 个" in found.words


def test_a_folder_that_others_can_enter(patient: Patient) -> None:
    patient.state.chmod(0o755)
    assert [f.level for f in doctor_files.folders(patient)] == ["wrong", "good"]


def test_a_state_that_is_a_file(patient: Patient, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert next(iter(doctor_files.folders(replace(patient, state=tmp_path / "file")))).level == "wrong"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_files_of_somebody_else(patient: Patient) -> None:
    os.chown(patient.state / "heartbeat.json", 12345, -1)
    assert "不属于" in one(doctor_files.contents, patient).words
    os.chown(patient.state / "key/person.key", 12345, -1)
    assert one(doctor_files.person_key, patient).level == "wrong"


def test_the_key(patient: Patient) -> None:
    key = patient.state / "key/person.key"
    assert one(doctor_files.person_key, patient).level == "good"
    key.chmod(0o440)
    assert one(doctor_files.person_key, patient).words.startswith("E707")
    key.unlink()
    assert one(doctor_files.person_key, patient).words.startswith("E707")


def test_the_file_of_passwords(patient: Patient, tmp_path: Path) -> None:
    config = tmp_path / "reconcile.toml"
    sending = replace(patient, config=config, settings=Settings.model_validate({"mail": MAIL}))
    assert one(doctor_files.secrets, patient).level == "good"
    assert one(doctor_files.secrets, sending).level == "warning"
    secrets = tmp_path / "secrets.toml"
    secrets.write_text('smtp_password = "a password that nobody sees"\n')
    secrets.chmod(0o400)
    assert one(doctor_files.secrets, sending).level == "good"
    secrets.chmod(0o444)
    found = one(doctor_files.secrets, sending)
    assert found.level == "wrong"
    assert "nobody" not in found.line()


def test_a_county_that_asks_for_whole_numbers_needs_a_password(patient: Patient, tmp_path: Path) -> None:
    asked = {"533423": {"full_ids": True, "full_ids_reason": "州局同意"}}
    told = {"mail": MAIL, "counties": asked, "recipients": {"533423": ["a@x.gov.cn"]}}
    sending = replace(patient, config=tmp_path / "reconcile.toml", settings=Settings.model_validate(told))
    assert one(doctor_files.secrets, sending).level == "wrong"  # no file at all
    secrets = tmp_path / "secrets.toml"
    secrets.write_text('smtp_password = "a password that nobody sees"\n')
    secrets.chmod(0o600)
    assert "533423" in one(doctor_files.secrets, sending).words
    secrets.write_text('[county_passwords]\n533423 = "another that nobody sees"\n')
    assert one(doctor_files.secrets, sending).level == "good"


def test_umask(patient: Patient) -> None:
    os.umask(0o022)
    try:
        assert one(doctor_files.umask, patient).level == "wrong"
    finally:
        os.umask(0o077)
    assert one(doctor_files.umask, patient).level == "good"


def test_the_inbox(patient: Patient, tmp_path: Path) -> None:
    assert [f.level for f in doctor_files.inbox(patient)] == ["good", "good"]
    (tmp_path / "inbox/feedback").rmdir()
    assert [f.level for f in doctor_files.inbox(patient)] == ["good", "warning"]
    assert [f.level for f in doctor_files.inbox(replace(patient, inbox=tmp_path / "no"))] == ["wrong"]
    assert list(doctor_files.inbox(replace(patient, inbox=None))) == []


# the work


def test_settings_that_cannot_be_read(patient: Patient, tmp_path: Path) -> None:
    config = tmp_path / "reconcile.toml"
    config.write_text("[limits]\nmemory_gb = -1\n")
    found = doctor(DoctorRequest(patient.state, patient.out, patient.schemas, patient.rules, config=config))
    assert found[0].words.startswith("E105")
    assert is_ill(found)


def test_rules_that_do_not_load(patient: Patient, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "x.yaml").write_text("title: [")
    found = one(doctor_work.rules_load, replace(patient, rules=tmp_path / "rules"))
    assert found.level == "wrong"
    assert one(doctor_work.schemas_load, replace(patient, schemas=tmp_path)).level == "wrong"


def test_counties_without_recipients(patient: Patient) -> None:
    assert one(doctor_work.recipients, patient).level == "good"
    some = {"mail": MAIL, "recipients": {"533423": ["w@x.gov.cn"]}}
    found = one(doctor_work.recipients, replace(patient, settings=Settings.model_validate(some)))
    assert found.level == "warning"
    assert "香格里拉市" in found.words
    assert "维西县" not in found.words
    every = {**some, "recipients": {"533423": ["w@x.gov.cn"], "533401": ["s@x.gov.cn"]}}
    assert (
        one(doctor_work.recipients, replace(patient, settings=Settings.model_validate(every))).level == "good"
    )


def test_a_mail_server_that_is_not_there(patient: Patient) -> None:
    sending = replace(
        patient, settings=Settings.model_validate({"mail": {**MAIL, "port": 9, "timeout_seconds": 2}})
    )
    assert one(doctor_work.mail_server, replace(sending, offline=True)).level == "good"
    found = one(doctor_work.mail_server, sending)
    assert found.level == "wrong"
    assert found.words.startswith("E83")
    assert "x.gov.cn" not in found.line()


def test_the_brake(patient: Patient) -> None:
    assert one(doctor_work.stop_mail, patient).level == "good"
    (patient.state / "STOP_MAIL").touch()
    assert one(doctor_work.stop_mail, patient).level == "warning"


def test_a_damaged_ledger(patient: Patient) -> None:
    assert one(doctor_work.ledger, patient).level == "good"
    path = patient.state / "ledger/ledger.sqlite"
    path.write_bytes(path.read_bytes()[:5000])
    assert one(doctor_work.ledger, patient).level == "wrong"


def test_old_backups(patient: Patient) -> None:
    assert one(doctor_work.backup_age, patient).level == "good"
    later = replace(patient, beat=replace(BEAT, as_of=AS_OF + timedelta(days=4)))
    assert one(doctor_work.backup_age, later).level == "warning"
    for path in (patient.state / "backup").iterdir():
        path.unlink()
    assert one(doctor_work.backup_age, patient).level == "warning"


def test_the_last_night(patient: Patient) -> None:
    assert one(doctor_work.last_night, patient).level == "good"
    assert one(doctor_work.last_night, replace(patient, beat=replace(BEAT, exit_code=7))).level == "wrong"
    assert one(doctor_work.last_night, replace(patient, beat=replace(BEAT, accepted=0))).level == "wrong"
    assert (
        one(doctor_work.last_night, replace(patient, beat=replace(BEAT, mails={"later": 1}))).level
        == "warning"
    )


def test_silence_is_no_good_night(patient: Patient) -> None:
    found = one(doctor_work.last_night, replace(patient, now=NOW + timedelta(days=40)))
    assert (found.level, "40 天" in found.words) == ("warning", True)
    assert one(doctor_work.last_night, replace(patient, beat=None)).level == "warning"  # and yet a ledger


def test_a_broken_heartbeat_is_a_finding(patient: Patient) -> None:
    (patient.state / "heartbeat.json").write_text("{")
    found = doctor(DoctorRequest(patient.state, patient.out, patient.schemas, patient.rules))
    assert any(f.words.startswith("E851") for f in found)
    assert [f.level for f in found if f.name == "上一夜"] == ["warning"]


# the command


def test_the_command(patient: Patient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    folders = ["--schemas", str(patient.schemas), "--rules", str(patient.rules), "--offline"]
    good = CliRunner().invoke(watch_app, ["doctor", *folders, "--state", "state", "--out", "out"])
    assert good.exit_code == 0, good.output
    patient.state.chmod(0o750)
    bad = CliRunner().invoke(watch_app, ["doctor", *folders, "--state", "state", "--out", "out", "--json"])
    assert bad.exit_code == 1
    wrong = [f for f in json.loads(bad.output) if f["level"] == "wrong"]
    assert [f["name"] for f in wrong] == ["state 文件夹"]
    assert wrong[0]["cure"].startswith("chmod 700")
