-- SPDX-License-Identifier: Apache-2.0
-- Sessions that are used and ended. Only adds, so that workers of version 3 run on; they wrote no session.

-- token_digest: keyed digest of the name with which all tokens of the family begin. Held, in key order, after account and before device: what is
-- decided of a session must be true of it until it is written. Who begins one, or ends all of an account, holds the account.
ALTER TABLE enrolld.session ALTER COLUMN token_digest SET NOT NULL;

-- Of an account, those that have not ended.
DROP INDEX enrolld.session_account;
CREATE INDEX session_account ON enrolld.session (account_id) WHERE revoked_at IS NULL;
