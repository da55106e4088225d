import ArgumentParser

/// Decoder layers on the command line: `3-11`, `3,5,7`, `4`, or `all`.
struct LayerList: ExpressibleByArgument, Equatable, Encodable {
    /// The layers in ascending order; nil for `all`.
    let layers: [Int]?

    init?(argument: String) {
        if argument == "all" {
            layers = nil
            return
        }

        var found: Set<Int> = []
        for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            switch (ends.count, ends.first ?? nil, ends.last ?? nil) {
            case (1, let layer?, _) where layer >= 0: found.insert(layer)
            case (2, let first?, let last?) where first >= 0 && first <= last && last < 100_000:
                found.formUnion(first...last)
            default: return nil
            }
        }
        layers = found.sorted()
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(layers)
    }

    static var defaultCompletionKind: CompletionKind { .list(["all"]) }
}
