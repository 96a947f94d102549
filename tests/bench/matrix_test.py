# SPDX-License-Identifier: Apache-2.0
"""bench/matrix from outside, with a program and launchers that only pretend, and its figures by hand-worked cases."""

import csv
import os
import pty
import shutil
import signal
import subprocess
import time
import unittest
from pathlib import Path

from matrix_case import Page, RunTest  # which also finds the modules below

import figures
from cells import Cell, Result, cells_of

ALL_CALLS = [f"{network} {rest}" for network in ("resnet18", "unet")
             for rest in ("single 1", "auto 2", "equal 2", "modnn 2")]


class Resume(RunTest):
    def test_measures_every_cell_once_and_one_rank_for_all_strategies(self):
        self.run_matrix()
        self.assertEqual(self.calls(), ALL_CALLS)

    def test_a_second_run_measures_nothing(self):
        self.run_matrix()
        self.calls()
        first = self.results()
        self.run_matrix()
        self.assertEqual(self.calls(), [])
        self.assertEqual(self.results(), first)

    def test_a_wider_matrix_measures_what_is_new(self):
        self.run_matrix("--strategies", "auto,equal")
        self.calls()
        self.run_matrix()
        self.assertEqual(self.calls(), ["resnet18 modnn 2", "unet modnn 2"])

    def test_what_decides_a_result_decides_whether_it_is_kept(self):
        self.run_matrix()
        for change in (["--frames", "31"], ["--warm-up", "1"], ["--threads", "2"], ["--bench-options=--exact"]):
            self.calls()
            self.run_matrix(*change)
            self.assertEqual(self.calls(), ALL_CALLS, change)
        self.calls()
        (self.fake / "version").write_text("2")
        self.run_matrix()
        self.assertEqual(self.calls(), ALL_CALLS)

    def test_a_network_of_another_size_is_another_model(self):
        self.run_matrix("--networks", "unet")
        self.calls()
        own = self.scratch / "unet.onnx"
        own.write_text("other weights")
        self.run_matrix("--networks", f"unet,{own}")
        self.assertEqual(self.calls(), ["unet single 1", "unet auto 2", "unet equal 2", "unet modnn 2"])

    def test_a_damaged_file_is_measured_again(self):
        self.run_matrix()
        self.calls()
        damaged = next((self.work / "cells").glob("unet-local-equal-2-*.json"))
        damaged.write_text(damaged.read_text()[:100])
        self.run_matrix()
        self.assertEqual(self.calls(), ["unet equal 2"])
        self.assertIn("damaged", self.stderr)

    def test_report_only_measures_nothing_and_names_what_is_missing(self):
        self.run_matrix("--strategies", "auto,equal")
        self.calls()
        self.run_matrix("--report-only", code=1)
        self.assertEqual(self.calls(), [])
        self.assertEqual(self.cell("unet", "modnn", 2)["status"], "missing")
        self.assertIn("2 missing", self.html())

    def test_an_interrupted_run_goes_on(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            shutil.rmtree(self.work, ignore_errors=True)
            (self.fake / "hang").write_text("equal")
            process = self.start()
            hanging = self.wait_for(self.fake / "hanging")
            process.send_signal(number)
            _, stderr = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 130, stderr)
            self.assertIn("the same command goes on", stderr)
            self.assertFalse(Path(f"/proc/{hanging}").exists(), "the cell's process is left")
            self.assertEqual(self.calls(), ALL_CALLS[:3])
            self.assertEqual(len(list((self.work / "cells").iterdir())), 2)
            (self.fake / "hang").unlink()
            (self.fake / "hanging").unlink()
            self.run_matrix()
            self.assertEqual(self.calls(), ALL_CALLS[2:])

    def wait_for(self, file):
        for _ in range(1200):
            if file.exists() and file.read_text():
                return file.read_text()
            time.sleep(0.05)
        self.fail(f"{file} did not come")

    def test_two_runs_do_not_share_a_folder(self):
        (self.fake / "hang").write_text("auto")
        process = self.start()
        self.wait_for(self.fake / "hanging")
        self.run_matrix(code=2)
        self.assertIn("another run uses", self.stderr)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


