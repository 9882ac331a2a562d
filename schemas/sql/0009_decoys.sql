-- SPDX-License-Identifier: Apache-2.0
-- Codes of sign-ups that are answered as if nobody had the identity. Only adds, so that workers of the version before run on; they try such a code as any, and nobody was sent it.

-- Sent to nobody and right for nothing: whoever tries it is told what is told of a code that was sent. Never the one that its address was given last.
ALTER TABLE enrolld.challenge ADD COLUMN decoy boolean NOT NULL DEFAULT false;
