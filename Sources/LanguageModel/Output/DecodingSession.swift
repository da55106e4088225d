package import LinearAlgebra
package import Tokenization

/// A growing sequence with a KV cache, so that each further token costs one token's
/// arithmetic and one reading of the weights instead of a pass over the whole sequence.
///
/// Any number of tokens may be appended at once: a prompt in one pass, generated tokens one by one.
/// Results equal those of `LanguageModel.logits` and `residualStreams` for the whole sequence, bit for bit, however it
/// was divided.
///
/// Used by one thread at a time. It holds 2 · keyValueHeads · headDimension numbers a position and layer, f32 or bf16 as the
/// model's products are.
package final class DecodingSession {
    /// The model.
    package let model: LanguageModel
    /// The most tokens that the sequence can have.
    package let capacity: Int
    /// The tokens of the sequence so far.
    package private(set) var tokens: [TokenID] = []

    /// The KV cache of each layer. It grows with the sequence, as the capacity may be far more than is ever used.
    private var kept: [AttentionMemory]
    /// Tokens that there is room for.
    private var reserved: Int
    /// Which rotary frequencies the KV cache was computed with; nil while it holds nothing whole.
    private var keptFrequencies: [RotaryEmbedding.Variant]?
    /// All layers, if their weights are in memory; nil before the first pass with the present KV caches.
    private var resident: [LayerStep]?
    /// Scratch memory of the last pass, reused for the same number of tokens.
    private var scratch: ForwardScratch?

    /// The result of appending tokens.
    package struct Step {
        /// The residual streams after the layers asked for, of the tokens that were run: from `firstPosition` on.
        package let streams: ResidualStreams
        /// The position of the first token that was run: of the first one appended, or 0 where the sequence was run again.
        package let firstPosition: Int
        /// Next-token logits `[1 × vocabularySize]` of the last token, or `[tokens × vocabularySize]` of all.
        package let logits: Matrix
    }

    /// Begins an empty sequence.
    ///
    /// - Parameter capacity: the most tokens it will have; all of the model's positions if nil.
    /// - Throws: `LanguageModelError.sequenceTooLong` if that is more than the model takes.
    package init(_ model: LanguageModel, capacity: Int? = nil) throws(LanguageModelError) {
        let configuration = model.configuration
        let capacity = max(capacity ?? configuration.maximumPositions, 0)
        guard capacity <= configuration.maximumPositions else {
            throw .sequenceTooLong(index: 0, length: capacity, maximum: configuration.maximumPositions)
        }
        self.model = model
        self.capacity = capacity
        reserved = min(capacity, Self.firstReserve)
        kept = (0..<configuration.layerCount).map { [reserved] _ in
            AttentionMemory(model: configuration, slots: reserved, precision: model.precision)
        }
    }

    /// Appends tokens and runs them through the model.
    ///
    /// Where the frequencies of the model's positions depend on a sequence's length (`longrope`, `dynamic`), a sequence
    /// that grows beyond such a length is run again from its beginning; `editing` then gets the streams of all its tokens,
    /// and the result has them. `firstPosition(appending:)` tells before.
    ///
    /// - Parameters:
    ///   - new: the tokens; at least one.
    ///   - layers: the layers whose residual streams are wanted, in the order wanted in the result.
    ///   - rows: whether logits are wanted of the last token appended or of all.
    ///   - editing: called after every layer with the streams of the appended tokens, `[new.count × dModel]`; its
    ///     changes are read by later layers, now and for all later tokens.
    /// - Throws: `LanguageModelError.emptySequence`, `.sequenceTooLong` beyond `capacity`, `.tokenOutOfRange`,
    ///   `.noSuchLayer`, `.nonFiniteWeight`, and what `editing` throws; the sequence is then as it was.
    package func append(
        _ new: [TokenID], layers: [Int] = [], logits rows: LogitRows = .lastOfEachSequence,
        editing: ResidualEdit? = nil
    ) throws -> Step {
        let configuration = model.configuration
        let batch = try TokenBatch(sequences: [new])
        let length = tokens.count + new.count
        guard length <= capacity else {
            throw LanguageModelError.sequenceTooLong(index: 0, length: length, maximum: capacity)
        }
        try batch.check(against: configuration)
        for layer in layers where !(0..<configuration.layerCount).contains(layer) {
            throw LanguageModelError.noSuchLayer(layer: layer, layerCount: configuration.layerCount)
        }

        reserve(length)
        if model.weights.isResident, resident == nil {
            var none: LayerScratch?
            resident = try (0..<configuration.layerCount).map { try step($0, scratch: &none) }
        }
        let past = firstPosition(appending: new.count)
        let run = Array(tokens[past...]) + new
        let scratch = scratch(for: run.count)
        let pass = DecoderPass(
            model: configuration, continuing: past, by: run.count, workers: model.workers, scratch: scratch)
        let d = configuration.dModel
        let again = run.count - new.count
        let streams = Matrix(rows: run.count, columns: layers.count * d)
        try model.weights.embed(run, at: pass.positions, into: pass.residual)
        if again > 0 { keptFrequencies = nil }
        // Layers after which nothing is to be done run one after another.
        var pending: [LayerStep] = []
        for layer in 0..<configuration.layerCount {
            pending.append(try resident?[layer] ?? step(layer, scratch: &scratch.layerBuffer))
            let isRead = editing != nil || layers.contains(layer) || layer == configuration.layerCount - 1
            guard isRead || resident == nil else { continue }
            pass.run(pending)
            pending.removeAll()
            try model.weights.checkMappedFiles()
            try editing?(layer, pass.residual)
            for (slot, wanted) in layers.enumerated() where wanted == layer {
                for row in 0..<run.count {
                    (streams.row(row) + slot * d).update(from: pass.residual.row(row), count: d)
                }
            }
        }

        let places = rows.places(in: batch)
        let last = Matrix(rows: places.count, columns: d)
        for (row, place) in places.enumerated() {
            last.row(row).update(from: pass.residual.row(again + place), count: d)
        }
        let logits = try model.unembed(last, applyingFinalNorm: true)
        keptFrequencies = frequencies(of: length)
        tokens += new
        return Step(
            streams: ResidualStreams(layers: layers, tokens: run.count, dModel: d, values: streams),
            firstPosition: past, logits: logits)
    }

    /// The position of the first token that will be run when this many are appended: the number of tokens so far, or 0 if
    /// the sequence will be run again.
    package func firstPosition(appending count: Int) -> Int {
        frequencies(of: tokens.count + count) == keptFrequencies ? tokens.count : 0
    }

    private func frequencies(of length: Int) -> [RotaryEmbedding.Variant] {
        model.configuration.rotaries.map { $0.variant(tokens: length) }
    }

    /// Tokens that there is room for at first.
    private static let firstReserve = 256

    /// Makes room for a sequence of this many tokens.
    private func reserve(_ length: Int) {
        guard length > reserved else { return }
        let more = min(capacity, max(length, 2 * reserved))
        kept = kept.map { old in
            let larger = AttentionMemory(model: model.configuration, slots: more, precision: model.precision)
            larger.update(from: old)
            return larger
        }
        reserved = more
        resident = nil
    }

    private func step(_ layer: Int, scratch: inout LayerScratch?) throws(LanguageModelError) -> LayerStep {
        LayerStep(
            try model.weights.layer(layer, scratch: &scratch), model.configuration.layers[layer], keeping: kept[layer])
    }

    /// Removes tokens from the end; the cache of the others is unchanged.
    ///
    /// - Precondition: the sequence has at least `count` tokens.
    package func rewind(to count: Int) {
        precondition(count >= 0 && count <= tokens.count, "a sequence of \(tokens.count) tokens cut to \(count)")
        tokens.removeSubrange(count...)
        if frequencies(of: count) != keptFrequencies { keptFrequencies = nil }
    }

    private func scratch(for count: Int) -> ForwardScratch {
        if let scratch, scratch.tokens == count, scratch.positions >= reserved { return scratch }
        let fresh = ForwardScratch(
            model: model.configuration, tokens: count, positions: reserved, precision: model.precision,
            residency: model.residency, workers: model.workers.count)
        fresh.layerBuffer = scratch?.layerBuffer
        scratch = fresh
        return fresh
    }
}