class Failures(RunTest):
    def test_a_failed_cell_is_kept_with_its_reason_until_retry(self):
        (self.fake / "fail").write_text("modnn")
        self.run_matrix(code=1)
        self.assertEqual(self.calls(), ALL_CALLS)
        cell = self.cell("unet", "modnn", 2)
        self.assertEqual((cell["status"], cell["bench"]), ("failed", None))
        self.assertEqual(cell["reason"], "exit code 1: strake: error: modnn <cannot> do this")
        self.assertIn("modnn &lt;cannot&gt; do this", self.html())
        self.assertEqual(self.cell("unet", "equal", 2)["status"], "measured")

        (self.fake / "fail").unlink()
        self.run_matrix(code=1)
        self.assertEqual(self.calls(), [])
        self.run_matrix("--retry")
        self.assertEqual(self.calls(), ["resnet18 modnn 2", "unet modnn 2"])
        self.assertEqual(self.cell("unet", "modnn", 2)["status"], "measured")

    def test_a_cell_that_never_ends_is_ended(self):
        (self.fake / "hang").write_text("auto")
        self.run_matrix("--networks", "unet", "--strategies", "auto,equal", "--timeout", "1", code=1)
        self.assertEqual(self.cell("unet", "auto", 2)["reason"], "took longer than 1 s")
        self.assertFalse(Path(f"/proc/{(self.fake / 'hanging').read_text()}").exists())
        self.assertEqual(self.cell("unet", "equal", 2)["status"], "measured")

    def test_ranks_that_do_not_know_each_other_are_no_result(self):
        (self.fake / "alone").write_text("yes")
        self.run_matrix("--networks", "unet", "--strategies", "equal", code=1)
        self.assertEqual(self.cell("unet", "equal", 2)["reason"], "expected 2 ranks in its JSON, got 1")
        self.assertEqual(self.cell("unet", "single", 1)["status"], "measured")

    def test_wrong_options_are_refused_in_one_line(self):
        for words, message in (
                (["--networks", "resnet18,vgg99"], "'vgg99' cannot be made: exit code 1: strake: error: NAME: vgg99"),
                (["--networks", "none.onnx"], "no file 'none.onnx'"),
                (["--networks", "a/../b"], "expected NAME, NAME@HxW or FILE.onnx, got 'a/../b'"),
                (["--strategies", "auto,odd"], "expected some of auto,equal,modnn,single, got 'odd'"),
                (["--strategies", "auto,auto"], "'auto' was given twice"),
                (["--platforms", "cloud"], "expected local, lab:NAME or simulated:NAME, got 'cloud'"),
                (["--platforms", "simulated:x", "--simulate", "none"], "needs '"),
                (["--ranks", "0"], "whole numbers from 1 to 9999"),
                (["--ranks", "cloud=2"], "'cloud' is none of --platforms"),
                (["--strake", "none"], "no program 'none'")):
            self.run_matrix(*words, code=2)
            self.assertRegex(self.stderr, r"^matrix: error: [^\n]*\n\Z", words)
            self.assertIn(message, self.stderr)
        self.run_matrix("--frames", "0", code=2)
        self.assertIn("expected a whole number from 1, got '0'", self.stderr)


class Progress(RunTest):
    def test_a_log_gets_a_line_for_each_cell(self):
        (self.fake / "fail").write_text("modnn")
        self.run_matrix("--networks", "unet", code=1)
        lines = self.stderr.splitlines()
        self.assertEqual(lines[0], "matrix: 4 cells, 0 kept from before")
        self.assertRegex(lines[2], r"^\[2/4\] unet local auto, 2 ranks: 30\.000 ms, speedup 1\.33 of 2\.00 "
                         r"\([0-9]+ s, [0-9]+ s left\)$")
        self.assertRegex(lines[4], r"^\[4/4\] unet local modnn, 2 ranks: FAILED: exit code 1: .* \([0-9]+ s\)$")
        self.assertNotIn("\r", self.stderr)

    def test_a_terminal_gets_a_bar(self):
        ours, theirs = pty.openpty()
        process = subprocess.Popen(self.words("--networks", "unet"), stderr=theirs,
                                   env={**os.environ, "FAKE_FOLDER": str(self.fake), "TERM": "vt100"})
        os.close(theirs)
        shown = b""
        try:
            while some := os.read(ours, 4096):
                shown += some
        except OSError:  # how a terminal ends
            pass
        os.close(ours)
        self.assertEqual(process.wait(60), 0)
        self.assertRegex(shown.decode(), r"\r\x1b\[K\[#{6} {18}\] 1/4 [0-9]+ s left, unet local auto, 2 ranks")


