# SPDX-License-Identifier: Apache-2.0
"""The command line, checked."""

import argparse
import hashlib
import importlib
import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from cells import Cell, cells_of
from errors import Failed, WrongInput
from platforms import ROOT, Platform, Tools, platform_of
from processes import run

NETWORKS = "vgg16,resnet50,mobilenet_v2,densenet121,googlenet,efficientnet_b0,yolov3_tiny,unet"
STRATEGIES = "auto,single,equal,modnn,oodp-published,deepthings,coedge,aofl,deepslicing,pipeline"


@dataclass(frozen=True)
class Matrix:
    """What is measured, with what, and where it goes."""

    networks: list[str]
    platforms: dict[str, Platform]
    strategies: list[str]
    cells: list[Cell]
    tools: Tools
    build: str      # version and contents of the program
    work: Path
    timeout_s: float
    retry: bool
    report_only: bool
    draw: bool
    plots: Path | None
    markdown: Path | None
    words: list[str]  # as typed

    @property
    def strake(self) -> Path:
        return self.tools.strake


def read_options(words: list[str]) -> Matrix:
    """@throws WrongInput; the parser itself ends the process for what it does not know, with exit code 2"""
    options = _parser().parse_args(words)
    strake = Path(options.strake).absolute()
    if not strake.is_file():
        raise WrongInput(f"no program '{options.strake}'; scripts/test builds it, --strake or STRAKE names it")
    if not options.no_plots:
        _load_plots()
    tools = Tools(strake=strake, mpirun=shlex.split(options.mpirun), simulate=Path(options.simulate).absolute(),
                  edge_lab=Path(options.edge_lab).absolute(), frames=options.frames, warm_up=options.warm_up,
                  threads=options.threads, bench_options=shlex.split(options.bench_options))
    platforms = {name: platform_of(name, tools) for name in _list("--platforms", options.platforms)}
    networks = _networks(options.networks)
    strategies = _strategies(strake, options.strategies)
    ranks = _ranks(options.ranks, platforms)
    return Matrix(networks=networks, platforms=platforms, strategies=strategies,
                  cells=cells_of(networks, platforms, strategies, ranks.__getitem__), tools=tools,
                  build=_build(strake), work=Path(options.work).absolute(), timeout_s=options.timeout,
                  retry=options.retry, report_only=options.report_only, draw=not options.no_plots, plots=options.plots,
                  markdown=options.markdown, words=words)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench/matrix/run", formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
        description="Measures networks x platforms x strategies x rank counts, cell by cell, and writes results.json,\n"
        "results.csv and report.html into the work folder. What is measured is kept: the same command goes on\n"
        "where it was interrupted.",
        epilog="examples:\n"
        "  bench/matrix/run\n"
        "  bench/matrix/run --networks resnet50,unet@256x256,own.onnx --strategies auto,equal --ranks 1,2,4\n"
        "  bench/matrix/run --platforms local,simulated:four_equal --ranks local=1,2 --ranks 1,2,4\n\n"
        "exit codes: 0 all measured, 1 cells failed or are missing, 2 wrong input, 130 interrupted")
    matrix = parser.add_argument_group("the matrix (lists with commas)")
    matrix.add_argument("--networks", default=NETWORKS,
                        help=f"NAME or NAME@HxW of strake zoo, or FILE.onnx; by default {NETWORKS.replace(',', ' ')}")
    matrix.add_argument("--platforms", default="local",
                        help="local; lab:NAME, the emulated hosts of scripts/edge-lab under STRAKE_EDGE_LAB=NAME "
                        "(lab:lab unless you named them); simulated:NAME, for bench/simulate; by default local")
    matrix.add_argument("--strategies", default=STRATEGIES, help=f"by default {STRATEGIES.replace(',', ' ')}")
    matrix.add_argument("--ranks", action="append", default=[], metavar="[PLATFORM=]LIST",
                        help="rank counts, of all platforms or of one; by default 1, 2, 4 ... up to the cores or hosts "
                        "that there are")
    cells = parser.add_argument_group("each cell")
    cells.add_argument("--frames", type=_at_least(1), default=30,
                       help="that count (%(default)s); three simulated ones, which are all alike")
    cells.add_argument("--warm-up", type=_at_least(0), default=5,
                       help="frames before them, on real ranks (%(default)s)")
    cells.add_argument("--threads", type=_at_least(0), default=1,
                       help="per real rank (%(default)s); 0 for the rank's share of the cores")
    cells.add_argument("--bench-options", default="", metavar="WORDS",
                       help="more for strake bench on real ranks, such as --bench-options='--kernels direct'")
    cells.add_argument("--timeout", type=_at_least(1), default=900, metavar="S",
                       help="seconds that a cell may take (%(default)s)")
    run_group = parser.add_argument_group("the run")
    run_group.add_argument("--work", default=ROOT / "out/matrix", metavar="DIR",
                           help="models, cells and reports; by default out/matrix")
    run_group.add_argument("--retry", action="store_true", help="try cells again that failed")
    run_group.add_argument("--report-only", action="store_true", help="measure nothing: what was not run is missing")
    run_group.add_argument("--no-plots", action="store_true", help="tables only; needs no matplotlib")
    run_group.add_argument("--plots", type=Path, metavar="DIR", help="also write the plots as SVG files")
    run_group.add_argument("--markdown", type=Path, metavar="FILE",
                           help="also write the tables as Markdown, into a new file or between the lines "
                           "'<!-- matrix: begin -->' and '<!-- matrix: end -->' of an old one")
    programs = parser.add_argument_group("programs")
    programs.add_argument("--strake", default=os.environ.get("STRAKE", ROOT / "build/release/strake"),
                          metavar="FILE", help="by default $STRAKE or build/release/strake")
    programs.add_argument("--mpirun", default="mpirun --oversubscribe --bind-to none", metavar="WORDS",
                          help="starts local ranks, -np is added (%(default)s)")
    programs.add_argument("--simulate", default=ROOT / "bench/simulate", metavar="FILE",
                          help="by default bench/simulate")
    programs.add_argument("--edge-lab", default=ROOT / "scripts/edge-lab", metavar="FILE",
                          help="by default scripts/edge-lab")
    return parser


