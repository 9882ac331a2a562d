# SPDX-License-Identifier: Apache-2.0
"""Judges a run by what was seen from outside. Shares no code with the worker or the harness: it reads files only."""
