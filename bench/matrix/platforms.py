# SPDX-License-Identifier: Apache-2.0
"""Where cells run: real ranks on this machine, emulated hosts, or a simulated cluster, chosen by name.

A platform is a class with what `Platform` below asks for; a new kind is one more class in `platform_of`.
"""

import hashlib
import os
import platform as machine
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from cells import Cell
from errors import Failed, WrongInput
from processes import run

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Tools:
    """Programs and settings that all platforms share."""

    strake: Path
    mpirun: list[str]
    simulate: Path
    edge_lab: Path
    frames: int
    warm_up: int
    threads: int
    bench_options: list[str]


class Platform(ABC):
    def __init__(self, name: str, tools: Tools):
        self.name = name
        self.tools = tools

    @property
    def frames(self) -> int:
        """That count in each cell."""
        return self.tools.frames

    @abstractmethod
    def default_ranks(self) -> list[int]:
        """Rank counts where the user names none."""

    @abstractmethod
    def command(self, cell: Cell, model: Path, json_file: Path) -> list[str]:
        """What measures the cell and writes the JSON of `strake bench`."""

    @abstractmethod
    def identity(self) -> dict:
        """What of the platform decides a result."""

    def environment(self, cell: Cell | None) -> dict[str, str]:
        """Variables that the command needs."""
        return {}

    def _bench(self, cell: Cell, model: Path, json_file: Path) -> list[str]:
        tools = self.tools
        threads = ["--threads", str(tools.threads)] if tools.threads else []
        return [str(tools.strake), "bench", str(model), "-q", "--strategy", cell.strategy, "--frames",
                str(tools.frames), "--warm-up", str(tools.warm_up), *threads, *tools.bench_options, "--json",
                str(json_file)]

    def _bench_identity(self) -> dict:
        return {"warm_up": self.tools.warm_up, "threads": self.tools.threads, "options": self.tools.bench_options}


class Local(Platform):
    """Real ranks on this machine, under mpirun."""

    def default_ranks(self) -> list[int]:
        return _up_to(_n_cores())

    def command(self, cell, model, json_file):
        return [*self.tools.mpirun, "-np", str(cell.ranks), *self._bench(cell, model, json_file)]

    def environment(self, cell):
        # Ranks that wait keep their core unless told otherwise.
        crowded = cell.ranks * max(1, self.tools.threads) > _n_cores()
        return {**_ROOT_MAY, **({"OMPI_MCA_mpi_yield_when_idle": "1"} if crowded else {})}

    def identity(self):
        return {"host": host(), "mpirun": self.tools.mpirun, **self._bench_identity()}


class Lab(Platform):
    """`lab:NAME` is the lab of emulated hosts that `STRAKE_EDGE_LAB=NAME scripts/edge-lab up` made: a rank a host."""

    def __init__(self, name, tools):
        super().__init__(name, tools)
        try:
            status = run([str(tools.edge_lab), "status"], self.environment(None))
        except Failed as error:
            raise WrongInput(f"--platforms: '{name}': {error}") from None
        # Host, address, rate, latency, processor and cores; what is behind them changes with every message.
        self._hosts = [line.split()[:6] for line in status.splitlines()[1:]]

    def default_ranks(self) -> list[int]:
        return _up_to(len(self._hosts))

    def command(self, cell, model, json_file):
        return [str(self.tools.edge_lab), "run", "--hosts", str(cell.ranks), "--",
                *self._bench(cell, model, json_file)]

    def environment(self, cell):
        return {**_ROOT_MAY, "STRAKE_EDGE_LAB": self.name.partition(":")[2]}

    def identity(self):
        return {"host": host(), "lab": self._hosts, **self._bench_identity()}


class Simulated(Platform):
    """A cluster of bench/platforms under SimGrid, whose frames all take the same."""

    def __init__(self, name, tools):
        super().__init__(name, tools)
        self._cluster = name.partition(":")[2]
        file = ROOT / "bench" / "platforms" / f"{self._cluster}.xml"
        self._description = file.read_text() if file.is_file() else ""

    @property
    def frames(self):
        return min(3, self.tools.frames)

    def default_ranks(self) -> list[int]:
        return _up_to(self._description.count("<host ") or 4)

    def command(self, cell, model, json_file):
        return [str(self.tools.simulate), "--platform", self._cluster, "--ranks", str(cell.ranks), "--model",
                str(model), "--strategy", cell.strategy, "--frames", str(self.frames), "--json", str(json_file)]

    def environment(self, cell):
        return _ROOT_MAY

    def identity(self):
        return {"description": hashlib.sha256(self._description.encode()).hexdigest()}


def platform_of(name: str, tools: Tools) -> Platform:
    """@throws WrongInput if no kind of platform has such a name, or its launcher is not there"""
    kind, _, rest = name.partition(":")
    if name == "local":
        return Local(name, tools)
    kinds = {"lab": (Lab, tools.edge_lab), "simulated": (Simulated, tools.simulate)}
    if kind not in kinds or not rest:
        raise WrongInput(f"--platforms: expected local, lab:NAME or simulated:NAME, got '{name}'")
    made_by, launcher = kinds[kind]
    if not launcher.is_file():
        raise WrongInput(f"--platforms: '{name}' needs '{launcher}', which is not there")
    return made_by(name, tools)


def host() -> dict:
    """Name, processor and cores of this machine."""
    return {"name": machine.node(), "cpu": _cpu(), "cores": _n_cores()}


# Open MPI refuses root unless told twice.
_ROOT_MAY = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def _n_cores() -> int:
    return len(os.sched_getaffinity(0))


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return machine.machine()


def _up_to(most: int) -> list[int]:
    """1, 2, 4 ... and the most itself."""
    return sorted({1 << exponent for exponent in range(most.bit_length())} | {most})
