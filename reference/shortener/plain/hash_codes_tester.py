"""Plain filling of `url-shortener/hash-codes-tester`: is the code that a call returned its own?

Right, and it looks at nothing else.
"""

from __future__ import annotations

from reference.shortener.components import CodesRecording


class HashCodesTester:
    def problems(self, recording: CodesRecording) -> list[str]:
        found = []
        for call in recording.calls:
            own = [
                question.code
                for question in recording.questions
                if question.call == call.name and question.method == "claim" and question.done
            ]
            if call.outcome == "returned" and call.code not in own:
                found.append(f"{call.name} got {call.code}, which no claim of its own was granted")
        return found
