import LanguageModel

extension LanguageModelConfiguration {
    /// The parts of the configuration that change the computation, as text. Digests of it are in catalogs, so what a
    /// Llama has stays as it is, and everything else is a line of its own that is there only where it departs from that.
    var computation: String {
        let windows = layers.map { $0.window.map(String.init) ?? "all" }.joined(separator: ",")
        let rotary = rotaries.last
        let usual = """
            architecture \(family.rawValue)
            sizes \(vocabularySize) \(dModel) \(dFeedForward) \(layerCount)
            heads \(queryHeads) \(keyValueHeads) \(headDimension)
            positions \(maximumPositions)
            norm \(normEpsilon)
            rotary \(rotary.map { "\($0.theta) \($0.scaling)" } ?? "none")
            tied \(tiesEmbeddings)
            biases \(biasesQueriesKeysValues) \(biasesAttentionOutput) \(biasesFeedForward)
            normalised queries and keys \(queryKeyNorm != .none)
            windows \(windows)

            """
        return usual + departures.map { $0 + "\n" }.joined()
    }

    /// In what the computation departs from that of a Llama.
    private var departures: [String] {
        var lines: [String] = []
        func note(_ name: String, _ value: some Any, unless isUsual: Bool) {
            if !isUsual { lines.append("\(name) \(value)") }
        }

        note(
            "norms", "\(norm) \(normParameters) \(addsOneToNorms)",
            unless: norm == .rootMeanSquare && normParameters == .weight && !addsOneToNorms)
        note("block", block, unless: block == DecoderBlock())
        note("query and key norms", queryKeyNorm, unless: queryKeyNorm != .allHeads)
        note("activation", "\(activation) \(isGated)", unless: activation == .silu && isGated)
        note("unembedding bias", true, unless: !biasesUnembedding)
        note("learned positions", learnedPositions ?? 0, unless: learnedPositions == nil)
        note("embedding scale", embeddingScale, unless: embeddingScale == 1)
        note("residual scale", residualScale, unless: residualScale == 1)
        note("logit scale", logitScale, unless: logitScale == 1)
        note("projection limit", projectionLimit ?? 0, unless: projectionLimit == nil)
        note("score cap", scoreCap ?? 0, unless: scoreCap == nil)
        note("logit cap", logitCap ?? 0, unless: logitCap == nil)

        let isWhole = rotaries.count == 1 && rotaries[0].dimension == headDimension && !rotaries[0].pairsNeighbours
        let details = rotaries.map { "\($0.dimension) \($0.theta) \($0.scaling) \($0.pairsNeighbours)" }
        note("rotaries", details.joined(separator: "; "), unless: isWhole)
        let turned = layers.map { $0.rotary.map(String.init) ?? "none" }
        note("turned by", turned.joined(separator: ","), unless: turned.allSatisfy { $0 == "0" })
        let scales = layers.map { "\($0.scoreScale)" }
        let usualScale = 1 / Float(headDimension).squareRoot()
        note("score scales", scales.joined(separator: ","), unless: layers.allSatisfy { $0.scoreScale == usualScale })
        return lines
    }
}
