# SPDX-License-Identifier: Apache-2.0
"""Cases of the frontends: how they are read (case), and how an answer is held against one (match)."""
