"""Holds what ./dev lint has clang look at, in a repository made for it."""

import pathlib
import subprocess
import tempfile
import unittest

DEV = pathlib.Path(__file__).resolve().parents[2] / "dev"


class ChangedSources(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.git("init", "-q", "-b", "main")
        self.write("services/a.h", "")
        self.write("services/b.h", '#include "services/a.h"\n')
        self.write("services/b.cc", '#include "services/b.h"\n')
        self.write("services/other.cc", '#include "services/aa.h"\n')
        self.write("services/gone.cc", "")
        self.write("services/rpc.cc", '#include "hubbub/chat/v1/chat.grpc.pb.h"\n')
        self.write("proto/hubbub/chat/v1/chat.proto", "")
        self.commit()
        self.git("checkout", "-q", "-b", "mine")

    def git(self, *arguments):
        subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@example.com", *arguments], cwd=self.root, check=True,
                       capture_output=True)

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "x")

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def run_of_dev(self, command):
        """A command among the functions of ./dev, which are all before its last lines."""
        script = f"source <(sed '/^command=/,$d' '{DEV}')\n{command}"
        return subprocess.run(["bash", "-c", script], cwd=self.root, capture_output=True, text=True, check=False)

    def changed(self):
        run = self.run_of_dev('changed_sources "$(branch_base)"')
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout.split()

    def test_nothing_has_changed(self):
        self.assertEqual(self.changed(), [])

    def test_what_includes_a_changed_header_by_way_of_others(self):
        self.write("services/a.h", "// changed\n")
        self.assertEqual(self.changed(), ["services/b.cc"])
        self.commit()
        self.assertEqual(self.changed(), ["services/b.cc"])

    def test_what_includes_the_headers_of_a_changed_proto_file(self):
        self.write("proto/hubbub/chat/v1/chat.proto", "// changed\n")
        self.assertEqual(self.changed(), ["services/rpc.cc"])

    def test_new_files_and_no_deleted_ones(self):
        self.write("services/new.cc", "")
        (self.root / "services/gone.cc").unlink()
        self.assertEqual(self.changed(), ["services/new.cc"])

    def test_what_main_has_changed_meanwhile_is_not_the_branchs(self):
        self.write("services/b.cc", "// changed\n")
        self.commit()
        self.git("checkout", "-q", "main")
        self.write("services/other.cc", "// changed\n")
        self.commit()
        self.git("checkout", "-q", "mine")
        self.assertEqual(self.changed(), ["services/b.cc"])

    def test_without_main_there_is_no_base(self):
        self.git("branch", "-q", "-D", "main")
        self.assertNotEqual(self.run_of_dev("branch_base").returncode, 0)


if __name__ == "__main__":
    unittest.main()
