-- SPDX-License-Identifier: Apache-2.0
-- Sliding limits and integer ids of accounts. Only adds, so that workers of version 1 run on.

-- A sliding limit's requests that passed, oldest first: pairs of milliseconds since 1970 and how many. NULL: a fixed window.
ALTER TABLE enrolld."limit" ADD COLUMN spent bigint[];

-- From the realm's row in counter, for the frontends that show integer ids.
ALTER TABLE enrolld.account ADD COLUMN number bigint;

CREATE UNIQUE INDEX account_number ON enrolld.account (realm, number) WHERE number IS NOT NULL;
