# SPDX-License-Identifier: Apache-2.0
"""The networks' files: made by `strake zoo` once for each build, or the user's own."""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from errors import Failed, WrongInput
from options import Matrix
from processes import run
from store import write_whole


@dataclass(frozen=True)
class Model:
    file: Path
    sha256: str


def make_models(matrix: Matrix) -> dict[str, Model]:
    """[network]"""
    return {network: _own(network) if network.endswith(".onnx") else _zoo(matrix, network)
            for network in matrix.networks}


def _own(network: str) -> Model:
    file = Path(network)
    if not file.is_file():
        raise WrongInput(f"--networks: no file '{network}'")
    return Model(file.resolve(), _sha256(file))


def _zoo(matrix: Matrix, network: str) -> Model:
    """`network` is NAME or NAME@HxW."""
    file = matrix.work / "models" / f"{network}.onnx"
    made_by = file.with_suffix(".json")
    try:
        made = json.loads(made_by.read_text())
        if made["build"] == matrix.build and made["bytes"] == file.stat().st_size:
            return Model(file, made["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    file.parent.mkdir(parents=True, exist_ok=True)
    name, _, size = network.partition("@")
    beside = file.with_name(f".{file.name}")
    try:
        run([str(matrix.strake), "zoo", name, "-q", "-o", str(beside), *(["--size", size] if size else [])])
        os.replace(beside, file)
    except Failed as error:
        raise WrongInput(f"--networks: '{network}' cannot be made: {error}") from None
    finally:
        beside.unlink(missing_ok=True)
    model = Model(file, _sha256(file))
    write_whole(made_by, json.dumps({"build": matrix.build, "bytes": file.stat().st_size, "sha256": model.sha256}))
    return model


def _sha256(file: Path) -> str:
    with open(file, "rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