class Platforms(RunTest):
    def test_launchers_get_the_words_that_they_expect(self):
        self.run_matrix("--networks", "unet", "--strategies", "auto", "--platforms", "simulated:far,lab:near",
                        "--ranks", "2")
        model = self.work / "models" / "unet.onnx"
        self.assertEqual(self.calls(), [
            f"simulate --platform far --ranks 2 --model {model} --strategy auto --frames 3", "unet auto 2",
            "edge-lab run --hosts 2 --", "unet auto 2"])
        self.assertEqual([cell["platform"] for cell in self.results()["cells"]], ["simulated:far", "lab:near"])

    def test_a_lab_with_other_hosts_is_measured_again(self):
        for rate, calls in (("1gbit", 1), ("1gbit", 0), ("100mbit", 1)):
            (self.fake / "rate").write_text(rate)
            self.run_matrix("--networks", "unet", "--strategies", "auto", "--platforms", "lab:near", "--ranks", "2")
            self.assertEqual(self.calls().count("unet auto 2"), calls)
        self.run_matrix("--platforms", "lab:gone", code=2)
        self.assertIn("'lab:gone': exit code 1: edge-lab: lab is not up", self.stderr)

    def test_rank_counts_can_differ_by_platform(self):
        self.run_matrix("--networks", "unet", "--strategies", "auto", "--platforms", "simulated:far,local",
                        "--ranks", "local=2", "--ranks", "1")
        self.assertEqual([(cell["platform"], cell["ranks"]) for cell in self.results()["cells"]],
                         [("simulated:far", 1), ("local", 2)])


class Reports(RunTest):
    def test_csv_has_a_line_for_each_cell(self):
        (self.fake / "fail").write_text("modnn")
        self.run_matrix(code=1)
        with open(self.work / "results.csv", newline="") as file:
            lines = list(csv.DictReader(file))
        self.assertEqual(len(lines), 8)
        line = lines[1]
        self.assertEqual([line[key] for key in ("network", "platform", "strategy", "ranks", "status", "plan")],
                         ["resnet18", "local", "auto", "2", "measured", "equal"])
        self.assertEqual([float(line[key]) for key in ("cluster_ms", "speedup", "ideal_speedup", "whole_rows_bound_ms",
                                                       "predicted_ms")], [20, 2, 2, 21.5, 21])
        self.assertAlmostEqual(float(line["prediction_error"]), 0.05)
        self.assertEqual((lines[2]["predicted_ms"], lines[2]["communication_bound_ms"]), ("", ""))
        self.assertEqual((lines[3]["status"], lines[3]["cluster_ms"]), ("failed", ""))
        self.assertIn("cannot", lines[3]["reason"])

    def test_json_has_ratios_and_means_worked_by_hand(self):
        self.run_matrix()
        results = self.results()
        # auto over equal: 20/40 and 30/15, so sqrt(0.5 * 2) = 1; over modnn: 20/25 and 30/60, so sqrt(0.8 * 0.5).
        means = {mean["strategy"]: mean for mean in results["geometric_means"]}
        self.assertAlmostEqual(means["equal"]["ratio"], 1.0)
        self.assertAlmostEqual(means["modnn"]["ratio"], 0.632455532)
        self.assertEqual((means["equal"]["count"], means["equal"]["lost"]), (2, 1))
        self.assertEqual(means["modnn"]["lost"], 0)
        self.assertEqual([(one["network"], one["strategy"], one["ratio"]) for one in results["ratios"]],
                         [("resnet18", "equal", 0.5), ("resnet18", "modnn", 0.8), ("unet", "equal", 2.0),
                          ("unet", "modnn", 0.5)])
        # Two of +5 %, two of -20 %: the median lies in the middle, the 95th percentile at the greater.
        error = results["prediction_error"]
        self.assertEqual(error["count"], 4)
        self.assertAlmostEqual(error["median"], 0.125)
        self.assertAlmostEqual(error["p95"], 0.2)
        self.assertAlmostEqual(error["in_band"], 0.5)

    def test_html_marks_where_auto_loses(self):
        self.run_matrix()
        self.assertEqual(Page(self.html()).marked, ["2.000"])
        self.assertNotIn("<svg", self.html())

    def test_markdown_replaces_what_is_between_its_lines(self):
        page = self.scratch / "page.md"
        page.write_text("before\n<!-- matrix: begin -->\nold\n<!-- matrix: end -->\nafter\n")
        self.run_matrix("--markdown", str(page))
        text = page.read_text()
        self.assertTrue(text.startswith("before\n<!-- matrix: begin -->\n`bench/matrix/run "), text[:80])
        self.assertTrue(text.endswith("<!-- matrix: end -->\nafter\n"))
        self.assertNotIn("old", text)
        self.assertIn("| unet | local | 2 | 30.000 | **2.000** | 0.500 |", text)
        page.write_text("mine")
        self.run_matrix("--markdown", str(page), code=2)
        self.assertEqual(page.read_text(), "mine")


