# SPDX-License-Identifier: MIT
"""The comparison's arithmetic, and that a program which dies or lies under an allocator is said to.
Must not measure anything: times are given. Run by the tests of bench/, with the path of the built `measure`."""
import contextlib
import dataclasses
import io
import math
import pathlib
import sys
import tempfile
import unittest
import unittest.mock

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "scripts"))

from comparison import accounting, allocators, peaks, readme, results, runner, scaling, suite, table, targets  # noqa: E402  (the path has to be set first)
from comparison.allocators import Allocator  # noqa: E402
from comparison.catalogue import Case  # noqa: E402
from comparison.errors import ComparisonError  # noqa: E402

MEASURE = str(pathlib.Path(sys.argv.pop(1)).resolve())
GLIBC, PEER, OURS = Allocator("glibc", "-"), Allocator("peer", "-"), Allocator("hotlane", "-")
CASE = Case("case", ("true",))


def results_with(times):
    """Results of one case: allocator -> times of its runs."""
    found = results.Results([CASE], [GLIBC, PEER, OURS])
    for allocator, walls in times.items():
        for wall in walls:
            found.add(
                CASE, allocator, runner.Sample(wall=wall, cpu=wall, peak_kib=100, faults=10, check="aa")
            )
    return found


def run_shell(script, limit_seconds=20):
    return runner.run(MEASURE, GLIBC, Case("shell", ("/bin/sh", "-c", script)), limit_seconds)


class Scaling(unittest.TestCase):
    """Against closed forms."""

    def test_one_queue_of_which_each_core_waits_is_a_machine_repair_model(self):
        # M/M/1 with n customers: the queue is busy with the probability 1 - p0 (Erlang).
        think, demand = 5.0, 1.0
        for cores in (1, 2, 7, 64):
            weights = [math.perm(cores, k) * (demand / think) ** k for k in range(cores + 1)]
            busy = 1 - weights[0] / sum(weights)
            self.assertAlmostEqual(scaling.model.throughput(think, [demand], cores), busy / demand, places=9)

    def test_equal_queues_without_thinking(self):
        # n customers at k equal queues: n / (n + k - 1) of the full rate.
        for cores, queues in ((1, 1), (3, 4), (64, 8)):
            self.assertAlmostEqual(
                scaling.model.throughput(0, [2.0] * queues, cores), cores / (cores + queues - 1) / 2, places=9)

    def test_without_locks_all_cores_work(self):
        local, remote = scaling.model.loads(10, 200.0, [])
        self.assertAlmostEqual(scaling.model.efficiency(local, remote, 64, 8), 1)

    def test_lines_that_are_fetched_before_a_lock_make_a_core_think_longer_and_no_lock_wait(self):
        local, remote = scaling.model.loads(10, 200.0, [(50.0, 1, 0, False)], prefetched=8)
        self.assertAlmostEqual(remote.think, local.think + 8 * 25 / 10)
        self.assertAlmostEqual(remote.stations[0].demand, 5 + 100 / 10)

    def test_a_lock_limits_the_rate_and_a_lock_for_each_domain_limits_it_less(self):
        locks = [(50.0, 1, 4, False)]  # for 10 operations of 20 ns
        local, remote = scaling.model.loads(10, 200.0, locks)
        self.assertAlmostEqual(local.stations[0].demand, 5)
        self.assertAlmostEqual(remote.stations[0].demand, 5 + (100 + 4 * 25) / 10)
        self.assertAlmostEqual(scaling.model.efficiency(local, remote, 64, 8), 20 / 25 / 64, places=3)
        for_domains = scaling.model.loads(10, 200.0, [(50.0, 1, 4, True)])
        self.assertGreater(scaling.model.efficiency(*for_domains, 64, 8), 7 * 20 / 25 / 64)
        self.assertEqual(len(scaling.model.demands_on(for_domains[1].stations, 64, 8)), 8)

    def test_counts_of_a_run_give_a_row(self):
        lock = scaling.LockUse("depot", taken=20, waited=1, held_ns=1000.0, long_holds=0, longest_ns=90.0, lines=20, copied_lines=0)
        own = dataclasses.replace(lock, kind="cache", taken=50)
        counted = scaling.Counted(CASE, 1000, 20_000.0, 3, (lock, own))
        counts, efficiencies = scaling.rows([counted])
        word = dataclasses.replace(lock, kind=scaling.kind_of(-2), held_ns=0.0)
        self.assertLess(dataclasses.replace(counted, locks=(lock, own, word)).efficiency(64), counted.efficiency(64))
        self.assertEqual(counts, [("case", "depot", "20000", "100 %", "50", "0.1", "1.0", "0.0")])
        self.assertEqual(efficiencies[0][:5], ("case", "20.0", "20000", "3000", "depot"))


