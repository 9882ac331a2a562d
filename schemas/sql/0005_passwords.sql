-- SPDX-License-Identifier: Apache-2.0
-- Codes that are tried by whoever asked for them, without naming an address; passwords that change. Only adds.

-- A keyed digest of the header by which a frontend tells its visitors apart. NULL: the frontend names the address.
ALTER TABLE enrolld.challenge ADD COLUMN caller bytea;

CREATE INDEX challenge_caller ON enrolld.challenge (caller, claim_kind, created_at) WHERE caller IS NOT NULL;

-- Which password it is: raised by every new one, and not where the same gets a hash of today's cost. What was compared is what is entered as long as it stays.
ALTER TABLE enrolld.account ADD COLUMN password_serial integer NOT NULL DEFAULT 0;
