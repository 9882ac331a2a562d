# SPDX-License-Identifier: Apache-2.0
"""Sign-ups of every kind, from a seed: the same seed makes the same requests."""
import random

SHARES = (  # of 1,000 records
    ("repeat", 100),     # an earlier request again, as a gateway does that saw no reply
    ("rival", 100),      # a new request for an identity that an earlier one asked for
    ("invalid", 40),
    ("malformed", 30),
    ("tombstone", 10),
    ("conflict", 10),    # an earlier request id with other content
    ("anonymous", 10),   # no request id at all
)
BROKEN = (b'{"email": "a@b.example",', b"", b"not json", b'["a"]', b'{"email": "x", "email": "y"}', b'{"email": "\xff"}',
          b'{"email": "a\\u0000b@c.example"}')
REASONS = ("malformed_json", "empty", "malformed_json", "not_an_object", "duplicate_key", "invalid_utf8", "invalid")


class Load:
    """Publishes one record at a time and notes what it must become."""

    def __init__(self, seed, gateway, topic, domain, partitions):
        self.random = random.Random(seed)
        self.gateway, self.topic, self.domain, self.partitions = gateway, topic, domain, partitions
        self.made = []  # good ones: (request id, body, partition, note)
        self.count = 0

    def _person(self):
        self.count += 1
        body = {"email": f"Person.{self.count}@{self.domain}", "password": f"violet tractor sings {self.random.getrandbits(40):x}",
                "given_name": "Ada", "locale": "en"}
        claims = [["email", f"person.{self.count}@{self.domain}"]]
        if self.random.random() < 0.3:
            body["username"] = f"Person_{self.count}"
            claims.append(["username", f"person_{self.count}"])
        if self.random.random() < 0.1:
            body["phone"] = f"+1555{self.count:07d}"
            claims.append(["phone", body["phone"]])
        return body, claims

    def _id(self):
        return f"{self.random.getrandbits(64):016x}-{self.count}"

    def _post(self, body, request_id, partition, note):
        return self.gateway.post(self.topic, body, request_id=request_id, key=request_id, partition=partition, note=note)

    def one(self):
        """Chooses and publishes the next record."""
        point = self.random.randrange(1000)
        for kind, share in SHARES:
            if point < share:
                return getattr(self, kind)() if self.made or kind not in ("repeat", "rival", "conflict") else self.good()
            point -= share
        return self.good()

    def good(self, person=None, request_id=True):
        body, claims = person or self._person()
        partition = self.random.randrange(self.partitions)
        name = self._id() if request_id else None
        note = {"class": "good", "claims": sorted(claims)}
        if request_id:
            self.made.append((name, body, partition, note))
        return self._post(body, name, partition, note)

    def anonymous(self):
        return self.good(request_id=False)

    def repeat(self):
        request_id, body, partition, note = self.random.choice(self.made[-200:])
        if self.random.random() < 0.5:  # a gateway whose partitioner changed, or a second gateway
            partition = self.random.randrange(self.partitions)
        return self._post(body, request_id, partition, note)

    def rival(self):
        _, body, _, note = self.random.choice(self.made[-200:])
        mine, claims = self._person()
        kind = self.random.choice([kind for kind, _ in note["claims"]])
        mine[kind] = body[kind].upper() if kind == "email" else body[kind]
        claims = [claim for claim in claims if claim[0] != kind] + [claim for claim in note["claims"] if claim[0] == kind]
        return self.good((mine, claims))

    def conflict(self):
        request_id, body, partition, _ = self.random.choice(self.made[-200:])
        return self._post({**body, "family_name": "Someone Else"}, request_id, partition, {"class": "conflict", "claims": []})

    def invalid(self):
        body, _ = self._person()
        body.update(self.random.choice([{"password": "short"}, {"email": "no address"}, {"birth_date": "2024-02-30"}, {"locale": "?"}]))
        return self._post(body, self._id(), self.random.randrange(self.partitions), {"class": "invalid", "reason": "invalid", "claims": []})

    def malformed(self):
        self.count += 1
        which = self.random.randrange(len(BROKEN))
        return self._post(BROKEN[which], self._id(), self.random.randrange(self.partitions),
                          {"class": "malformed", "reason": REASONS[which], "claims": []})

    def tombstone(self):
        self.count += 1
        return self.gateway.publish(self.topic, [], None, key=self._id(), partition=self.random.randrange(self.partitions),
                                    note={"class": "tombstone", "reason": "tombstone", "claims": []})
