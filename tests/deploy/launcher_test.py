"""The launcher: what it reads, and what it does with servers that end, hang, come and go. The servers are scripts here; the
real ones are in tests/e2e/launcher.test.mjs."""

import json
import os
import pathlib
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest

DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "deploy"
sys.path.insert(0, str(DEPLOY))

from launcher import directory  # noqa: E402
from launcher.backoff import Backoff  # noqa: E402
from launcher.output import Output  # noqa: E402
from launcher.process import how_it_ended  # noqa: E402
from launcher.supervisor import PROGRAMS, CouldNotStart, Supervisor  # noqa: E402

DEADLINE_S = 60

# A server of a test. Files beside it say what is the matter with one of an id.
FAKE = """#!{python} -SI
import os, signal, sys, time
server = sys.argv[sys.argv.index("--id") + 1]
def told(what):
    return os.path.exists(os.path.join({folder!r}, server + "." + what))
with open(os.path.join({folder!r}, server + ".arguments"), "w") as arguments:
    arguments.write("\\n".join(sys.argv[1:]))
with open(os.path.join({folder!r}, server + ".starts"), "a") as starts:
    starts.write(str(os.getpid()) + "\\n")
signal.signal(signal.SIGTERM, signal.SIG_IGN if told("stubborn") else lambda *_: os._exit(0))
if told("logs"):
    with open(os.path.join({folder!r}, server + ".logs")) as log:
        sys.stderr.write(log.read())
        sys.stderr.flush()
if told("refuses"):
    sys.exit(3)
if not told("mute"):
    print("ready id=" + server, flush=True)
while True:
    time.sleep(60)
"""


def line(server_id, port, **more):
    return {"id": server_id, "host": "127.0.0.1", "port": port, **more}


def suite_of(chat=(), connector=(), gate=()):
    return {"development": {"chat": list(chat), "connector": list(connector), "gate": list(gate)}}


ALL = suite_of([line("chat-1", 1)], [line("connector-1", 2, clientPort=3)], [line("gate-1", 4, clientPort=5)])


class ParseTest(unittest.TestCase):
    def test_reads_what_the_programs_read(self):
        servers = directory.parse(json.dumps(suite_of(
            [line("chat-1", "6050")],
            [{"id": "c", "host": "::1", "clientPort": 3050, "clientHost": "chat.example"}],
            [line("g", 4014, clientPort=3014, frontend=True)])), "development")
        self.assertEqual(servers, [
            directory.Server("chat", "chat-1", "127.0.0.1", 6050, "127.0.0.1", 0),
            directory.Server("connector", "c", "::1", 4050, "chat.example", 3050),
            directory.Server("gate", "g", "127.0.0.1", 4014, "127.0.0.1", 3014)])

    def test_says_what_is_wrong(self):
        chat = lambda *entries: json.dumps(suite_of(entries))
        for text, said in [
            ("{", "no JSON"),
            ("[]", "one object"),
            ("{}", "the environment 'development' is missing"),
            ('{"development": []}', "the environment 'development' is missing"),
            ('{"development": {"chat": {}}}', "development.chat must be an array"),
            (chat(7), r"development.chat\[0\] must be an object"),
            (chat({"host": "h", "port": 1}), r"development.chat\[0\]: id must be a text"),
            (chat(line("", 1)), "id must be a text"),
            (chat(line("x" * 65, 1)), "id must have at most 64 bytes"),
            (chat(line("a\nb", 1)), "no control characters"),
            (chat({"id": "a", "port": 1}), "host must be a text"),
            (chat({"id": "a", "host": "h"}), "has no port"),
            (chat(line("a", 65536)), "port must be a number from 0 to 65535"),
            (chat(line("a", -1)), "port must be a number"),
            (chat(line("a", True)), "port must be a number"),
            (chat(line("a", None)), "port must be a number"),
            (chat(line("a", 1.5)), "port must be a number"),
            (json.dumps(suite_of(gate=[line("g", 1)])), "has no clientPort"),
            (json.dumps(suite_of(gate=[{"id": "g", "host": "h", "clientPort": 65000}])), r"clientPort \+ 1000 is no port"),
            (json.dumps(suite_of(gate=[line("g", 1, clientPort=1)])), "the same address"),
            (chat(line("a", 1), line("a", 2)), "the id 'a' stands twice"),
            (chat(line("a", 1), line("b", 1)), "'a' and 'b' have the same address"),
        ]:
            with self.subTest(text), self.assertRaisesRegex(directory.Wrong, said):
                directory.parse(text, "development")


