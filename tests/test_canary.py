"""0 canaries outside the files that are made for the counties: a night with every kind of refusal, a dry run of its mail,
the commands, wrong ones too, and everything that they print, log, name and leave behind.

Not planted: a name in the name of a delivered file or in a `--reason`. Nobody can tell it from another word, so it stands in the
problems' places and in the access log as it was written.
"""

from __future__ import annotations

import email
import email.policy
import json
import os
import subprocess
import sys
from pathlib import Path

import canary
import canary_world
import pytest
from canary import PEOPLE, leaks, leaks_in_files

ROOT = Path(__file__).resolve().parents[1]
# what holds people on purpose: the lists, the results, the counties' reports, what the next night needs
MEANT = ("state/store", "state/night", "state/night-before", "results", "reports", "mail", "state/mail")


END = "\x1e"  # after each command's output; what it ended with stands in the line before
DRIVER = """
import json, sys
from pipeline.cli import main
for words in json.loads(sys.argv[1]):
    sys.argv, sys.stderr, code = ["reconcile", *words], sys.stdout, 0
    try:
        main()
    except SystemExit as left:
        code = left.code or 0
    print(f"\\n{code}", end="\x1e", flush=True)
"""


class World:
    """A night and further commands in processes of their own, with a temporary folder that nobody else uses."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out, self.temp = folder, folder / "out", folder / "temp"
        self.said: list[tuple[str, int, str]] = []
        self.temp.mkdir()
        self.inbox = canary_world.make_inbox(folder)

    def reconcile(self, *commands: tuple[object, ...], given: str = "") -> None:
        """Runs commands as they are typed, one after the other in one fresh process; remembers what each said."""
        environment = {**os.environ, "TMPDIR": str(self.temp), "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
        asked = json.dumps([[str(word) for word in command] for command in commands])
        done = subprocess.run(
            [sys.executable, "-c", DRIVER, asked],
            cwd=self.folder,
            env=environment,
            input=given,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        *told, rest = done.stdout.split(END)
        assert len(told) == len(commands)
        for command, text in zip(commands, told, strict=True):
            body, _, code = text.rpartition("\n")
            self.said.append((str(command[0]), int(code), body))
        self.said.append(("rest", 0, rest + done.stderr))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("canary"))
    one, slip = PEOPLE[0], PEOPLE[0].id[:-1] + ("0" if PEOPLE[0].id[-1] != "0" else "1")
    both = ("--schemas", ROOT / "schemas", "--rules", ROOT / "rules")
    config = ("--config", world.folder / "reconcile.toml")
    night = ("--out", world.out, "--as-of", "2026-10-31", *config, *both)
    about, why = ("--out", world.out, *both), ("--reason", f"本人来电 {one.phone}，证号 {one.id}")
    state = ("--state", world.out / "state")
    world.reconcile(
        ("run", "--inbox", world.inbox, *night),
        ("run", "--inbox", world.folder / one.name / one.id, *night),  # a folder that is not there
        *(
            ("explain", asked, *about, *why)
            for asked in (one.id, slip, canary.number("19991231", 999), one.name, one.phone, "-")
        ),
        ("explain", f"{one.id}41", *about, "--why-not", one.name, "--reason", "核对"),
        ("explain", one.id, *about),  # refused: no reason
        ("explain", one.id, "--out", world.folder / "nowhere", *both, "--reason", "核对"),
        ("cases", "show", one.id, *state),
        ("cases", "list", *state, "--rules", ROOT / "rules"),
        ("accept", one.id, one.phone, *why, *state),
        ("lists", *state),
        ("ledger", "check", *state),
        ("ledger", "backup", *state),
        ("doctor", "--offline", *config, *state, "--out", world.out),
        ("person", "export", slip, "--out", world.folder / "me.json", *state, *why),
        ("access", "list", "--check", *state),
        given=f"{one.id}\n",
    )
    return world


def meant(path: Path, out: Path) -> bool:
    return any(path.is_relative_to(out / folder) for folder in MEANT)


def test_the_scan_finds_what_is_there() -> None:
    one = PEOPLE[7]
    for secret in (one.name, one.id, one.id[3:11], one.id[-8:], one.phone[:8], one.account[-8:], one.address):
        assert leaks(f"x，{secret}y"), "a canary was not seen"
    assert not leaks(f"{one.id[:6]}********{one.id[-4:]} 2026-10-31 20261031 {one.name[:1]}")
    assert canary.sound_numbers(f"第{one.id}号 {one.id}41B1") == 2
    assert canary.sound_numbers("539901********0010 20261031 123456789012345678") == 0
    assert len({secret for person in PEOPLE for secret in (person.name, *person.numbers)}) == 4 * len(PEOPLE)


def test_the_night_was_a_bad_one(world: World) -> None:
    """It must have refused files and rows, and still have said something, or nothing could leak."""
    (first, code, text), *_ = world.said
    assert (first, code) == ("run", 3), text
    codes = {
        line.split(",")[0] for line in (world.out / "quarantine.csv").read_text("utf-8-sig").splitlines()[1:]
    }
    assert len(codes) >= 6, codes
    assert list((world.out / "mail").rglob("*.eml"))
    assert (world.out / "reports/539901/discrepancies.csv").read_text("utf-8-sig").count("\n") > 20
    assert {code for _, code, _ in world.said} >= {0, 1, 3}
    assert not [text for _, code, text in world.said if code == 2], "a command broke down"


def test_nothing_printed(world: World) -> None:
    found = []
    for command, _, text in world.said:
        told = leaks(text)
        # explain answers a person's question with his own name; of others and of numbers it shows nothing either
        found += [
            f"{command}: {one}"
            for one in told
            if not (command == "explain" and one.startswith(("name", "address")))
        ]
    assert not found


def test_nothing_in_files_that_are_not_made_for_people(world: World) -> None:
    files = [path for path in sorted(world.out.rglob("*")) if path.is_file() and not meant(path, world.out)]
    names = {path.name for path in files}
    assert {"run.json", "quarantine.csv", "summary.html", "ledger.sqlite"} <= names
    assert not list(leaks_in_files(files, world.out))


def test_no_file_is_named_after_anybody(world: World) -> None:
    assert not leaks("\n".join(str(path.relative_to(world.out)) for path in world.out.rglob("*")))


def test_subjects_and_bodies_name_nobody(world: World) -> None:
    found, kinds = [], set()
    for path in sorted((world.out / "mail").rglob("*.eml")):
        mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        texts = [f"{key}: {value}" for key, value in mail.items()]
        for part in mail.walk():
            if part.is_multipart():
                continue
            kind = part.get_content_type()
            kinds.add(kind)
            texts += [
                part.get_filename() or "",
                str(part.get("Content-Type")),
                str(part.get("Content-Disposition")),
            ]
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            # a county's attachments stand sealed in the zip; of departments' letters nothing may name anybody
            if kind in ("text/plain", "application/zip") or not mail["To"].startswith("county"):
                texts.append(content.decode("utf-8", errors="replace"))
        found += [f"{path.name}: {one}" for one in leaks("\n".join(texts))]
    assert "text/plain" in kinds
    assert not found


def test_nothing_is_left_in_temporary_folders(world: World) -> None:
    assert not [path.name for path in world.temp.rglob("*")]
    left = [
        path
        for path in world.out.rglob("*")
        if path.name.startswith((".tmp", "explain-")) or path.suffix == ".part"
    ]
    assert not left
    spill = world.out / "state/spill"
    assert not spill.exists() or not list(spill.iterdir())
