package import Testing

/// Records an issue unless every element of `actual` is close to its partner in `expected`:
/// `|a − e| ≤ absolute + relative · max|e|`. The issue names the worst element.
///
/// The scale is the largest magnitude of the expected array rather than of each element, because round-off in a
/// matrix product is relative to the terms that were summed and not to what is left of them.
package func expectClose(
    _ actual: [Float],
    _ expected: [Float],
    relative: Float = 1e-5,
    absolute: Float = 0,
    _ label: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) {
    guard actual.count == expected.count else {
        Issue.record("\(label): \(actual.count) elements, expected \(expected.count)", sourceLocation: sourceLocation)
        return
    }

    let scale = expected.reduce(Float(0)) { max($0, abs($1)) }
    let bound = absolute + relative * scale
    var worst = (index: -1, error: Float(-1))
    for index in actual.indices {
        let error = abs(actual[index] - expected[index])
        // A NaN compares false with everything, so it is asked for by name.
        if error.isNaN { worst = (index, .infinity) } else if error > worst.error { worst = (index, error) }
    }
    if worst.error > bound {
        Issue.record(
            """
            \(label): element \(worst.index) is \(actual[worst.index]), expected \(expected[worst.index]); \
            error \(worst.error) exceeds \(bound)
            """,
            sourceLocation: sourceLocation
        )
    }
}
