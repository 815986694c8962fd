"""Looks for codes that are None, which no recording holds."""


class HashCodesTester:
    def problems(self, recording):
        return [call.name for call in recording.calls if call.outcome == "returned" and call.code is None]
