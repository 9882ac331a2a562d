-- SPDX-License-Identifier: Apache-2.0
-- Budgets of messages, and how many of the codes that were texted come back. Only adds, so that workers of the version before run on.

-- What workers have leased of a budget's window, in slices: a row is touched once a slice, in a transaction of its own that holds nothing else.
-- realm is empty for budgets of all realms together; name is the prefix and the window, as "+44/1h". asked and given are the last lease's.
CREATE TABLE enrolld.budget (
    realm text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    window_start timestamptz NOT NULL,
    used bigint NOT NULL,
    allowed bigint NOT NULL,
    asked bigint NOT NULL,
    given bigint NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (realm, name)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

CREATE INDEX budget_age ON enrolld.budget (expires_at);

-- Each worker adds what it has counted once a second. A prefix is on hold until held_until; put to now() by hand, the hold is lifted.
CREATE TABLE enrolld.prefix (
    realm text COLLATE "C" NOT NULL,
    prefix text COLLATE "C" NOT NULL,
    window_end timestamptz NOT NULL,
    sends bigint NOT NULL,
    verified bigint NOT NULL,
    held_until timestamptz,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (realm, prefix)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);

CREATE INDEX prefix_age ON enrolld.prefix (expires_at);
CREATE INDEX prefix_held ON enrolld.prefix (held_until) WHERE held_until IS NOT NULL;
