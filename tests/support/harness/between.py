#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What stands between a worker and its services: links that can be cut, and a name server that can fall silent.

Run as a program it is that, told by lines of JSON; Between starts it and speaks to it. A trap cuts the connections of one exchange: the
COMMIT of a storer, or the EndTxn(commit) of a transactional producer, before the request reaches the server or before its answer returns.
"""
import contextlib
import json
import pathlib
import queue
import socket
import struct
import subprocess
import sys
import threading
import time

PASS, SILENT, CUT = "pass", "silent", "cut"
BEFORE, AFTER = "before", "after"
END_TXN = 26


class Postgres:
    """Finds the COMMIT of a storer; words may be torn by the socket."""

    WORD = b"COMMIT\0"

    def __init__(self, link):
        self.link = link
        self.storer = None  # not known before the first packet
        self.asked = self.answered = b""
        self.waits = False

    def request(self, data):
        """What is to be passed on, and whether the connection ends here."""
        if self.storer is None and len(data) > 8:  # shorter ones ask for encryption
            self.storer = b"/store\0" in data
        self.asked = self.asked[-len(self.WORD):] + data
        if not self.storer or self.WORD not in self.asked:
            return data, False
        self.asked = b""
        if self.link.spring(BEFORE):
            return b"", True
        self.waits = self.link.spring(AFTER)
        return data, False

    def answer(self, data):
        self.answered = self.answered[-len(self.WORD):] + data if self.waits else b""
        return (b"", True) if self.WORD in self.answered else (data, False)


class Kafka:
    """Finds EndTxn(commit) among whole requests, and its answer by the correlation id."""

    def __init__(self, link):
        self.link = link
        self.asked = self.answered = b""
        self.waits = None

    @staticmethod
    def _frames(data):
        at = 0
        while len(data) - at >= 4:
            end = at + 4 + struct.unpack_from(">i", data, at)[0]
            if end > len(data):
                break
            yield at, end
            at = end

    @staticmethod
    def _commits(frame):
        """Whether it is an EndTxn of versions 0 to 2, which end with the verdict."""
        key, version = struct.unpack_from(">hh", frame, 4)
        return key == END_TXN and version <= 2 and frame[-1] == 1

    def request(self, data):
        data, done = self.asked + data, 0
        for at, end in self._frames(data):
            if self._commits(data[at:end]):
                if self.link.spring(BEFORE):
                    return data[:at], True
                if self.link.spring(AFTER):
                    self.waits = data[at + 8:at + 12]
            done = end
        self.asked = data[done:]
        return data[:done], False

    def answer(self, data):
        data, done = self.answered + data, 0
        for at, end in self._frames(data):
            if self.waits is not None and data[at + 4:at + 8] == self.waits:
                return data[:at], True
            done = end
        self.answered = data[done:]
        return data[:done], False


class Link:
    """One port and the server behind it."""

    def __init__(self, name, port, target, protocol, tell):
        self.name, self.port, self.target, self.protocol, self.tell = name, port, target, protocol, tell
        self.lock = threading.Lock()
        self.mode, self.trap, self.hold = PASS, None, 0.0
        self.open = threading.Event()  # cleared while silent
        self.listener = None
        self.pairs = set()
        self.set(PASS)

    def set(self, mode):
        with self.lock:
            self.mode = mode
            pairs = list(self.pairs) if mode == CUT else []
        (self.open.clear if mode == SILENT else self.open.set)()
        if mode == CUT:
            self._stop_listening()
        elif self.listener is None:
            self.listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
            threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()
        for pair in pairs:
            self._end(pair)

    def _stop_listening(self):
        listener, self.listener = self.listener, None
        if listener:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def drop(self):
        """Ends the connections of now; new ones are taken."""
        with self.lock:
            pairs = list(self.pairs)
        for pair in pairs:
            self._end(pair)

    def spring(self, when):
        """Whether the trap is set for this moment; it springs once."""
        with self.lock:
            if self.trap != when:
                return False
            self.trap = None
            hold = self.hold
        threading.Thread(target=self._sprung, args=(when, hold), daemon=True).start()
        return True

    def _sprung(self, when, hold):
        if hold:
            time.sleep(0.05)  # the answer may be on its way
            self.set(CUT)
            time.sleep(hold)
            self.set(PASS)
        self.tell({"sprung": self.name, "when": when})

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client):
        self.open.wait()
        try:
            server = socket.create_connection(("127.0.0.1", self.target), 5)
        except OSError:
            client.close()
            return
        pair = (client, server)
        for end in pair:
            end.settimeout(None)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.lock:
            self.pairs.add(pair)
            cut = self.mode == CUT
        if cut:
            self._end(pair)
            return
        watch = self.protocol(self)
        for source, sink, look in ((client, server, watch.request), (server, client, watch.answer)):
            threading.Thread(target=self._pump, args=(pair, source, sink, look), daemon=True).start()

    def _pump(self, pair, source, sink, look):
        try:
            over = False
            while not over:
                data = source.recv(1 << 18)
                if not data:
                    break
                self.open.wait()
                data, over = look(data)
                sink.sendall(data)
        except OSError:
            pass
        self._end(pair)

    def _end(self, pair):
        with self.lock:
            if pair not in self.pairs:
                return
            self.pairs.discard(pair)
        for end in pair:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class Resolver:
    """Names below the suffix are this machine; a silent one answers nothing."""

    def __init__(self, address, suffix):
        self.suffix = suffix.lower().split(".")
        self.silent = False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            data, asker = self.socket.recvfrom(4096)
            if not self.silent and len(data) > 12:
                self.socket.sendto(self._answer(data), asker)

    def _answer(self, data):
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode("ascii", "replace").lower())
            at += 1 + data[at]
        question = data[12:at + 5]
        ours = labels[-len(self.suffix):] == self.suffix
        address = ours and struct.unpack(">H", question[-4:-2])[0] == 1
        head = data[:2] + struct.pack(">HHHHH", 0x8580 | (0 if ours else 3), 1, int(address), 0, 0)
        record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 0, 4) + socket.inet_aton("127.0.0.1") if address else b""
        return head + question + record


def main():
    told = threading.Lock()

    def tell(what):
        with told:
            print(json.dumps(what), flush=True)

    links, resolver = {}, None
    for line in sys.stdin:
        order = json.loads(line)
        if "link" in order:
            protocol = {"postgres": Postgres, "kafka": Kafka}[order["protocol"]]
            links[order["link"]] = Link(order["link"], order["port"], order["target"], protocol, tell)
        elif "resolver" in order:
            resolver = Resolver(order["resolver"], order["suffix"])
        elif "silent_names" in order:
            resolver.silent = order["silent_names"]
        elif "trap" in order:
            link = links[order["trap"]]
            with link.lock:
                link.trap, link.hold = order["when"], order["hold"]
        elif "drop" in order:
            links[order["drop"]].drop()
        else:
            links[order["set"]].set(order["mode"])
        tell({"done": order})


class Between:
    """The program, and what to tell it."""

    def __init__(self):
        self.process = subprocess.Popen(["/usr/bin/python3", str(pathlib.Path(__file__).resolve())], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.answers, self.sprung = queue.Queue(), queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self.process.stdout:
            row = json.loads(line)
            (self.sprung if "sprung" in row else self.answers).put(row)

    def _order(self, **order):
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        self.answers.get(timeout=10)

    def link(self, name, port, target, protocol):
        self._order(link=name, port=port, target=target, protocol=protocol)

    def resolver(self, address, suffix):
        self._order(resolver=address, suffix=suffix)

    def set(self, mode, *names):
        for name in names:
            self._order(set=name, mode=mode)

    def drop(self, *names):
        for name in names:
            self._order(drop=name)

    def silence_names(self, silent):
        self._order(silent_names=silent)

    def cut_exchange(self, name, when, hold=0.0, timeout=60):
        """Cuts the next exchange; the link stays cut for hold seconds. True once it is over, False if no such exchange came."""
        self._order(trap=name, when=when, hold=hold)
        try:
            self.sprung.get(timeout=timeout)
            return True
        except queue.Empty:
            return False

    def close(self):
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait()


if __name__ == "__main__":
    main()
