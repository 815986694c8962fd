"""A right tester without any oddity: what the manifest's `edits` are made to."""

from math import inf

from reference.shortener.components import DELETION_BOUND, Answer


class RedirectCacheTester:
    def problems(self, recording):
        self.recording = recording
        self.found = []
        for call in recording.calls:
            self.check(call)
        self.check_queries()
        for look in recording.looks:
            for key, left in look.lives.items():
                if left is None or left > recording.ttl + 0.001:
                    self.found.append(f"{key} lives too long")
        return self.found

    def check(self, call):
        if call.outcome == "pending" or (call.outcome == "cancelled" and call.cancelled_at is None):
            self.found.append(f"{call.name} got no answer")
        if call.outcome == "raised" and not self.may_raise(call):
            self.found.append(f"{call.name} raised {call.error}")
        if call.outcome == "returned" and call.method == "resolve":
            if call.answer not in self.right(call):
                self.found.append(f"{call.name} got {call.answer}")
            self.check_age(call)

    def may_raise(self, call):
        if call.method == "invalidate":
            return any(
                o.of == "cache" and o.began <= call.ended and call.began <= o.ended
                for o in self.recording.outages
            )
        return call.error in ("Unavailable", "TimedOut") and any(q.error for q in self.queries(call))

    def right(self, call):
        right, since = [], self.since(call)
        links = [link for link in self.recording.links if link.code == call.code]
        if not links:
            return [Answer("unknown")]
        for link in links:
            gone = inf if link.deleted is None else link.deleted
            if link.created > since or gone <= call.ended:
                right.append(Answer("unknown"))
            if link.created <= call.ended and gone > since:
                if call.began < link.expires + 0.001:
                    right.append(Answer("live", link.long_url))
                if link.expires <= call.ended + 0.001:
                    right.append(Answer("expired"))
        return right

    def since(self, call):
        since = 0.0
        for changed in self.changes(call.code):
            for told in self.recording.calls:
                if told.method == "invalidate" and told.code == call.code and told.outcome == "returned":
                    if told.began >= changed and told.ended + DELETION_BOUND <= call.began:
                        since = max(since, changed)
        return since

    def changes(self, code):
        links = [link for link in self.recording.links if link.code == code]
        return [t for link in links for t in (link.created, link.deleted) if t]

    def queries(self, call):
        end = inf if call.ended is None else call.ended
        return [
            q
            for q in self.recording.queries
            if q.server == call.server
            and q.code == call.code
            and q.sent <= end
            and (q.answered is None or q.answered >= call.began)
        ]

    def check_age(self, call):
        limit = 60.0 if call.answer.state == "unknown" else self.recording.ttl
        sent = [q.sent for q in self.recording.queries if q.code == call.code and not q.error]
        if not any(call.began - limit - 0.001 <= t <= call.ended for t in sent):
            self.found.append(f"{call.name} got an answer that is too old")

    def check_queries(self):
        resolves = [c for c in self.recording.calls if c.method == "resolve"]
        for call in resolves:
            end = inf if call.ended is None else call.ended
            if any(o.began <= end and call.began <= o.ended + 3 for o in self.recording.outages):
                continue
            sent = [q for q in self.queries(call) if call.began <= q.sent]
            together = [
                c for c in resolves if (c.server, c.code, c.began) == (call.server, call.code, call.began)
            ]
            if len(together) > 1 and len(sent) > 1 and all(c.cancelled_at is None for c in together):
                self.found.append(f"{call.name} came with others, and {len(sent)} queries were sent")
            if sent and any(self.just_asked(call, c) for c in resolves if c.outcome == "returned"):
                self.found.append(f"{call.name} sent a query for what was just answered")

    def just_asked(self, call, earlier):
        if earlier.code != call.code or not 1.5 <= call.began - earlier.ended <= 3:
            return False
        for told in self.recording.calls:
            if told.method == "invalidate" and told.code == call.code and told.began <= call.ended:
                return False
        expiries = [link.expires for link in self.recording.links if link.code == call.code]
        return not any(earlier.began - 0.001 <= t <= call.ended + 3 for t in expiries) and not any(
            earlier.began <= t <= call.ended for t in self.changes(call.code)
        )
