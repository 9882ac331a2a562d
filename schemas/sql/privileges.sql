-- SPDX-License-Identifier: Apache-2.0
-- What a worker may do: exactly what its statements need. No DDL, no TRUNCATE; of accounts only what signing in needs.
-- Applied by every "enrolld migrate", so that it also takes effect where the role was made later.

REVOKE ALL ON SCHEMA enrolld FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA enrolld FROM enrolld_worker;
GRANT USAGE ON SCHEMA enrolld TO enrolld_worker;
GRANT SELECT ON enrolld.migration TO enrolld_worker;
GRANT SELECT, INSERT, DELETE, UPDATE (state, outcome, reason, result, receipt, account_id) ON enrolld.inbox TO enrolld_worker;
GRANT SELECT, INSERT, DELETE, UPDATE (window_start, used, spent, expires_at) ON enrolld."limit" TO enrolld_worker;
GRANT SELECT, INSERT, DELETE, UPDATE (failures, locked_until, expires_at) ON enrolld.address TO enrolld_worker;
GRANT SELECT, INSERT, DELETE, UPDATE (window_start, used, given, asked, allowed, expires_at) ON enrolld.budget TO enrolld_worker;
GRANT SELECT, INSERT, DELETE, UPDATE (window_end, sends, verified, held_until, expires_at) ON enrolld.prefix TO enrolld_worker;
GRANT SELECT, INSERT, DELETE, UPDATE (attempts, sent_at, consumed_at) ON enrolld.challenge TO enrolld_worker;
GRANT SELECT, INSERT, DELETE, UPDATE (verified_at) ON enrolld.claim TO enrolld_worker;
GRANT SELECT (account_id, state, number, password_hash, password_serial, locale, given_name, display_name, opening), INSERT,
    UPDATE (state, password_hash, password_serial, locale, updated_at)
    ON enrolld.account TO enrolld_worker;
GRANT SELECT, INSERT, UPDATE (account_id, name, kind, active, last_seen_at) ON enrolld.device TO enrolld_worker;
GRANT SELECT, INSERT, DELETE, UPDATE (serial, refreshed_at, expires_at, revoked_at, revoked_reason) ON enrolld.session TO enrolld_worker;
GRANT SELECT, INSERT, DELETE,
    UPDATE (sealed, state, attempts, unknowns, due_at, claimed_at, code, remote_id, settled_at) ON enrolld.message TO enrolld_worker;
GRANT SELECT, INSERT, UPDATE (value) ON enrolld.counter TO enrolld_worker;
GRANT SELECT, INSERT, DELETE, UPDATE (mark, updated_at) ON enrolld.progress TO enrolld_worker;
GRANT SELECT, INSERT, DELETE, UPDATE (published_at) ON enrolld.notice TO enrolld_worker;
GRANT SELECT, INSERT, UPDATE (started_at, ended_at, unclean) ON enrolld.run TO enrolld_worker;
GRANT SELECT, INSERT, DELETE, UPDATE (times, taken_at) ON enrolld.hand TO enrolld_worker;
