extension LayerList {
    /// Ascending layers in short form: `1-5`, `3,5,7`, `0-2,6`.
    static func text(of layers: [Int]) -> String {
        var runs: [ClosedRange<Int>] = []
        for layer in layers {
            if let last = runs.last, layer == last.upperBound + 1 {
                runs[runs.count - 1] = last.lowerBound...layer
            } else {
                runs.append(layer...layer)
            }
        }
        return runs.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            .joined(separator: ",")
    }
}
