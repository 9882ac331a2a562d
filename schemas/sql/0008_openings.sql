-- SPDX-License-Identifier: Apache-2.0
-- What frontends give an account when it is opened. Only adds, so that workers of the version before run on.

-- As the dialect says it, and read again at each sign-in: text of its own, since what people say of themselves is not the worker's to read.
ALTER TABLE enrolld.account ADD COLUMN opening json;
