-- SPDX-License-Identifier: Apache-2.0
-- Everything the worker keeps. Keys are COLLATE "C": they compare by bytes, as the worker does, whatever the database's locale.
--
-- Locks are taken in the order of this file: inbox, limit, challenge, claim, account, device, session, message, counter, progress;
-- within a table in key order. No foreign key is checked before commit, as that would take locks out of order.

DO $$
BEGIN
    IF to_regnamespace('enrolld') IS NULL THEN -- an administrator may have made it for a login that may not
        CREATE SCHEMA enrolld;
    END IF;
END
$$;

CREATE TABLE enrolld.migration (
    version integer PRIMARY KEY,
    name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- One row per request that ended, with all that is needed to answer it again: the unique key that makes a second execution impossible.
-- xact and stored_at together tell a transaction its own rows from those of others (xact alone would not survive a restore elsewhere).
CREATE TABLE enrolld.inbox (
    realm text COLLATE "C" NOT NULL,
    route text COLLATE "C" NOT NULL,
    request_id text COLLATE "C" NOT NULL,
    state text NOT NULL CHECK (state IN ('done', 'dead')),
    outcome text NOT NULL,
    reason text,
    topic text COLLATE "C" NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    fingerprint bytea NOT NULL,
    fingerprint_epoch smallint NOT NULL,
    result text,
    receipt text NOT NULL,
    account_id uuid,
    xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
    stored_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (realm, route, request_id),
    CHECK ((state = 'dead') = (result IS NULL))
) PARTITION BY HASH (realm, route, request_id);

-- By key, never by date: a unique key must hold the partition key, and days would not see each other's requests.
DO $$
BEGIN
    FOR n IN 0..15 LOOP
        EXECUTE format('CREATE TABLE enrolld.inbox_%s PARTITION OF enrolld.inbox FOR VALUES WITH (MODULUS 16, REMAINDER %s) '
            'WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1, '
            'autovacuum_analyze_scale_factor = 0.05)', lpad(n::text, 2, '0'), n);
    END LOOP;
END
$$;

CREATE INDEX inbox_age ON enrolld.inbox (stored_at);

-- What was spent of a limit. subject is a keyed digest, never an address.
CREATE TABLE enrolld."limit" (
    realm text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    window_start timestamptz NOT NULL DEFAULT now(),
    used bigint NOT NULL DEFAULT 0,
    blocked_until timestamptz,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (realm, name, subject)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);

CREATE INDEX limit_age ON enrolld."limit" (expires_at);

-- A code or link that somebody was sent. Both are derived from nonce, epoch and serial; the digest only finds the row of a link.
CREATE TABLE enrolld.challenge (
    challenge_id uuid PRIMARY KEY,
    realm text COLLATE "C" NOT NULL,
    account_id uuid,
    purpose text NOT NULL,
    channel text NOT NULL,
    claim_kind text COLLATE "C",
    claim_value text COLLATE "C",
    nonce bytea NOT NULL CHECK (length(nonce) = 16),
    key_epoch smallint NOT NULL,
    serial integer NOT NULL DEFAULT 0,
    token_digest bytea,
    attempts integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    consumed_at timestamptz
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05);

CREATE UNIQUE INDEX challenge_token ON enrolld.challenge (token_digest) WHERE token_digest IS NOT NULL;
CREATE INDEX challenge_claim ON enrolld.challenge (realm, claim_kind, claim_value);
CREATE INDEX challenge_age ON enrolld.challenge (expires_at);

-- Identities. One unique key in one table: inserted in its order, no two batches can wait for each other.
CREATE TABLE enrolld.claim (
    realm text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL,
    account_id uuid NOT NULL,
    shown text NOT NULL,
    claimed_at timestamptz NOT NULL DEFAULT now(),
    verified_at timestamptz,
    PRIMARY KEY (realm, kind, value)
) WITH (fillfactor = 90);

CREATE INDEX claim_account ON enrolld.claim (account_id);

CREATE TABLE enrolld.account (
    account_id uuid PRIMARY KEY,
    realm text COLLATE "C" NOT NULL,
    state text NOT NULL,
    password_hash text,
    given_name text,
    family_name text,
    display_name text,
    birth_date date,
    locale text,
    attributes jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 90);

ALTER TABLE enrolld.claim ADD CONSTRAINT claim_account_fkey FOREIGN KEY (account_id) REFERENCES enrolld.account ON DELETE CASCADE
    DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE enrolld.device (
    device_id uuid PRIMARY KEY,
    realm text COLLATE "C" NOT NULL,
    account_id uuid NOT NULL,
    digest bytea NOT NULL,
    name text,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    trusted_until timestamptz,
    UNIQUE (account_id, digest)
) WITH (fillfactor = 85);

-- A token family. Refresh ids are derived from nonce, epoch and serial; each use raises the serial.
CREATE TABLE enrolld.session (
    session_id uuid PRIMARY KEY,
    realm text COLLATE "C" NOT NULL,
    account_id uuid NOT NULL,
    device_id uuid,
    nonce bytea NOT NULL CHECK (length(nonce) = 16),
    key_epoch smallint NOT NULL,
    serial integer NOT NULL DEFAULT 0,
    token_digest bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    refreshed_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    revoked_reason text
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05);

CREATE UNIQUE INDEX session_token ON enrolld.session (token_digest) WHERE token_digest IS NOT NULL;
CREATE INDEX session_account ON enrolld.session (account_id);
CREATE INDEX session_age ON enrolld.session (expires_at);

-- Mails and texts. due_at is when a row wants attention: the next attempt of one that waits, the end of the lease of one in hand,
-- nothing for one that is settled. It is all that the queue's index holds, so most moves touch no index.
CREATE TABLE enrolld.message (
    message_id uuid PRIMARY KEY,
    realm text COLLATE "C" NOT NULL,
    challenge_id uuid,
    channel text NOT NULL,
    template text NOT NULL,
    sealed bytea,
    state text NOT NULL DEFAULT 'queued'
        CHECK (state IN ('queued', 'claimed', 'transmitting', 'accepted', 'deferred', 'refused', 'unknown', 'expired')),
    attempts integer NOT NULL DEFAULT 0,
    unknowns smallint NOT NULL DEFAULT 0,
    due_at timestamptz DEFAULT now(),
    claimed_at timestamptz,
    expires_at timestamptz NOT NULL,
    code text,
    remote_id text,
    created_at timestamptz NOT NULL DEFAULT now(),
    settled_at timestamptz,
    CHECK (due_at IS NULL OR sealed IS NOT NULL),
    CHECK (due_at IS NOT NULL OR state IN ('accepted', 'refused', 'unknown', 'expired'))
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX message_due ON enrolld.message (channel, due_at, message_id) WHERE due_at IS NOT NULL;
CREATE INDEX message_age ON enrolld.message (settled_at) WHERE settled_at IS NOT NULL;

-- Integer ids, for the dialects that ask for them; locked last but for the marks.
CREATE TABLE enrolld.counter (
    realm text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    value bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (realm, name)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- How far each group's committed Kafka transactions reach. Never lowered.
CREATE TABLE enrolld.progress (
    "group" text COLLATE "C" NOT NULL,
    topic text COLLATE "C" NOT NULL,
    partition integer NOT NULL,
    mark bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY ("group", topic, partition)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- What arose without a request, to be published at least once under the same id.
CREATE TABLE enrolld.notice (
    notice_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    realm text COLLATE "C" NOT NULL,
    kind text NOT NULL,
    payload text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX notice_waiting ON enrolld.notice (created_at) WHERE published_at IS NULL;
CREATE INDEX notice_age ON enrolld.notice (created_at);

-- The last start of each lane, and the records that were in hand when one ended badly.
CREATE TABLE enrolld.run (
    instance text COLLATE "C" NOT NULL,
    lane text COLLATE "C" NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    unclean boolean NOT NULL DEFAULT false,
    PRIMARY KEY (instance, lane)
) WITH (fillfactor = 50);

CREATE TABLE enrolld.hand (
    "group" text COLLATE "C" NOT NULL,
    topic text COLLATE "C" NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    times integer NOT NULL DEFAULT 1,
    taken_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY ("group", topic, partition, "offset")
) WITH (fillfactor = 50);
