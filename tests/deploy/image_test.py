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
    @classmethod
    def setUpClass(cls):
        with open(os.path.join(ROOT, "deploy", "compose.yaml"), encoding="utf-8") as file:
            cls.compose = yaml.safe_load(file)
        cls.services = cls.compose["services"]
        cls.programs = {name: service for name, service in cls.services.items() if service["image"].startswith("hubbub")}

    def test_flags_are_the_programs_and_lead_to_services(self):
        names = set(self.services)
        for service in self.services.values():
            names.update(service.get("networks", {}).get("default", {}).get("aliases", []))
        kinds = sorted(service["command"][0] for service in self.programs.values())
        self.assertEqual(kinds, ["hubbub-chat"] * 2 + ["hubbub-connector"] * 2 + ["hubbub-gate"])
        for name, service in self.programs.items():
            known = flags_of_program(service["command"][0])
            for argument in service["command"][1:]:
                flag, _, value = argument.removeprefix("--").partition("=")
                self.assertIn(flag, known, f"{name}: the program has no flag --{flag}")
                if flag.endswith("_service"):
                    self.assertIn(value.split(":")[0], names, f"{name}: --{flag} leads nowhere")
                if flag == "advertise":
                    self.assertEqual(service["ports"], [f"{value}:3050"], f"{name}: clients are told {value}")

    def test_chat_servers_share_the_database_whose_password_is_a_secret(self):
        database = self.services["store"]
        name = database["secrets"][0]
        self.assertEqual(database["environment"]["POSTGRES_PASSWORD_FILE"], f"/run/secrets/{name}")
        self.assertNotIn("POSTGRES_PASSWORD", database["environment"])
        self.assertIn(database["volumes"][0].split(":")[0], self.compose["volumes"], "what it keeps outlives its container")
        self.assertNotIn("ports", database, "nobody comes to it from outside")
        for service in self.programs.values():
            said = dict(argument.removeprefix("--").partition("=")[::2] for argument in service["command"][1:])
            if service["command"][0] != "hubbub-chat":
                self.assertNotIn("secrets", service)
                self.assertNotIn("store", said)
                continue
            self.assertEqual(service["secrets"], [name])
            self.assertEqual(said["store_password_file"], f"/run/secrets/{name}")
            user = database["environment"]["POSTGRES_USER"]
            self.assertEqual(said["store"], f"postgres://{user}@store/{database['environment']['POSTGRES_DB']}")
            self.assertEqual(service["depends_on"], {"store": {"condition": "service_healthy"}})

    def test_the_password_is_in_no_checkout_and_no_image(self):
        file = self.compose["secrets"]["store_password"]["file"]
        folder = os.path.join("deploy", os.path.dirname(file))
        for name, entry in ((".gitignore", f"/{folder}/"), (".dockerignore", folder)):
            with open(os.path.join(ROOT, name), encoding="utf-8") as ignored:
                self.assertIn(entry, ignored.read().split("\n"), name)


if __name__ == "__main__":
    unittest.main()
