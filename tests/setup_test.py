#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What scripts/setup says on distributions without dpkg: a command to run on Fedora and on Arch, and names elsewhere. The
package managers are stand-ins that know one package each. And what Meson says where the C library is not glibc."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parent.parent
NEEDED = ("bash", "cat", "dirname", "env")


def setup(directory, **stand_ins):
    """Runs `scripts/setup build` where only the needed commands and the stand-ins exist."""
    for name in NEEDED:
        (directory / name).symlink_to(shutil.which(name))
    for name, text in stand_ins.items():
        (directory / name).write_text(f"#!{shutil.which('bash')}\n{text}\n")
        (directory / name).chmod(0o755)
    return subprocess.run([SOURCE / "scripts" / "setup", "build"], env={"PATH": str(directory)}, capture_output=True,
                          text=True, check=False)


class OtherSystems(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="hotlane-setup-")
        self.directory = pathlib.Path(self.temporary.name)

    def tearDown(self):
        self.temporary.cleanup()

    def expect(self, done, *words):
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def test_fedora(self):
        done = setup(self.directory, rpm='[[ $2 == gcc ]]', dnf="exit 1")
        self.expect(done, "on Fedora, run: dnf install gcc-c++ ", " elfutils-devel ", "-Djemalloc=DIR")

    def test_arch(self):
        done = setup(self.directory, pacman='[[ $2 == gcc ]]')
        self.expect(done, "on Arch, run: pacman -S binutils ", " nlohmann-json ", "-Djemalloc=DIR")

    def test_nothing_is_missing(self):
        done = setup(self.directory, pacman="exit 0")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_unknown(self):
        self.expect(setup(self.directory), "neither Debian, Ubuntu, Fedora nor Arch", " libjemalloc-dev ")

    @unittest.skipIf(shutil.which("musl-gcc") is None, "musl-tools is not installed")
    def test_musl_is_refused(self):
        done = subprocess.run(["meson", "setup", self.directory / "build", SOURCE, "-Dcli=disabled"], check=False,
                              env={**os.environ, "CC": "musl-gcc", "CXX": "g++"}, capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("hotlane needs glibc", done.stdout + done.stderr)

    def test_a_jemalloc_that_is_none_is_refused(self):
        done = subprocess.run(["meson", "setup", self.directory / "build", SOURCE, "-Dcli=disabled",
                               f"-Djemalloc={self.directory}"], check=False, capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("is not a source tree of jemalloc", done.stdout + done.stderr)


if __name__ == "__main__":
    sys.exit(unittest.main())
