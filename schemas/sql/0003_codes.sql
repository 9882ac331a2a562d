-- SPDX-License-Identifier: Apache-2.0
-- Codes that are asked for and tried, and the devices that people sign in with. Only adds, so that workers of version 2 run on; the index that goes was read by none.

-- Whoever asks for a code, or tries one, locks the row of its address first: tries of one address come one after the other, and a newer code
-- takes the place of an older one before or after a try, never during one. failures: wrong tries in a row, whatever code they were about.
-- Locked after limit and before challenge. So is who tries a password: kind is password:email and so on then, value a keyed digest of the identity.
CREATE TABLE enrolld.address (
    realm text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL,
    failures integer NOT NULL DEFAULT 0,
    locked_until timestamptz,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (realm, kind, value)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX address_age ON enrolld.address (expires_at);

-- Form of the code, and when its last message was written.
ALTER TABLE enrolld.challenge
    ADD COLUMN length smallint NOT NULL DEFAULT 6 CHECK (length BETWEEN 4 AND 10),
    ADD COLUMN alphabet text NOT NULL DEFAULT 'digits',
    ADD COLUMN sent_at timestamptz;

DROP INDEX enrolld.challenge_claim;
CREATE INDEX challenge_newest ON enrolld.challenge (realm, claim_kind, claim_value, purpose, created_at);

-- A device is known by its registration with a push service, and belongs to whoever signed in with it last. name: the frontend's id of it.
ALTER TABLE enrolld.device
    ALTER COLUMN digest DROP NOT NULL,
    ADD COLUMN registration text COLLATE "C",
    ADD COLUMN kind text,
    ADD COLUMN active boolean NOT NULL DEFAULT true;

CREATE UNIQUE INDEX device_registration ON enrolld.device (realm, registration) WHERE registration IS NOT NULL;
CREATE INDEX device_account ON enrolld.device (account_id);
