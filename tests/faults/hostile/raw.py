# SPDX-License-Identifier: Apache-2.0
"""A producer that writes any bytes at all: header names that are no text, names with NULs, no key, any time. Python's clients refuse these."""
import ctypes
import ctypes.util

P, C = ctypes.c_void_p, ctypes.c_char_p
OK, QUEUE_FULL, MSG_F_COPY = 0, -184, 2
END, TOPIC, PARTITION, VALUE, KEY, OPAQUE, FLAGS, TIMESTAMP, HEADERS = 0, 1, 3, 4, 5, 6, 7, 8, 10  # rd_kafka_vtype_t


class _Bytes(ctypes.Structure):
    _fields_ = [("at", C), ("size", ctypes.c_size_t)]


class _Value(ctypes.Union):
    _fields_ = [("text", C), ("i", ctypes.c_int), ("i32", ctypes.c_int32), ("i64", ctypes.c_int64), ("bytes", _Bytes), ("pointer", P),
                ("pad", ctypes.c_char * 64)]


class _Argument(ctypes.Structure):  # rd_kafka_vu_t
    _fields_ = [("kind", ctypes.c_int), ("value", _Value)]


class _Message(ctypes.Structure):  # rd_kafka_message_t
    _fields_ = [("error", ctypes.c_int), ("topic", P), ("partition", ctypes.c_int32), ("payload", P), ("size", ctypes.c_size_t),
                ("key", P), ("key_size", ctypes.c_size_t), ("offset", ctypes.c_int64), ("opaque", P)]


REPORT = ctypes.CFUNCTYPE(None, P, ctypes.POINTER(_Message), P)


def _library():
    found = ctypes.CDLL(ctypes.util.find_library("rdkafka") or "librdkafka.so.1")
    for name, result, *arguments in (
            ("rd_kafka_conf_new", P), ("rd_kafka_conf_set", ctypes.c_int, P, C, C, C, ctypes.c_size_t),
            ("rd_kafka_conf_set_dr_msg_cb", None, P, REPORT), ("rd_kafka_new", P, ctypes.c_int, P, C, ctypes.c_size_t),
            ("rd_kafka_headers_new", P, ctypes.c_size_t), ("rd_kafka_headers_destroy", None, P),
            ("rd_kafka_header_add", ctypes.c_int, P, C, ctypes.c_ssize_t, C, ctypes.c_ssize_t),
            ("rd_kafka_produceva", P, P, ctypes.POINTER(_Argument), ctypes.c_size_t), ("rd_kafka_error_code", ctypes.c_int, P),
            ("rd_kafka_error_destroy", None, P), ("rd_kafka_poll", ctypes.c_int, P, ctypes.c_int),
            ("rd_kafka_flush", ctypes.c_int, P, ctypes.c_int), ("rd_kafka_destroy", None, P), ("rd_kafka_err2name", C, ctypes.c_int)):
        function = getattr(found, name)
        function.restype, function.argtypes = result, arguments
    return found


class RawProducer:
    """Publishes and learns each record's offset."""

    def __init__(self, bootstrap):
        self.lib = _library()
        conf = self.lib.rd_kafka_conf_new()
        text = ctypes.create_string_buffer(256)
        for name, value in (("bootstrap.servers", bootstrap), ("enable.idempotence", "true"), ("linger.ms", "5"), ("log_level", "0"),
                            ("message.max.bytes", "4000000"), ("queue.buffering.max.messages", "20000")):
            if self.lib.rd_kafka_conf_set(conf, name.encode(), value.encode(), text, len(text)) != 0:
                raise RuntimeError(text.value.decode())
        self.report = REPORT(self._reported)  # kept: the library calls it later
        self.lib.rd_kafka_conf_set_dr_msg_cb(conf, self.report)
        self.handle = self.lib.rd_kafka_new(0, conf, text, len(text))
        if not self.handle:
            raise RuntimeError(text.value.decode())
        self.waiting = {}
        self.count = 0
        self.failed = []

    def _reported(self, _handle, message, _opaque):
        sent, done = self.waiting.pop(message[0].opaque)
        if message[0].error:
            self.failed.append((sent, self.lib.rd_kafka_err2name(message[0].error).decode()))
        else:
            done(sent, message[0].partition, message[0].offset)

    def _headers(self, pairs):
        headers = self.lib.rd_kafka_headers_new(len(pairs))
        for name, value in pairs:
            error = self.lib.rd_kafka_header_add(headers, name, len(name), value, 0 if value is None else len(value))
            if error:
                raise RuntimeError(self.lib.rd_kafka_err2name(error).decode())
        return headers

    def send(self, sent, topic, partition, headers, key, value, timestamp, done):
        """headers: pairs of bytes, a value may be None. timestamp: milliseconds, 0 for now. done(sent, partition, offset) is called later."""
        self.count += 1
        self.waiting[self.count] = (sent, done)
        made = self._headers(headers)
        arguments = (_Argument * 8)()
        for argument, (kind, field, content) in zip(arguments, (
                (TOPIC, "text", topic.encode()), (PARTITION, "i32", partition),
                (KEY, "bytes", _Bytes(key, len(key or b""))), (VALUE, "bytes", _Bytes(value, len(value or b""))),
                (HEADERS, "pointer", made), (TIMESTAMP, "i64", timestamp), (FLAGS, "i", MSG_F_COPY), (OPAQUE, "pointer", self.count))):
            argument.kind = kind
            setattr(argument.value, field, content)
        while True:
            error = self.lib.rd_kafka_produceva(self.handle, arguments, len(arguments))
            if not error:
                break
            code = self.lib.rd_kafka_error_code(error)
            self.lib.rd_kafka_error_destroy(error)
            if code != QUEUE_FULL:
                self.lib.rd_kafka_headers_destroy(made)
                raise RuntimeError(f"not published: {self.lib.rd_kafka_err2name(code).decode()}")
            self.lib.rd_kafka_poll(self.handle, 50)
        if self.count % 100 == 0:
            self.lib.rd_kafka_poll(self.handle, 0)

    def flush(self, seconds=60):
        """Waits for all acknowledgements; raises if one is missing."""
        self.lib.rd_kafka_flush(self.handle, seconds * 1000)
        if self.failed or self.waiting:
            raise RuntimeError(f"{len(self.waiting)} records are not acknowledged, {len(self.failed)} were refused: {self.failed[:3]}")

    def close(self):
        self.lib.rd_kafka_destroy(self.handle)