class Arithmetic(unittest.TestCase):
    def test_ratio_is_of_medians_to_the_best_peer(self):
        found = results_with({GLIBC: [4, 4, 90], PEER: [2, 1, 2], OURS: [1, 1, 50]})
        self.assertEqual(found.ratio(CASE, OURS, "wall"), 0.5)
        self.assertEqual(found.ratio(CASE, GLIBC, "wall"), 2)
        self.assertEqual(found.ratio(CASE, PEER, "wall"), 1)

    def test_ours_is_never_the_reference(self):
        found = results_with({GLIBC: [4], PEER: [2], OURS: [1]})
        self.assertEqual(found.best_peer(CASE, "wall"), 2)

    def test_geometric_mean(self):
        self.assertAlmostEqual(results.geometric_mean([0.5, 2, 8]), 2)
        self.assertIsNone(results.geometric_mean([None]))

    def test_rows_with_targets_are_measured_in_shuffled_turns(self):
        row = targets.pattern_rows(pathlib.Path("build"), 1)[0]
        every, order, warmed = [GLIBC, PEER, OURS], [], []

        def run(_measure, allocator, _case, _limit):
            order.append(allocator.name)
            return runner.Sample(values={row.figure: 9 if allocator is PEER else len(order)})

        with unittest.mock.patch.object(runner, "run", run), contextlib.redirect_stderr(io.StringIO()):
            figures = suite.measure([row], every, 20, "measure", 1, warmed.append)
        rounds = [tuple(order[i : i + 3]) for i in range(0, len(order), 3)]
        self.assertEqual(len(warmed), 60)
        self.assertTrue(all(set(one) == {"glibc", "peer", "hotlane"} for one in rounds))
        self.assertGreater(len(set(rounds)), 3)
        self.assertEqual(figures.median(row, PEER), 9)
        self.assertEqual(figures.verdict(row), "missed")

    def test_a_failed_run_leaves_no_figure(self):
        found = results_with({GLIBC: [1], PEER: [1], OURS: [1, 1]})
        found.add(CASE, OURS, runner.Sample(failure="died of SIGSEGV"))
        self.assertIsNone(found.ratio(CASE, OURS, "wall"))
        self.assertEqual(found.failures(), [("case", "hotlane", "died of SIGSEGV, 1 of 3 runs")])
        self.assertIn("FAILED: case under hotlane", "\n".join(table.lines(found)))

    def test_a_wrong_result_is_a_failure(self):
        found = results_with({GLIBC: [1], PEER: [1]})
        found.add(CASE, OURS, runner.Sample(wall=1, check="bb"))
        self.assertEqual(found.failures(), [("case", "hotlane", "wrong result, 1 of 1 runs")])


