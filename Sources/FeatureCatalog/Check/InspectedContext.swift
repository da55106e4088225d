import GRDB

/// A row of `feature_context`, checked against its feature, its passage and its neighbours.
struct InspectedContext {
    let band: Int
    let rank: Int
    let passage: Int64
    let position: Int
    let layer: Int
    let routerWeight: Double?
    let activation: Double
    let split: Int?
    let otherActivations: String?

    /// Takes the row that `rows` stands at, behind the three columns of its feature.
    init(_ rows: BulkRead) throws {
        band = try rows.integer(3)
        rank = try rows.integer(4)
        passage = Int64(try rows.integer(5))
        position = try rows.integer(6)
        layer = try rows.integer(7)
        routerWeight = try rows.optionalReal(8)
        activation = try rows.real(9)
        split = try rows.optionalInteger(10)
        otherActivations = try rows.optionalText(11)
    }

    /// The tokens of the passage that the context shows; nil if it lies outside its passage.
    func window(_ index: InspectedIndex, _ passages: InspectedPassages) -> Range<Int>? {
        guard let count = passages[passage]?.tokenCount, count < Int.max / 2, position >= 0, position < count,
            index.window > 0
        else { return nil }
        return ContextWindow.range(around: position, in: count, length: min(index.window, count))
    }

    /// Contradictions of a feature's contexts, in the table's order; the first of each kind.
    static func contradictions(
        _ contexts: [InspectedContext], _ feature: FeatureFigures, _ index: InspectedIndex,
        _ dictionary: InspectedDictionary, _ passages: InspectedPassages
    ) -> [String] {
        var found: [String] = []
        func first(_ isWrong: (InspectedContext) -> Bool, _ reason: (InspectedContext) -> String) {
            if let context = contexts.first(where: isWrong) { found.append(reason(context)) }
        }
        first({ !dictionary.layers.contains($0.layer) }) {
            "one is of layer \($0.layer), which the dictionary does not read"
        }
        first({ !($0.routerWeight ?? 0 >= 0 && $0.routerWeight ?? 0 <= 1 + 1e-6) }) {
            "a router_weight is \(FeatureFigures.shown($0.routerWeight))"
        }
        if let least = dictionary.leastRouterWeight {
            first({ $0.routerWeight ?? 1 < least }) {
                "a router_weight is \(FeatureFigures.shown($0.routerWeight)), and that of the layer chosen is at least "
                    + FeatureFigures.shown(least)
            }
        }
        first({ $0.band != 2 && !($0.activation <= feature.maximum ?? -.infinity) }) {
            "one has \(Float($0.activation)), and max_activation is \(FeatureFigures.shown(feature.maximum))"
        }
        if index.isIndexed, let top = contexts.first, top.band == 0, top.rank == 0, top.activation != feature.maximum {
            found.append(
                "the strongest has \(Float(top.activation)), and max_activation is "
                    + FeatureFigures.shown(feature.maximum))
        }
        first({ passages[$0.passage]?.corpusID != index.key.corpusID }) {
            "passage \($0.passage) is not of the corpus"
        }
        first({ $0.position < 0 || $0.position >= passages[$0.passage]?.tokenCount ?? .max }) {
            "position \($0.position) is outside of passage \($0.passage)"
        }
        for (one, next) in zip(contexts, contexts.dropFirst()) where one.band == 0 && next.band == 0 {
            guard next.activation > one.activation else { continue }
            found.append("the strongest are not in the order of their activations")
            break
        }
        found += rankContradiction(contexts).map { [$0] } ?? []
        found += sharingContradiction(contexts).map { [$0] } ?? []
        return found
    }

    private static func rankContradiction(_ contexts: [InspectedContext]) -> String? {
        var (band, rank) = (-1, 0)
        for context in contexts {
            if context.band != band { (band, rank) = (context.band, 0) }
            if context.rank != rank { return "rank \(context.rank) stands where \(rank) should" }
            rank += 1
        }
        return nil
    }

    /// What triggers also enforce: two contexts of a token, and splits that share a passage.
    private static func sharingContradiction(_ contexts: [InspectedContext]) -> String? {
        // Small parts of them, since to sort is to move.
        let sorted = contexts.map { (passage: $0.passage, position: $0.position, split: $0.split) }.sorted {
            $0.passage != $1.passage ? $0.passage < $1.passage : $0.position < $1.position
        }

        var split: Int?
        for (place, context) in sorted.enumerated() {
            if place > 0, sorted[place - 1].passage == context.passage {
                if sorted[place - 1].position == context.position { return "two are of one token" }
                if let split, let other = context.split, split != other {
                    return "explain and score contexts share a stretch of text"
                }
                split = context.split ?? split
            } else {
                split = context.split
            }
        }
        return nil
    }
}
