# SPDX-License-Identifier: Apache-2.0
"""The command: options, then models, cells and report, with the exit codes of strake."""

import signal
import sys

from errors import Failed, WrongInput
from markdown import check_place
from measure import measure
from models import make_models
from options import read_options
from report import write_reports
from store import Store

INTERRUPTED = 130


def _interrupt(signum, frame):
    raise KeyboardInterrupt


def main(words: list[str]) -> int:
    """0 if every cell was measured, 1 if some failed or are missing, 2 for wrong input, 130 if interrupted."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        matrix = read_options(words)
        if matrix.markdown:
            check_place(matrix.markdown)
        with Store(matrix.work) as store:
            try:
                results = measure(matrix, make_models(matrix), store)
            except KeyboardInterrupt:
                print(f"matrix: interrupted; what is measured is kept in {matrix.work}, the same command goes on",
                      file=sys.stderr)
                return INTERRUPTED
        write_reports(matrix, results)
    except WrongInput as error:
        print(f"matrix: error: {error}", file=sys.stderr)
        return 2
    except (Failed, OSError) as error:
        print(f"matrix: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0 if all(result.measured for result in results) else 1
