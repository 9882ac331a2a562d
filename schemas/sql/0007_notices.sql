-- SPDX-License-Identifier: Apache-2.0
-- Notices that are published. Only adds, so that workers of the version before run on; what they write has neither key nor subject.

-- What a notice is about, and the key of its record: who is concerned, if that is known. Notices of one key are published in their order.
ALTER TABLE enrolld.notice
    ADD COLUMN subject text COLLATE "C",
    ADD COLUMN key text COLLATE "C";

DROP INDEX enrolld.notice_waiting;
CREATE INDEX notice_waiting ON enrolld.notice (created_at, notice_id) WHERE published_at IS NULL;
CREATE INDEX notice_key ON enrolld.notice (key, created_at, notice_id) WHERE published_at IS NULL;

-- Swept by the time of their publication: one that waits is kept, however old.
DROP INDEX enrolld.notice_age;
CREATE INDEX notice_age ON enrolld.notice (published_at) WHERE published_at IS NOT NULL;
