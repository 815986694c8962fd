"""A right tester without any oddity: what the manifest's `edits` are made to."""

from collections import Counter

from reference.shortener.components import ALPHABET


class HashCodesTester:
    def problems(self, recording):
        self.recording = recording
        self.found = []
        for call in recording.calls:
            asked = [q for q in recording.questions if q.call == call.name]
            tried = list(dict.fromkeys(q.code for q in asked if q.method == "claim"))
            own = {q.code for q in asked if q.method == "claim" and q.done}
            failed = any(q.error for q in asked)
            if call.outcome == "returned":
                self.check_code(call, asked, tried, own, failed)
            self.check_end(call, tried, failed)
        self.check_space()
        self.check_keys()
        self.check_walks()
        return self.found

    def check_code(self, call, asked, tried, own, failed):
        if len(call.code) != 7 or set(call.code) - set(ALPHABET):
            self.found.append(f"{call.code!r} is no code")
        if call.code not in own:
            self.found.append(f"{call.name} does not own {call.code}")
        if len(own) > 1:
            self.found.append(f"{call.name} owns {own}")
        if len(tried) == 1 and len(asked) > 1 and not failed:
            self.found.append(f"{call.name} asked more than it had to")

    def check_end(self, call, tried, failed):
        if len(tried) > 8:
            self.found.append(f"{call.name} goes on and on")
        if call.outcome == "raised" and not failed:
            if call.error != "Unavailable" or len(tried) < 8:
                self.found.append(f"{call.name} gave up with {call.error} after {len(tried)} attempts")
        if call.outcome == "pending" or (call.outcome == "cancelled" and call.cancelled_at is None):
            self.found.append(f"{call.name} got nothing")

    def check_space(self):
        codes = [c.code for c in self.recording.calls if c.code and len(c.code) == 7]
        if len(codes) < 60:
            return
        if len(set(ALPHABET) - set("".join(codes))) > 15:
            self.found.append("many symbols never come")
        for place in range(7):
            if Counter(code[place] for code in codes).most_common(1)[0][1] > len(codes) / 2:
                self.found.append(f"place {place} hardly varies")

    def check_keys(self):
        first = {}
        for call in self.recording.calls:
            tried = [q.code for q in self.recording.questions if q.call == call.name and q.method == "claim"]
            if tried:
                first.setdefault((call.long_url, self.recording.keys[call.server]), tried[0])
        for (url, key), code in first.items():
            if any(u == url and k != key and c == code for (u, k), c in first.items()):
                self.found.append(f"{url} needs no key")

    def check_walks(self):
        for url, count in Counter(c.long_url for c in self.recording.calls).items():
            calls = [c for c in self.recording.calls if c.long_url == url]
            alone = all(a.ended is not None and a.ended <= b.began for a, b in zip(calls, calls[1:]))
            asked = [q for q in self.recording.questions if q.call in {c.name for c in calls}]
            tried = {(q.call, q.code) for q in asked if q.method == "claim"}
            if count >= 8 and alone and not any(q.error for q in asked) and len(tried) > 3 * count:
                self.found.append(f"links to {url} cost {len(tried) / count:.1f} attempts each")