class Figures(unittest.TestCase):
    def test_percentiles_are_linear_between_neighbours(self):
        self.assertAlmostEqual(figures.percentile([0.4, 0.0, 0.1, 0.3, 0.2], 95), 0.38)
        self.assertEqual(figures.percentile([7], 95), 7)
        self.assertEqual(figures.percentile([1, 2, 3], 50), 2)

    def test_ratios_leave_out_what_has_no_partner(self):
        def cell(strategy, ranks, ms, network="a"):
            return Result(Cell(network, "local", strategy, ranks), "measured", {"cluster_ms": ms})

        found = figures.ratios([cell("single", 1, 9), cell("auto", 2, 6), cell("equal", 2, 8), cell("equal", 4, 5),
                                Result(Cell("a", "local", "modnn", 2), "failed"), cell("equal", 2, 3, "b")])
        self.assertEqual([(one.network, one.ranks, one.strategy, one.value) for one in found],
                         [("a", 2, "equal", 0.75)])

    def test_means_are_geometric_for_all_platforms_and_for_each(self):
        found = [figures.Ratio("a", "p", 2, "equal", 1, 2), figures.Ratio("a", "q", 2, "equal", 1, 4),
                 figures.Ratio("b", "q", 2, "equal", 4, 1)]
        means = [(mean.platform, round(mean.ratio, 9), mean.count, mean.lost) for mean in figures.means(found)]
        self.assertEqual(means, [(None, 0.793700526, 3, 1), ("p", 0.5, 1, 0), ("q", 1.0, 2, 1)])

    def test_bounds_are_medians_of_the_cells_that_tell(self):
        def cell(strategy, **bench):
            return Result(Cell("a", "local", strategy, 2), "measured", {"cluster_ms": 1, **bench})

        bounds = figures.bounds_of([cell("auto", ideal_speedup=1.9, whole_rows_bound_ms=16, best_single_ms=30,
                                         communication_bound_ms=20), cell("equal", ideal_speedup=2.0,
                                                                          whole_rows_bound_ms=None)])
        bound = bounds["a", "local", 2]
        self.assertAlmostEqual(bound.ideal, 1.95)
        self.assertAlmostEqual(bound.whole_rows, 1.875)
        self.assertAlmostEqual(bound.communication, 1.5)

    def test_one_rank_is_one_cell(self):
        cells = cells_of(["a"], ["local"], ["auto", "equal"], lambda platform: [1, 2])
        self.assertEqual([(cell.strategy, cell.ranks) for cell in cells], [("single", 1), ("auto", 2), ("equal", 2)])
        results = [Result(cell, "measured", {"cluster_ms": 1, "speedup": speedup}) for cell, speedup in
                   zip(cells, (0.9, 1.7, 1.5))]
        self.assertEqual(figures.speedups(results, "a", "local", "equal"), [(1, 0.9), (2, 1.5)])


if __name__ == "__main__":
    unittest.main()
