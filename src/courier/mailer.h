// SPDX-License-Identifier: Apache-2.0
// A thread that hands over mails, one after the other, on its own SMTP and database connections.
#pragma once

#include "courier/parts.h"

struct mailer;

// Starts the thread; parts must outlive it. number: from 0, the first one counts the waiting mails.
enum reason mailer_start(struct parts *parts, size_t number, struct mailer **mailer, struct fault *f) ATTR_MUST_USE;
void mailer_join(struct mailer *mailer); // waits for its end, which parts->stop brings about, and frees it
