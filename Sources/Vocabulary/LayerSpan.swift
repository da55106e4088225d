/// Decoder layers in short form.
package enum LayerSpan {
    /// Layers, ascending, with neighbours drawn together: `1-5`, `3,5,7`, `0-2,6`.
    ///
    /// - Parameters:
    ///   - layers: in any order.
    ///   - dash: between the first and the last of neighbours.
    ///   - separator: between the stretches.
    package static func text(of layers: [Int], dash: String = "-", separator: String = ",") -> String {
        var runs: [ClosedRange<Int>] = []
        for layer in Set(layers).sorted() {
            if let last = runs.last, last.upperBound != .max, layer == last.upperBound + 1 {
                runs[runs.count - 1] = last.lowerBound...layer
            } else {
                runs.append(layer...layer)
            }
        }
        return runs.map {
            $0.lowerBound == $0.upperBound ? "\($0.lowerBound)" : "\($0.lowerBound)\(dash)\($0.upperBound)"
        }.joined(separator: separator)
    }
}
