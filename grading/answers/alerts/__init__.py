"""Alert rules as an answer, judged by what they say of recorded runs."""
