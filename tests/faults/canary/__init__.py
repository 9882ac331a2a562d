# SPDX-License-Identifier: Apache-2.0
"""Secrets that can be told from all other bytes, the ways in which they might be written down, and the places to look for them."""