class Configurations(unittest.TestCase):
    def test_a_library_with_variables(self):
        (found,) = allocators.named([f"hotlane-x={MEASURE},A=1,B=%p=2"])
        self.assertEqual((found.library, found.environment, found.base), (MEASURE, (("A", "1"), ("B", "%p=2")), "hotlane"))
        self.assertEqual([a.base for a in allocators.named([f"hotlane={MEASURE}", f"other={MEASURE}"])], ["", ""])
        for wrong in ("x", "x=/no/such", f"={MEASURE}", f"x={MEASURE},A", f"x={MEASURE},=1"):
            with self.assertRaises(ComparisonError):
                list(allocators.named([wrong]))

    def test_variables_and_wrapper_reach_the_program(self):
        allocator = Allocator("x", "-", (("HOTLANE_SAMPLE_INTERVAL", "7"),), wrapper=("/usr/bin/env", "MORE=8"))
        case = Case("shell", ("/bin/sh", "-c", "echo sample=$HOTLANE_SAMPLE_INTERVAL more=$MORE"))
        self.assertEqual(runner.run(MEASURE, allocator, case, 20).values, {"sample": 7, "more": 8})

    def test_compared_with_the_plain_one(self):
        sampled = Allocator("hotlane-sampled", "-", base="hotlane")
        found = results.Results([CASE], [OURS, sampled])  # no peer at all
        for allocator, wall in ((OURS, 2), (sampled, 2.5)):
            found.add(CASE, allocator, runner.Sample(wall=wall, cpu=wall, peak_kib=100, faults=10))
        lines = list(table.base_table(found, "wall", table.seconds))
        self.assertEqual([line.split() for line in lines], [["hotlane-sampled", "/", "hotlane"],
                                                            ["case", "2.500", "(1.250)"],
                                                            ["geometric", "mean", "(1.250)"]])
        self.assertIn("2.000", "\n".join(table.metric_table(found, "wall", table.seconds)))

    def test_the_order_changes_from_round_to_round(self):
        every = [Allocator(str(number), "-") for number in range(5)]
        orders = {tuple(a.name for a in suite.in_turns(every, number, CASE)) for number in range(20)}
        self.assertGreater(len(orders), 10)
        self.assertEqual({"".join(sorted(order)) for order in orders}, {"01234"})


class Accounting(unittest.TestCase):
    REPORT = {
        "classes": [
            {"size": 64, "live": 1000, "cached": 10, "depot": 20},
            {"size": 128, "live": 500, "cached": 0, "depot": 5},
        ],
        "memory": {
            "live": 128000,
            "in_use": 200000,
            "free_dirty": 65536,
            "fallback": 10000,
            "fallback_resident": 15000,
            "metadata": 500,
        },
    }

    def test_the_causes_add_up_to_the_resident_set(self):
        causes = accounting.causes_of(self.REPORT, 300000, 0.28)
        self.assertEqual(list(causes), list(accounting.CAUSES))
        self.assertAlmostEqual(sum(causes.values()), 2 * 300000)
        self.assertAlmostEqual(causes["live, as requested"], 100000)
        self.assertAlmostEqual(causes["rounding"], 28000)
        self.assertEqual((causes["lanes"], causes["shelves"]), (640, 1920))
        self.assertEqual(causes["free slots"], 200000 - 128000 - 640 - 1920)
        self.assertEqual(causes["fallback not live"], 5000)

    def test_the_peak_is_the_report_with_most_live_bytes_near_the_largest_resident_set(self):
        def report(live):
            return {"memory": {"live": live, "fallback": 0}}

        reports = [(900, report(500)), (995, report(80)), (1000, report(50)), (990, report(70))]
        self.assertEqual(accounting.at_peak(reports), (995, report(80)))


