# SPDX-License-Identifier: Apache-2.0
"""Runs real workers against real services, keeps what was seen, and never looks inside the worker."""
