import ActivationPipeline
package import SparseCoding

/// How much memory an evaluation holds at its peak, from the sizes alone.
///
/// In 32-bit numbers, with d the width of the residual stream, m latents, L layers, D the autoencoder's input width (L·d
/// for a crosscoder, d otherwise), T tokens and n samples of a batch (T·L for an MLSAE, T otherwise), V values that
/// replace a token's activations (L where all layers are written, 1 otherwise) and w workers:
///
/// - what all share: the streams, T · (L_model + 2) · d, and logits, 2 · 2²⁴ at most;
/// - each dictionary: weights 2·m·D + D + m, with a router L·d more; inputs and what goes with them n · (D + 2·L + 4),
///   with a router T·d more; latents 2·n·k, without k 2·n·m; replacements T · V · d and the stream they stand in, T · d;
///   and the sums of `EvaluationUnits.limit` documents, doubles, a vector of width D for each layer and for all, twice;
/// - while one is read: tiles of pre-activations, w · 259·m;
/// - where coverage is asked, each dictionary (m + 1) · C, with C the width of all covered layers, and what all share
///   C · min(T_fitted, 16384) and while one is solved w · 512·(m + 1).
///
/// The language model's own weights are not counted: they stay in the file, and are widened layer by layer.
package struct EvaluationMemory {
    /// Numbers that may be held for dictionaries that share a pass of the unchanged model, unless one alone needs more:
    /// half a gigabyte, since sharing saves at most half of the passes.
    package static let together = 0x1p27

    /// Tokens of a batch.
    package let tokens: Int
    /// Workers that run it.
    package let workers: Int
    /// Width of all layers that coverage predicts; 0 where it is not asked.
    let coveredWidth: Double
    /// What all dictionaries share.
    package let shared: Double

    /// - Parameters:
    ///   - layers: decoder layers of the model.
    ///   - tokens: of a batch.
    ///   - covered: layers that coverage predicts.
    package init(layers: Int, dModel: Int, tokens: Int, workers: Int, covered: Int = 0) {
        self.tokens = tokens
        self.workers = workers
        coveredWidth = Double(covered) * Double(dModel)
        shared = Double(tokens) * Double(layers + 2) * Double(dModel) + 0x1p25 + 0x1p14 * coveredWidth
    }

    /// Memory of one dictionary, in 32-bit numbers.
    package func floats(_ configuration: DictionaryConfiguration) -> Double {
        let (d, m, width, layers, tokens) = (
            Double(configuration.dModel), Double(configuration.latents), Double(configuration.inputWidth),
            Double(configuration.layers.count), Double(tokens)
        )
        let samples = tokens * Double(configuration.samplesPerToken)
        let values = Double(Substitution.valuesPerToken(configuration))
        var floats = 2 * m * width + width + m
        if configuration.routes { floats += layers * d + tokens * d }
        floats += samples * (width + 2 * layers + 4)
        floats += 2 * samples * (configuration.k.map { Double($0) } ?? m)
        floats += tokens * (values + 1) * d
        floats += 2 * 2 * Double(EvaluationUnits.limit) * (layers + 1) * width
        if coveredWidth > 0 { floats += (m + 1) * coveredWidth + Double(workers) * 512 * (m + 1) }
        return floats + Double(workers) * 259 * m
    }

    /// Divides dictionaries, in their order, into groups that go through the text together.
    ///
    /// - Parameter most: dictionaries of a group.
    /// - Returns: the groups, as ranges of places.
    package func groups(of configurations: [DictionaryConfiguration], most: Int = 16) -> [Range<Int>] {
        var groups: [Range<Int>] = []
        var held = Double.infinity
        for (place, configuration) in configurations.enumerated() {
            let own = floats(configuration)
            if held + own > Self.together || groups[groups.count - 1].count == most {
                groups.append(place..<place)
                held = 0
            }
            groups[groups.count - 1] = groups[groups.count - 1].lowerBound..<place + 1
            held += own
        }
        return groups
    }

    /// Checks that the machine has enough for the largest group.
    ///
    /// - Throws: `WorkflowError.refused` saying how much is needed and how much there is.
    func check(_ groups: [Range<Int>], of configurations: [DictionaryConfiguration]) throws(WorkflowError) {
        let largest = groups.map { $0.reduce(0) { $0 + floats(configurations[$1]) } }.max() ?? 0
        try MemoryBudget.machine.check(
            floats: shared + largest, for: "evaluating", advice: "evaluate it on a machine with more")
    }
}
