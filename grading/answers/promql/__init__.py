"""A part of PromQL, the language of Prometheus, over samples that were recorded once a second.

    lexer      text -> tokens, each with its place
    syntax     what an expression is made of
    parser     tokens -> syntax, types checked; what is wrong is said with line and column
    patterns   regular expressions of matchers, in linear time
    values     what an expression comes to: a number, or a value for each set of labels, at every second
    windows    functions of a range, such as rate
    matching   operators between two vectors
    functions  histogram_quantile and the others
    evaluate   syntax and samples -> values

The rules are those of Prometheus 2: a range is closed at both ends, and a series ends with the first scrape that does
not have it (Prometheus marks it stale). So an expression comes to the same there; a test
has Prometheus' own tool say so.
"""
