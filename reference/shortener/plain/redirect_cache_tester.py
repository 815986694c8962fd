"""Plain filling of `url-shortener/redirect-cache-tester`: was what was answered ever true?

Right, and far too mild: an answer that was true an hour ago passes for ever, and who got none is not looked at.
"""

from __future__ import annotations

from reference.shortener.components import Answer, RedirectRecording


class RedirectCacheTester:
    def problems(self, recording: RedirectRecording) -> list[str]:
        found = []
        for call in recording.calls:
            if call.answer is None:
                continue
            right = [Answer("unknown")]
            for link in recording.links:
                if link.code == call.code:
                    right = [Answer("live", link.long_url), Answer("expired")]
                    if link.created > 0 or link.deleted is not None:
                        right.append(Answer("unknown"))
            if call.answer not in right:
                found.append(f"{call.name} got {call.answer}, which was never true for {call.code}")
        return found
