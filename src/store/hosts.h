// SPDX-License-Identifier: Apache-2.0
// The servers of a DSN, each in turn the first. Private to store.
//
// libpq goes on to the next one when a server cannot be reached, starts, or takes no writes; but not when it takes the connection and hangs
// up (a proxy before a dead server) or says nothing (a server that hangs). So after a failure another one is first.
#pragma once

#include "enrolld/store/store.h"

struct hosts {
	char *host, *hostaddr, *port; // NULL: as the settings have it
};

// turn: how far the lists of the settings are turned; 0: not at all.
void hosts_turn(const struct store_conf *conf, size_t turn, struct hosts *hosts);
void hosts_free(struct hosts *hosts);
