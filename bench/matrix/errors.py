# SPDX-License-Identifier: Apache-2.0
"""Errors by who can act, as in the program itself."""


class WrongInput(Exception):
    """The user asked for something that makes no sense: exit code 2."""


class Failed(Exception):
    """Something did not work: exit code 1, or a cell that is kept as failed."""
