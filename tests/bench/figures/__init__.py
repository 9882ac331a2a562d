# SPDX-License-Identifier: Apache-2.0
"""What scripts/bench measures: a worker against the limits of the same machine, in the same run."""
