// SPDX-License-Identifier: Apache-2.0
// One SMTP connection: libcurl's blocking easy interface, since its SMTP blocks a multi loop at the end of a message. Belongs to one thread.
#pragma once

#include "courier/handover.h"
#include "courier/stopper.h"
#include "enrolld/base/fault.h"
#include "enrolld/courier/courier.h"

struct smtp;

// Does not connect. conf and stop must outlive it; stop may be NULL. SETTING_INVALID if libcurl does not take a setting.
enum reason smtp_open(const struct courier_conf *conf, struct stopper *stop, struct smtp **smtp, struct fault *f) ATTR_MUST_USE;
void smtp_close(struct smtp *smtp); // NULL is fine

// Sends one mail; both addresses have passed address_is_mail(). The connection is kept for the next one where the server allows it.
// The gate is asked when the server waits for the message (354): what fails before then has not been handed over.
void smtp_send(struct smtp *smtp, const char *from, const char *to, struct slice message, const struct gate *gate,
	       struct handover *handover);

// Connects if need be, with TLS and login, and says NOOP. DELIVERY_UNREACHABLE.
enum reason smtp_probe(struct smtp *smtp, struct fault *f) ATTR_MUST_USE;
