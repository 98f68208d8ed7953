"""The image's file system, made from this build, and the compose file: what is in them, and that the programs run there."""

import os
import shutil
import subprocess
import tempfile
import unittest

import yaml
from manifests_test import BIN, PROGRAMS, flags_of_program
from rendered import ROOT

MOST_BYTES = 120 * 1000 * 1000


class Image(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix="hubbub-image-")
        cls.addClassCleanup(shutil.rmtree, cls.root)
        cls.files = os.path.join(cls.root, "root")
        subprocess.run([os.path.join(ROOT, "deploy", "image_root.sh"), BIN, cls.files], check=True)

    def paths(self):
        for folder, _, names in os.walk(self.files):
            for name in names:
                yield os.path.join(folder, name)

    def test_it_is_small_and_has_programs_and_libraries_alone(self):
        self.assertLess(sum(os.path.getsize(path) for path in self.paths()), MOST_BYTES)
        inside = sorted(os.path.relpath(path, self.files) for path in self.paths())
        others = [path for path in inside if ".so" not in path]
        self.assertEqual(others, ["etc/group", "etc/nsswitch.conf", "etc/passwd",
                                  "usr/bin/hubbub-chat", "usr/bin/hubbub-connector", "usr/bin/hubbub-gate"])

    @unittest.skipIf(os.getuid() != 0, "chroot needs root")
    def test_each_program_runs_there_without_root_and_without_writing(self):
        for program in PROGRAMS:
            # Sanitized builds look around in /proc, which is not there.
            done = subprocess.run(["chroot", "--userspec=65532:65532", self.files, f"/usr/bin/{program}", "--directory=dns"],
                                  capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("--directory=dns needs", done.stderr)

    def test_the_dockerfile_gets_packages_before_it_sees_the_sources(self):
        with open(os.path.join(ROOT, "deploy", "Dockerfile"), encoding="utf-8") as file:
            lines = file.read().split("\n")
        self.assertLess(lines.index("RUN ./dev packages"), lines.index("COPY . ."))

    def test_the_dockerfile_ends_with_nothing_but_that_and_a_user_who_is_not_root(self):
        with open(os.path.join(ROOT, "deploy", "Dockerfile"), encoding="utf-8") as file:
            last = file.read().split("\nFROM ")[-1]
        self.assertTrue(last.startswith("scratch\n"))
        self.assertNotIn("\nRUN ", last)
        self.assertIn("\nUSER 65532:65532\n", last)


class Compose(unittest.TestCase):
    def test_flags_are_the_programs_and_lead_to_services(self):
        with open(os.path.join(ROOT, "deploy", "compose.yaml"), encoding="utf-8") as file:
            services = yaml.safe_load(file)["services"]
        names = set(services)
        for service in services.values():
            names.update(service.get("networks", {}).get("default", {}).get("aliases", []))
        kinds = sorted(service["command"][0] for service in services.values())
        self.assertEqual(kinds, ["hubbub-chat"] * 2 + ["hubbub-connector"] * 2 + ["hubbub-gate"])
        for name, service in services.items():
            known = flags_of_program(service["command"][0])
            for argument in service["command"][1:]:
                flag, _, value = argument.removeprefix("--").partition("=")
                self.assertIn(flag, known, f"{name}: the program has no flag --{flag}")
                if flag.endswith("_service"):
                    self.assertIn(value.split(":")[0], names, f"{name}: --{flag} leads nowhere")
                if flag == "advertise":
                    self.assertEqual(service["ports"], [f"{value}:3050"], f"{name}: clients are told {value}")


if __name__ == "__main__":
    unittest.main()