class BackoffTest(unittest.TestCase):
    def test_grows_to_a_bound_and_begins_anew_after_a_good_run(self):
        backoff = Backoff(first=1, most=5, well=60)
        self.assertEqual([backoff.after_a_run_of(3) for _ in range(5)], [1, 2, 4, 5, 5])
        self.assertEqual([backoff.after_a_run_of(60), backoff.after_a_run_of(59)], [1, 2])

    def test_an_end_reads_as_a_sentence(self):
        self.assertEqual(how_it_ended(3), "ended with exit code 3")
        self.assertEqual(how_it_ended(-9), "was ended by SIGKILL (9)")


class FolderTest(unittest.TestCase):
    """With a folder for the programs and the file."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.config = self.folder / "servers.json"
        for program in PROGRAMS.values():
            path = self.folder / program
            path.parent.mkdir()
            path.write_text(FAKE.format(python=sys.executable, folder=str(self.folder)))
            path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def write(self, suite):
        """As an editor that saves: the whole file at once."""
        new = self.folder / "new"
        new.write_text(suite if isinstance(suite, str) else json.dumps(suite))
        new.rename(self.config)

    def tell(self, server, what):
        (self.folder / f"{server}.{what}").touch()

    def starts(self, server):
        path = self.folder / f"{server}.starts"
        return [int(pid) for pid in path.read_text().split()] if path.exists() else []

    def arguments(self, server):
        return (self.folder / f"{server}.arguments").read_text().split("\n")

    def lives(self, server):
        try:
            status = pathlib.Path(f"/proc/{self.starts(server)[-1]}/stat").read_text()
        except (IndexError, FileNotFoundError, ProcessLookupError):
            return False
        return status.rsplit(")", 1)[1].split()[0] != "Z"


class FileTest(FolderTest):
    def setUp(self):
        super().setUp()
        self.write(ALL)
        self.file = directory.File(str(self.config), "development")
        self.assertEqual(len(self.file.read()), 3)

    def look(self):
        return [self.file.changed() for _ in range(4)]

    def test_a_change_is_told_once(self):
        self.assertEqual(self.look(), [None] * 4)
        self.write(suite_of([line("chat-1", 1)]))
        told = [servers for servers in self.look() if servers is not None]
        self.assertEqual([[server.id for server in servers] for servers in told], [["chat-1"]])

    def test_what_does_not_last_is_passed_over(self):
        for text in ["", "{", "{}"]:
            self.write(text)
            self.assertIsNone(self.file.changed())
        self.config.unlink()
        self.assertIsNone(self.file.changed())
        self.write(ALL)
        self.assertEqual(self.look(), [None] * 4)

    def test_what_is_wrong_is_said_once(self):
        for break_it, said in [(lambda: self.write("{"), "no JSON"), (self.config.unlink, "No such file"),
                               (lambda: self.config.write_bytes(b"\xff"), "no text in UTF-8")]:
            break_it()
            self.assertIsNone(self.file.changed())
            with self.assertRaisesRegex(directory.Wrong, said):
                self.file.changed()
            self.assertEqual(self.look(), [None] * 4)
        self.write(ALL)
        self.assertIsNone(self.file.changed())
        self.assertEqual(len(self.file.changed()), 3, "it is right again")


class SupervisorTest(FolderTest):
    """The supervisor in this process, with short times."""

    def supervise(self, suite, **times):
        self.write(suite)
        self.said = []
        self.shown = []
        self.logged = []
        file = directory.File(str(self.config), "development")
        times = {"backoff": lambda: Backoff(first=0.05, most=0.1), **times}
        self.supervisor = Supervisor(str(self.folder), file, "development", "sqlite:/store", self.said.append,
                                     Output(self.shown.append, self.logged.append), **times)
        self.addCleanup(self.supervisor.close)
        self.supervisor.start(file.read(), self.until(lambda: False))

    def until(self, condition):
        deadline = time.monotonic() + DEADLINE_S

        def stopping():
            self.assertLess(time.monotonic(), deadline, f"it does not come to that; said: {self.said}")
            return condition()

        return stopping

    def run_until(self, condition):
        self.supervisor.run(self.until(condition))

    def heard(self, text):
        return any(text in said for said in self.said)

    def test_starts_kind_by_kind_and_stops_all(self):
        self.supervise(ALL)
        self.assertEqual(self.shown, ["ready id=chat-1", "ready id=connector-1", "ready id=gate-1"])
        self.assertTrue(self.supervisor.stop())
        self.assertFalse(any(self.lives(server) for server in ["chat-1", "connector-1", "gate-1"]))
        self.assertEqual(self.said, [])

    def test_chat_servers_have_the_store_and_nobody_else_has(self):
        self.supervise(ALL)  # With one chat server, so that a second one may come.
        with_store = [server for server in ["chat-1", "connector-1", "gate-1"] if "--store=sqlite:/store" in self.arguments(server)]
        self.assertEqual(with_store, ["chat-1"])
        self.write(suite_of([line("chat-1", 1), line("chat-2", 6)]))
        self.run_until(lambda: self.lives("chat-2"))
        self.assertIn("--store=sqlite:/store", self.arguments("chat-2"))

    def test_a_server_that_ends_is_started_again_each_time(self):
        self.supervise(ALL)
        for round in range(1, 4):
            os.kill(self.starts("connector-1")[-1], signal.SIGKILL)
            self.run_until(lambda: len(self.shown) == 3 + round)
        self.assertEqual(len(self.said), 3)
        self.assertRegex(self.said[0], r"^connector-1 was ended by SIGKILL \(9\) after \d+ s; it is started again in 0\.05 s$")
        self.assertRegex(self.said[1], r"started again in 0\.1 s$")
        self.assertEqual(len(self.starts("chat-1")), 1, "the others go on")
        self.assertTrue(self.supervisor.stop())

    def test_one_that_can_not_come_back_is_tried_again_until_it_can(self):
        self.supervise(ALL)
        self.tell("chat-1", "refuses")
        os.kill(self.starts("chat-1")[-1], signal.SIGKILL)
        self.run_until(lambda: len(self.starts("chat-1")) > 3)
        self.assertTrue(self.heard("chat-1 could not start: it ended with exit code 3"))
        (self.folder / "chat-1.refuses").unlink()
        self.run_until(lambda: self.lives("chat-1") and self.shown.count("ready id=chat-1") == 2)
        self.assertTrue(self.supervisor.stop())

    def test_one_that_can_not_start_at_first_ends_the_start(self):
        self.tell("connector-1", "refuses")
        with self.assertRaisesRegex(CouldNotStart, "connector-1 could not start: it ended with exit code 3"):
            self.supervise(ALL)
        self.assertEqual(self.starts("gate-1"), [])
        self.assertTrue(self.supervisor.stop())
        self.assertFalse(self.lives("chat-1"))

    def test_one_that_never_says_ready_does_not_start(self):
        self.tell("connector-1", "mute")
        with self.assertRaisesRegex(CouldNotStart, "connector-1 could not start"):
            self.supervise(ALL, ready_within=0.5)
        self.assertEqual(self.said, ["connector-1 is not ready after 0.5 s, and is killed"])

    def test_a_program_that_is_not_there_is_named(self):
        (self.folder / PROGRAMS["gate"]).unlink()
        with self.assertRaisesRegex(CouldNotStart, "gate-1 could not start: .*hubbub-gate: No such file"):
            self.supervise(ALL)

    def test_one_that_does_not_stop_is_killed(self):
        self.tell("connector-1", "stubborn")
        self.supervise(ALL, stop_within=0.2)
        self.assertFalse(self.supervisor.stop())
        self.assertEqual(self.said, ["connector-1 did not end within 0.2 s, and is killed", "connector-1 was ended by SIGKILL (9)"])
        self.assertFalse(self.lives("connector-1"))

    def test_follows_the_file(self):
        self.supervise(suite_of([line("chat-1", 1), line("chat-2", 2)]))
        self.write(suite_of([line("chat-2", 2), line("chat-3", 3)]))
        self.run_until(lambda: self.lives("chat-3") and not self.lives("chat-1"))
        self.run_until(lambda: self.heard("chat-1 ended with exit code 0"))
        self.assertTrue(self.heard("chat-1 is no more in") and self.heard("chat-3 is new in"))
        self.assertEqual(len(self.starts("chat-2")), 1, "what stays is left alone")
        self.assertTrue(self.supervisor.stop())
        self.assertEqual([len(self.starts(f"chat-{i}")) for i in (1, 2, 3)], [1, 1, 1])

    def test_a_changed_line_starts_the_server_anew_once_it_has_ended(self):
        self.tell("chat-1", "stubborn")
        self.supervise(suite_of([line("chat-1", 1)]), stop_within=0.5)
        first = self.starts("chat-1")[0]
        self.write(suite_of([line("chat-1", 2)]))
        self.run_until(lambda: len(self.starts("chat-1")) == 2)
        self.assertFalse(pathlib.Path(f"/proc/{first}").exists())
        self.assertTrue(self.heard("chat-1 has another line"))
        (self.folder / "chat-1.stubborn").unlink()

    def test_what_no_program_reads_may_change(self):
        self.supervise(ALL)
        text = json.loads(json.dumps(ALL))
        text["development"]["chat"][0]["note"] = "the first one"
        text["test"] = {}
        self.write(text)
        self.run_until(lambda: self.supervisor._file._taken == (json.dumps(text), None))
        self.assertEqual(self.said, [])
        self.assertTrue(self.lives("chat-1"))
        self.assertEqual(len(self.starts("chat-1")), 1)

    def test_a_file_that_becomes_wrong_changes_nothing_and_is_said_once(self):
        self.supervise(ALL)
        self.write("{")
        self.run_until(lambda: self.heard("is wrong now"))
        os.kill(self.starts("gate-1")[-1], signal.SIGKILL)
        self.run_until(lambda: len(self.starts("gate-1")) == 2)
        self.assertEqual(sum("is wrong now, and changes nothing until it is mended: this is no JSON" in said
                             for said in self.said), 1)
        self.write(suite_of([line("chat-1", 1)]))
        self.run_until(lambda: self.heard("is right again") and not self.lives("gate-1") and not self.lives("connector-1"))
        self.assertTrue(self.lives("chat-1"))

    def test_one_that_leaves_while_it_waits_to_be_started_is_not_started(self):
        self.supervise(ALL, backoff=lambda: Backoff(first=DEADLINE_S * 2))
        os.kill(self.starts("gate-1")[-1], signal.SIGKILL)
        self.run_until(lambda: self.heard("gate-1 was ended"))
        self.write(suite_of([line("chat-1", 1)], [line("connector-1", 2, clientPort=3)]))
        self.run_until(lambda: self.heard("gate-1 is no more in"))
        self.assertTrue(self.supervisor.stop())
        self.assertEqual(len(self.starts("gate-1")), 1)


    def test_what_a_server_logs_is_shown_beneath_its_id(self):
        for server_id in ("chat-1", "gate-1"):
            (self.folder / f"{server_id}.logs").write_text("now info hello\nnow warning the door is open\n")
        self.supervise(ALL)
        self.assertEqual(self.logged, ["chat-1 | now info hello", "gate-1 | now info hello", "chat-1, gate-1 | warning the door is open"])

    def test_much_that_is_logged_holds_up_nobody_and_the_last_words_are_shown(self):
        (self.folder / "gate-1.logs").write_text("x" * 99 + "\n" + ("y" * 99 + "\n") * 50000 + "now error I give up")
        (self.folder / "gate-1.refuses").touch()
        with self.assertRaises(CouldNotStart):
            self.supervise(ALL)
        self.assertEqual(len(self.logged), 50002)
        self.assertEqual(self.logged[-1], "gate-1 | now error I give up")


class OutputTest(unittest.TestCase):
    def test_a_warning_of_the_start_is_shown_once(self):
        shown, logged = [], []
        output = Output(shown.append, logged.append)
        output.says("ready id=a")
        for server_id in "ab":
            output.logs(server_id, "1 warning open")
            output.logs(server_id, f"2 info here is {server_id}")
        output.logs("b", "3 warning few files")
        output.logs("b", "Segmentation fault")
        self.assertEqual((shown, logged), (["ready id=a"], ["a | 2 info here is a", "b | 2 info here is b", "b | Segmentation fault"]))
        del logged[:]
        output.up()
        self.assertEqual(logged, ["a, b | warning open", "b | warning few files"])
        del logged[:]
        # It may have another cause by now.
        output.logs("a", "4 warning open")
        self.assertEqual(logged, ["a | 4 warning open"])


class LauncherTest(FolderTest):
    """The whole launcher as a process of its own."""

    def launch(self, suite, *options):
        self.write(suite)
        self.launcher = subprocess.Popen(
            [sys.executable, str(DEPLOY / "suite.py"), "--bin", str(self.folder), "--config", str(self.config), *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.folder)
        self.addCleanup(self.launcher.kill)
        return self.launcher

    def wait_for(self, condition):
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def test_ctrl_c_stops_all(self):
        self.launch(ALL)
        self.wait_for(lambda: self.lives("gate-1"))
        for line_read in self.launcher.stdout:
            if "The chat page is at http://127.0.0.1:5/" in line_read:
                break
        self.launcher.send_signal(signal.SIGINT)
        out, error = self.launcher.communicate(timeout=DEADLINE_S)
        self.assertEqual((self.launcher.returncode, error), (0, ""))
        self.assertIn("all servers have ended cleanly", out)

    def test_the_store_is_in_a_folder_that_is_made_and_told(self):
        for options, folder in [((), self.folder / "data"), (("--data", "mine/deep"), self.folder / "mine" / "deep")]:
            launcher = self.launch(ALL, *options)
            self.assertEqual(launcher.stdout.readline(), f"The store of the chat servers is {folder}/store.db\n")
            for line_read in launcher.stdout:
                if "The chat page is at" in line_read:
                    break
            self.assertIn(f"--store=sqlite:{folder}/store.db", self.arguments("chat-1"))
            self.assertEqual(stat.S_IMODE(folder.stat().st_mode), 0o700)
            launcher.send_signal(signal.SIGINT)
            launcher.communicate(timeout=DEADLINE_S)

    def test_two_suites_do_not_share_a_store(self):
        first = self.launch(ALL)
        self.wait_for(lambda: self.lives("gate-1"))
        _, error = self.launch(ALL).communicate(timeout=DEADLINE_S)
        self.assertEqual(self.launcher.returncode, 1)
        self.assertEqual(error, f"suite: another suite runs with the folder {self.folder}/data; stop it, or name another folder "
                                "with --data\n")
        # However the first one ends.
        first.kill()
        first.communicate(timeout=DEADLINE_S)
        self.wait_for(lambda: not self.lives("gate-1"))
        self.launch(ALL)
        self.wait_for(lambda: self.lives("gate-1"))

    def test_a_folder_that_cannot_be_made_is_one_line(self):
        (self.folder / "file").touch()
        _, error = self.launch(ALL, "--data", "file/data").communicate(timeout=DEADLINE_S)
        self.assertEqual(self.launcher.returncode, 1)
        self.assertRegex(error, r"\Asuite: the folder \S+/file/data cannot be used: Not a directory; name another one with --data\n\Z")

    def test_the_servers_end_when_the_launcher_is_killed(self):
        self.tell("chat-1", "stubborn")
        self.launch(ALL)
        self.wait_for(lambda: self.lives("gate-1"))
        self.launcher.kill()
        self.wait_for(lambda: not any(self.lives(server) for server in ["chat-1", "connector-1", "gate-1"]))

    def test_a_first_start_that_fails_tells_why_and_ends_with_1(self):
        self.tell("chat-1", "refuses")
        self.launch(ALL)
        _, error = self.launcher.communicate(timeout=DEADLINE_S)
        self.assertEqual(self.launcher.returncode, 1)
        self.assertIn("suite: chat-1 could not start: it ended with exit code 3", error)

    def test_a_file_that_is_wrong_from_the_start_is_one_line(self):
        for text in ["{", "{}", json.dumps(suite_of())]:
            self.launch(text)
            _, error = self.launcher.communicate(timeout=DEADLINE_S)
            self.assertEqual(self.launcher.returncode, 1)
            self.assertRegex(error, r"\Asuite: \S+servers\.json.*\n\Z")

    def test_the_servers_end_when_nobody_reads_the_output(self):
        self.launch(ALL)
        self.launcher.stdout.close()
        _, self.launcher.stdout = self.launcher.stdout, None
        self.assertEqual(self.launcher.wait(DEADLINE_S), 1)
        self.wait_for(lambda: not any(self.lives(server) for server in ["chat-1", "connector-1", "gate-1"]))


if __name__ == "__main__":
    unittest.main()
