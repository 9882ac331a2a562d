-- SPDX-License-Identifier: Apache-2.0
-- Codes that are tried by whoever asked for them, without naming an address. Only adds.

-- A keyed digest of the header by which a frontend tells its visitors apart. NULL: the frontend names the address.
ALTER TABLE enrolld.challenge ADD COLUMN caller bytea;

CREATE INDEX challenge_caller ON enrolld.challenge (realm, caller, claim_kind, created_at) WHERE caller IS NOT NULL;
