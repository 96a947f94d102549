# SPDX-License-Identifier: Apache-2.0
"""What the tests of bench/matrix share: runs with pretending programs, and a reader of the page."""

import html.parser
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
MATRIX = HERE.parents[1] / "bench" / "matrix"
FAKES = HERE / "fakes"
sys.path.insert(0, str(MATRIX))


class RunTest(unittest.TestCase):
    """Each test has a folder of its own: `self.fake` is what the pretending programs read and write."""

    plots = ["--no-plots"]

    def setUp(self):
        self.scratch = Path(tempfile.mkdtemp(prefix="matrix-test-"))
        self.addCleanup(shutil.rmtree, self.scratch)
        self.fake = self.scratch / "fake"
        self.fake.mkdir()
        self.work = self.scratch / "work"

    def words(self, *more):
        return [str(MATRIX / "run"), "--strake", str(FAKES / "strake"), "--mpirun", str(FAKES / "mpirun"),
                "--simulate", str(FAKES / "simulate"), "--edge-lab", str(FAKES / "edge-lab"), "--work", str(self.work),
                "--networks", "resnet18,unet", "--strategies", "auto,equal,modnn", "--ranks", "1,2", *self.plots, *more]

    def start(self, *more):
        return subprocess.Popen(self.words(*more), env={**os.environ, "FAKE_FOLDER": str(self.fake)}, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run_matrix(self, *more, code=0):
        process = self.start(*more)
        _, self.stderr = process.communicate(timeout=120)
        self.assertEqual(process.returncode, code, self.stderr)

    def calls(self):
        """Cells measured since the last question."""
        file = self.fake / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return [line for line in lines if not line.startswith("zoo ")]

    def results(self):
        return json.loads((self.work / "results.json").read_text())

    def cell(self, network, strategy, ranks):
        found = [cell for cell in self.results()["cells"]
                 if (cell["network"], cell["strategy"], cell["ranks"]) == (network, strategy, ranks)]
        self.assertEqual(len(found), 1)
        return found[0]

    def html(self):
        return (self.work / "report.html").read_text()


class Page(html.parser.HTMLParser):
    """Complains of tags that do not match, and collects texts, identifiers and references."""

    VOID = {"meta", "br", "link", "img"}

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.references, self.marked, self.texts = [], [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        if tag not in self.VOID:
            self.open.append((tag, dict(attributes).get("class") or ""))
        self.note(attributes)

    def handle_startendtag(self, tag, attributes):
        self.note(attributes)

    def note(self, attributes):
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            if name in ("href", "xlink:href", "src", "data"):
                self.references.append(value)

    def handle_endtag(self, tag):
        opened, _ = self.open.pop()
        assert opened == tag, f"<{opened}> ends with </{tag}>"

    def handle_data(self, text):
        if not self.open or not text.strip():
            return
        self.texts.append(text.strip())
        if self.open[-1][0] == "td" and "marked" in self.open[-1][1]:
            self.marked.append(text)
