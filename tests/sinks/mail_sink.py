#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A mailbox for tests: takes every mail by SMTP on loopback and keeps it as a file.

usage: mail_sink.py --dir DIR --port PORT [--tls-port PORT --cert FILE --key FILE]

Each mail is DIR/<number>.eml, byte for byte as it came, and one line of DIR/mails.jsonl, written after the file:
{"number", "at", "from", "to": [...], "message_id", "subject", "file", "tls", "user", "connection"}.
Number 0 never occurs; `connection` counts connections, so that reuse can be seen. DIR/attempts.jsonl has one line for each
recipient that was offered, whatever became of it: {"at", "to", "did", "connection"}.

The plain port offers STARTTLS when a certificate is given; AUTH is offered and may be left out. User "enrolld", password "mail-secret".

The recipient's local part chooses what happens, so that tests need no state:
  defer+...   451 at RCPT, always            defer1+...  451 the first time, taken afterwards
  refuse+...  550 at RCPT                    busy+...    421 at RCPT and the connection closes
  slow+...    taken after 3 seconds          late+...    451 after the data
  drop+...    kept, but the connection breaks before the answer
  cut+...     not kept, the connection breaks before the answer
"""
import argparse
import asyncio
import email
import email.policy
import itertools
import json
import logging
import os
import signal
import ssl
import sys
import time

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

USER, PASSWORD = b"enrolld", b"mail-secret"


def behaviour(address):
    head, plus, _ = address.partition("+")
    return head.lower() if plus else ""


class Mailbox:
    """The folder and what was seen since it was opened."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        taken = [int(name[:-4]) for name in os.listdir(folder) if name.endswith(".eml") and name[:-4].isdigit()]
        self.number = max(taken, default=0)
        self.deferred = set()
        self.connections = itertools.count(1)

    def append(self, name, row):
        with open(os.path.join(self.folder, name), "a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def attempt(self, to, did, connection):
        self.append("attempts.jsonl", {"at": time.time(), "to": to, "did": did, "connection": connection})

    def keep(self, envelope, session, connection):
        while True:
            self.number += 1
            name = f"{self.number:06d}.eml"
            try:
                with open(os.path.join(self.folder, name), "xb") as file:
                    file.write(envelope.original_content)
                break
            except FileExistsError:
                continue
        message = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        self.append("mails.jsonl", {
            "number": self.number, "at": time.time(), "from": envelope.mail_from, "to": envelope.rcpt_tos,
            "message_id": message["Message-ID"], "subject": message["Subject"], "file": name,
            "tls": session.ssl is not None or connection.implicit_tls,
            "user": connection.user, "connection": connection.number,
        })


class Connection(SMTP):
    """One client; knows its number and whether the port was TLS from the first byte."""

    def __init__(self, mailbox, implicit_tls, **settings):
        self.mailbox, self.implicit_tls, self.user = mailbox, implicit_tls, None
        self.number = next(mailbox.connections)
        super().__init__(self, hostname="mail.localhost", ident="enrolld test mailbox", enable_SMTPUTF8=True,
                         authenticator=self.authenticate, auth_require_tls=False, timeout=300, **settings)

    def authenticate(self, server, session, envelope, mechanism, data):
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (USER, PASSWORD)
        if good:
            self.user = USER.decode()
        return AuthResult(success=good, handled=good)

    def break_off(self):
        self.transport.abort()
        return "451 never sent"

    async def handle_RCPT(self, server, session, envelope, address, options):
        kind = behaviour(address)
        answer, did = "250 OK", "ok"
        if kind == "defer" or (kind == "defer1" and address not in self.mailbox.deferred):
            self.mailbox.deferred.add(address)
            answer, did = "451 4.2.1 mailbox is busy, try again later", "deferred"
        elif kind == "refuse":
            answer, did = "550 5.1.1 no such mailbox", "refused"
        elif kind == "busy":
            answer, did = "421 4.3.2 closing, try again later", "busy"
        self.mailbox.attempt(address, did, self.number)
        if kind == "busy":
            await self.push(answer)
            self.transport.close()
            return "421 closing"
        if did == "ok":
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):
        kinds = {behaviour(address) for address in envelope.rcpt_tos}
        if "cut" in kinds:
            return self.break_off()
        if "late" in kinds:
            return "451 4.3.0 cannot store it now"
        if "slow" in kinds:
            await asyncio.sleep(3)
        self.mailbox.keep(envelope, session, self)
        if "drop" in kinds:
            return self.break_off()
        return "250 2.0.0 kept"


async def serve(options):
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    mailbox = Mailbox(options.dir)
    loop = asyncio.get_running_loop()
    context = None
    if options.cert:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.cert, options.key)
    servers = [await loop.create_server(lambda: Connection(mailbox, False, tls_context=context), "127.0.0.1", options.port)]
    if options.tls_port:
        servers.append(await loop.create_server(lambda: Connection(mailbox, True), "127.0.0.1", options.tls_port, ssl=context))
    print(f"mail sink on port {options.port}, mails in {options.dir}", flush=True)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    for server in servers:
        server.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--tls-port", type=int)
    parser.add_argument("--cert")
    parser.add_argument("--key")
    options = parser.parse_args()
    if options.tls_port and not (options.cert and options.key):
        parser.error("--tls-port needs --cert and --key")
    asyncio.run(serve(options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
