// SPDX-License-Identifier: Apache-2.0
// How the statements of other tables write a notice. Private to store.
#pragma once

// Moments in a payload are written as in the worker's own events.
#define NOTICE_MOMENT(moment) "to_char(" moment " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
#define NOTICE_INSERT "INSERT INTO enrolld.notice (realm, kind, subject, key, payload) "
