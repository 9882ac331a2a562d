# SPDX-License-Identifier: Apache-2.0
"""Records that no honest gateway writes, and what the contract says about each."""