class Readme(unittest.TestCase):
    def test_the_blocks_have_means_verdicts_and_the_best_peer(self):
        found = results_with({GLIBC: [4], PEER: [2], OURS: [1]})
        front = readme.front_page(found, "How.")
        self.assertIn("| time, workloads; for each program, 1 is the fastest allocator other than hotlane | 2.00 | 1.00 | 0.50 |", front)
        self.assertIn("\n\nHow.\n\n", front)
        self.assertIn(f"]({readme.CHART})", front)
        bench = readme.every_program(found, "How.")
        self.assertIn("| time, workloads, to the best peer of each | 2.00 | 1.00 | 0.50 | ≤ 0.90, met |", bench)
        self.assertIn("| case | 1.000 | 0.50, peer | 0.1 | 1.00, glibc |", bench)

    def test_every_headline_is_a_mean(self):
        cases = [Case("case", ("true",)), Case("small", ("true",), tiny=True), Case("real", ("true",), "program")]
        means = dict(results.summary(results.Results(cases, [GLIBC, PEER, OURS])))
        self.assertLessEqual(set(readme.HEADLINES), set(means))

    def test_a_failure_is_not_hidden(self):
        found = results_with({GLIBC: [4], PEER: [2]})
        found.add(CASE, OURS, runner.Sample(failure="died of SIGSEGV"))
        text = readme.every_program(found, "How.")
        self.assertIn("| case | failed | failed, peer | failed | failed, glibc |", text)

    def test_only_the_blocks_are_written(self):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            (root / "bench").mkdir()
            pages = {root / "README.md": ("| geometric mean", ")"), root / "bench" / "README.md": ("How.", "|")}
            for page in pages:
                page.write_text("before\n<!-- comparison -->\nold\n<!-- /comparison -->\nafter\n", encoding="utf-8")
            readme.write(root, results_with({GLIBC: [4], PEER: [2], OURS: [1]}), "How.")
            for page, (beginning, end) in pages.items():
                text = page.read_text(encoding="utf-8")
                self.assertTrue(text.startswith(f"before\n<!-- comparison -->\n{beginning}"), text)
                self.assertTrue(text.endswith(f"{end}\n<!-- /comparison -->\nafter\n"), text)


class Peaks(unittest.TestCase):
    def test_units_of_heaptrack(self):
        for text, size in (("103.86K", 103860), ("100.07M", 100070000), ("512B", 512), ("1.50G", 1.5e9)):
            self.assertAlmostEqual(peaks.peak_of_heaptrack(f"x\npeak heap memory consumption: {text}\ny\n"), size)
        with self.assertRaises(ComparisonError):
            peaks.peak_of_heaptrack("nothing")

    def test_a_difference_above_the_bound_is_found(self):
        self.assertEqual(peaks.peak_of_hotlane({"stacks": [{"peak": {"requested": 5}}, {"peak": {"requested": 7}}]}), 12)
        self.assertTrue(peaks.all_agree({"a": {"heaptrack": 100, "every allocation": 98.5}}))
        self.assertFalse(peaks.all_agree({"a": {"heaptrack": 100, "every allocation": 103}}))
        self.assertEqual(len(list(peaks.lines({"a": {"heaptrack": 1e6, "every allocation": 1e6, "default interval": 1e6}}))), 2)


class Running(unittest.TestCase):
    def test_figures_are_read_from_the_output(self):
        sample = run_shell("echo seconds=1.5 check=00000000000000ff; echo what=malloc p99.9=7")
        self.assertEqual(sample.check, "00000000000000ff")
        self.assertEqual(sample.values, {"seconds": 1.5, "malloc.p99.9": 7})
        self.assertEqual(sample.failure, "")
        self.assertGreater(sample.peak_kib, 0)

    def test_a_program_that_dies_says_of_what(self):
        self.assertEqual(run_shell("kill -SEGV $$").failure, "died of SIGSEGV")

    def test_a_program_that_fails_says_how(self):
        self.assertEqual(run_shell("echo no memory >&2; exit 3").failure, "exit status 3 (no memory)")

    def test_a_program_that_hangs_is_ended(self):
        self.assertEqual(run_shell("sleep 60", limit_seconds=0.3).failure, "not done after 0.3 s")


if __name__ == "__main__":
    unittest.main()