def _load_plots() -> None:
    """Before hours of measuring, not behind them."""
    try:
        importlib.import_module("plots")
    except ImportError as error:
        raise WrongInput(f"{error}: scripts/install-packages bench, or --no-plots") from None


def _at_least(least: int):
    def whole_number(text: str) -> int:
        if not re.fullmatch("[0-9]{1,9}", text) or int(text) < least:
            raise argparse.ArgumentTypeError(f"expected a whole number from {least}, got '{text}'")
        return int(text)

    return whole_number


def _list(option: str, text: str) -> list[str]:
    words = text.split(",")
    if "" in words:
        raise WrongInput(f"{option}: expected names with commas between them, got '{text}'")
    twice = {word for word in words if words.count(word) > 1}
    if twice:
        raise WrongInput(f"{option}: '{min(twice)}' was given twice")
    return words


def _networks(text: str) -> list[str]:
    networks = _list("--networks", text)
    for network in networks:
        if not network.endswith(".onnx") and not re.fullmatch("[a-z0-9_]+(@[0-9]+x[0-9]+)?", network):
            raise WrongInput(f"--networks: expected NAME, NAME@HxW or FILE.onnx, got '{network}'")
    return networks


def _strategies(strake: Path, text: str) -> list[str]:
    """Those that the program's own help lists."""
    known = re.search(r"--strategy TEXT:\{([^}]*)\}", _ask(strake, "bench", "--help"))
    strategies = _list("--strategies", text)
    for strategy in strategies:
        if known and strategy not in known[1].split(","):
            raise WrongInput(f"--strategies: expected some of {known[1]}, got '{strategy}'")
    return strategies


def _ranks(texts: list[str], platforms: dict[str, Platform]) -> dict[str, list[int]]:
    """[platform]"""
    for_all = None
    given = {}
    for text in texts:
        name, equals, counts = text.rpartition("=")
        if equals and name not in platforms:
            raise WrongInput(f"--ranks: '{name}' is none of --platforms")
        if not re.fullmatch("[1-9][0-9]{0,3}(,[1-9][0-9]{0,3})*", counts):
            raise WrongInput(f"--ranks: expected whole numbers from 1 to 9999 with commas between them, got '{counts}'")
        numbers = sorted({int(count) for count in counts.split(",")})
        if equals:
            given[name] = numbers
        else:
            for_all = numbers
    return {name: given.get(name) or for_all or platform.default_ranks() for name, platform in platforms.items()}


def _build(strake: Path) -> str:
    """The version alone would be the same for two builds of changed sources."""
    contents = hashlib.sha256(strake.read_bytes()).hexdigest()[:12]
    return f"{_ask(strake, '--version').strip()} ({contents})"


def _ask(strake: Path, *words: str) -> str:
    try:
        return run([str(strake), *words], timeout_s=60)
    except Failed as error:
        raise WrongInput(f"--strake: '{strake} {' '.join(words)}': {error}") from None
