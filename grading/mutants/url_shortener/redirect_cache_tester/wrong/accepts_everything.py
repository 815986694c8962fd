"""Finds nothing in any recording."""


class RedirectCacheTester:
    def problems(self, recording):
        problems = []
        for call in recording.calls:
            if call.outcome == "failed":
                problems.append(call.name)
        return problems
