import LanguageModel

extension ModelFolder {
    /// Tokens of the largest batch that is given to a model at once.
    private static let batchTokens = 8192

    /// Checks that a model and one pass fit into memory, before the weights are read.
    ///
    /// - Throws: `WorkflowError.refused`; what `LanguageModelConfiguration` throws.
    static func checkMemory(directory: String, residency: WeightResidency) throws {
        let model = try LanguageModelConfiguration(path: directory + "/config.json")
        try MemoryBudget.machine.check(
            floats: floats(model, residency), for: "the model in \(directory)",
            advice: "take a smaller model or a larger machine")
    }

    /// Whether a model's weights are kept in memory unless something else is asked for.
    static func isResident(_ model: LanguageModelConfiguration) -> Bool {
        model.parameterCount < (1 << 30) / MemoryLayout<Float>.size
    }

    /// How many 32-bit numbers a model and one pass hold at once, weights counted as f32.
    static func floats(_ model: LanguageModelConfiguration, _ residency: WeightResidency) -> Double {
        let parameters = Double(model.parameterCount)
        let isResident =
            switch residency {
            case .resident: true
            case .streamed: false
            case .automatic: isResident(model)
            }
        // Streamed weights: one layer and one block of the unembedding are in memory at a time.
        let weights = isResident ? parameters : parameters / Double(max(model.layerCount, 1))
        let heads = Double((2 * model.queryHeads + 4 * model.keyValueHeads) * model.headDimension)
        return weights + Double(Self.batchTokens) * (2 * Double(model.dModel) + heads)
    }
}
