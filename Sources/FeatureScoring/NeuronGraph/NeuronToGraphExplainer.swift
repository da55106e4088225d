import Vocabulary

/// Explains many features at once by the shortest token patterns that make them fire, using the model alone.
///
/// Neuron to Graph (Foote et al. 2023, arXiv 2305.19911), in the simpler form of `openai/sparse_autoencoder`,
/// `explanations.py`. For every explain context whose peak activation is above 0:
///
/// 1. *Prune*: the shortest suffix ending at the peak token that keeps `keptShare` of the recorded activation. Lengths
///    are tried from 1 upwards, all features at once. Activations need not grow with the suffix, so only this order
///    finds the shortest for certain; for typical lengths it is the cheaper one too. A suffix of length n takes n
///    probes; doubling and then bisecting would take 1, 2, 4, 4, 6, 6, 6, 6 for n = 1…8. Suffixes shared by contexts
///    are probed once: in the tests, 206 contexts of 12 features with patterns of two tokens take 48 probes in 4 calls.
/// 2. *Generalise*: a token other than the last, whose replacement by padding leaves more than `wildcardShare` of the
///    suffix's activation, becomes a wildcard.
/// 3. *Merge* the patterns into a trie; see `NeuronGraph`.
///
/// A model treats the tokens right after the begin-of-sequence token specially, so a suffix may fire only
/// because it was cut there. With `checksStart` a suffix counts only if it also keeps its share behind a padding
/// token; a context that really starts the sequence is exempt, and its pattern is bound to the start. (The code cited
/// binds every such pattern to the start, where it then never matches again.)
///
/// A context that needs more than `maximumSuffix` tokens contributes its longest suffix, as in the code cited, and is
/// counted in `NeuronGraph.unreducedContexts`.
package struct NeuronToGraphExplainer: Sendable {
    /// The parameters.
    package let configuration: NeuronToGraphConfiguration

    /// Makes an explainer.
    package init(configuration: NeuronToGraphConfiguration = .standard) {
        self.configuration = configuration
    }

    /// Explains features from their contexts of the split `explain`; others are ignored.
    ///
    /// - Parameters:
    ///   - features: the features with their contexts.
    ///   - probe: the model; a request is sent only once within a step.
    ///   - padToken: a neutral token.
    ///   - progress: told after each call of the probe how many of how many steps are done, two for every context.
    /// - Returns: a graph for every feature, in order; one without patterns where no explain context fires.
    /// - Throws: whatever the probe throws; `ScoringError.probeCount` and `.probeNotFinite` for unusable answers.
    package func explain(
        features: [FeatureContexts],
        probe: some ActivationProbe,
        padToken: Int32,
        progress: @escaping (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> [NeuronGraph] {
        var excerpts = features.indices.flatMap { slot in
            features[slot].contexts.filter { $0.split == .explain && $0.peakActivation > 0 }
                .map { Excerpt(slot: slot, featureIndex: features[slot].featureIndex, $0, configuration.maximumSuffix) }
        }

        var batch = ProbeBatch(probe: probe, requestsPerCall: configuration.requestsPerCall)
        var step = Progress(total: 2 * excerpts.count, report: progress)
        try prune(&excerpts, &batch, padToken, &step)
        try generalise(&excerpts, &batch, padToken, &step)

        var patterns: [[NeuronPattern]] = Array(repeating: [], count: features.count)
        var unreduced = Array(repeating: 0, count: features.count)
        for excerpt in excerpts {
            patterns[excerpt.slot].append(excerpt.pattern)
            if excerpt.kept == nil { unreduced[excerpt.slot] += 1 }
        }
        return features.indices.map { NeuronGraph(patterns: patterns[$0], unreducedContexts: unreduced[$0]) }
    }

    /// Finds every excerpt's shortest suffix; leaves `kept` at `nil` if there is none.
    private func prune(
        _ excerpts: inout [Excerpt],
        _ batch: inout ProbeBatch<some ActivationProbe>,
        _ padToken: Int32,
        _ step: inout Progress
    ) throws {
        var pending = Array(excerpts.indices)
        for length in 1...configuration.maximumSuffix where !pending.isEmpty {
            pending.removeAll { excerpts[$0].window.count < length }
            let found = try batch.activations(
                pending.map { excerpts[$0].request(for: excerpts[$0].suffix(length)) }, during: { step.tick() })
            var survivors: [(excerpt: Int, activation: Float)] = []
            for (index, activation) in zip(pending, found)
            where activation >= configuration.keptShare * excerpts[index].activation {
                survivors.append((index, activation))
            }

            var paddedRequests: [ProbeRequest] = []
            if configuration.checksStart {
                paddedRequests = survivors.map { survivor in
                    let excerpt = excerpts[survivor.excerpt]
                    return excerpt.request(for: [padToken] + excerpt.suffix(length))
                }
            }

            let padded = try batch.activations(paddedRequests, during: { step.tick() })
            var settled: Set<Int> = []
            for (position, survivor) in survivors.enumerated() {
                let excerpt = excerpts[survivor.excerpt]
                let needsStart =
                    configuration.checksStart && padded[position] < configuration.keptShare * excerpt.activation
                // A suffix that fires only at the start explains nothing elsewhere: a longer one may.
                if needsStart, !(excerpt.beginsSequence && length == excerpt.window.count) { continue }
                excerpts[survivor.excerpt].kept = .init(
                    length: length, activation: survivor.activation, needsStart: needsStart)
                settled.insert(survivor.excerpt)
            }
            pending.removeAll(where: settled.contains)
            step.advance(to: excerpts.count - pending.count)
        }
        step.advance(to: excerpts.count)
    }

    /// Replaces the tokens that do not matter by wildcards.
    private func generalise(
        _ excerpts: inout [Excerpt],
        _ batch: inout ProbeBatch<some ActivationProbe>,
        _ padToken: Int32,
        _ step: inout Progress
    ) throws {
        var places: [(excerpt: Int, offset: Int)] = []
        var requests: [ProbeRequest] = []
        for index in excerpts.indices {
            guard let kept = excerpts[index].kept else { continue }
            let suffix = excerpts[index].suffix(kept.length)
            // Padding that occurs in the text equals its own replacement and stays as it is.
            for offset in suffix.indices.dropLast() where suffix[offset] != padToken {
                var replaced = suffix
                replaced[offset] = padToken
                places.append((index, offset))
                requests.append(excerpts[index].request(for: replaced))
            }
        }

        let found = try batch.activations(requests, during: { step.tick() })
        for (place, activation) in zip(places, found) {
            guard let kept = excerpts[place.excerpt].kept else { continue }
            if activation > configuration.wildcardShare * kept.activation {
                excerpts[place.excerpt].wildcards.insert(place.offset)
            }
        }
        step.advance(to: 2 * excerpts.count)
    }
}

/// A context while its pattern is found.
private struct Excerpt {
    /// The feature's index among those explained together.
    let slot: Int
    let featureIndex: Int
    /// The tokens up to and including the peak, at most as many as a pattern may have.
    let window: [Int32]
    /// The layer that the peak token was read from, if the text does not determine it.
    let layer: Int?
    /// Whether the window's first token is the first of the sequence.
    let beginsSequence: Bool
    /// The recorded activation at the peak.
    let activation: Float
    /// The suffix found, once known.
    var kept: Kept?
    /// The offsets of wildcards within the suffix.
    var wildcards: Set<Int> = []

    struct Kept {
        let length: Int
        let activation: Float
        let needsStart: Bool
    }

    init(slot: Int, featureIndex: Int, _ context: ScoringContext, _ maximumSuffix: Int) {
        self.slot = slot
        self.featureIndex = featureIndex
        let available = context.peakIndex + 1
        window = Array(context.tokens[max(0, available - maximumSuffix)..<available])
        layer = context.layer
        beginsSequence = context.beginsSequence && window.count == available
        activation = context.peakActivation
    }

    func suffix(_ length: Int) -> [Int32] { Array(window.suffix(length)) }

    func request(for tokens: [Int32]) -> ProbeRequest {
        ProbeRequest(featureIndex: featureIndex, tokens: tokens, layer: layer)
    }

    var pattern: NeuronPattern {
        let tokens = suffix(kept?.length ?? window.count)
        return NeuronPattern(
            tokens: tokens.indices.map { wildcards.contains($0) ? nil : tokens[$0] },
            startsSequence: kept?.needsStart ?? false,
            activation: activation
        )
    }
}

/// Sends many requests to a probe, each once.
private struct ProbeBatch<Probe: ActivationProbe> {
    let probe: Probe
    let requestsPerCall: Int

    /// - Returns: the answer to each request, in order.
    mutating func activations(_ requests: [ProbeRequest], during: () -> Void) throws -> [Float] {
        let unique = Set(requests).sorted(by: ProbeRequest.precedes)
        var answers: [ProbeRequest: Float] = [:]
        answers.reserveCapacity(unique.count)
        var start = 0
        while start < unique.count {
            let asked = Array(unique[start..<min(start + requestsPerCall, unique.count)])
            let found = try probe.activations(of: asked)
            guard found.count == asked.count else {
                throw ScoringError.probeCount(requested: asked.count, returned: found.count)
            }
            for (request, activation) in zip(asked, found) {
                guard activation.isFinite else {
                    throw ScoringError.probeNotFinite(featureIndex: request.featureIndex, tokens: request.tokens)
                }
                answers[request] = activation
            }
            start += asked.count
            during()
        }
        return requests.map { request in
            guard let answer = answers[request] else { preconditionFailure("every request was asked") }
            return answer
        }
    }
}

/// Counts steps and reports them.
private struct Progress {
    let total: Int
    let report: (Int, Int) -> Void
    private var done = 0

    init(total: Int, report: @escaping (Int, Int) -> Void) {
        self.total = total
        self.report = report
    }

    mutating func advance(to done: Int) {
        guard done > self.done else { return }
        self.done = done
        report(done, total)
    }

    /// Repeats the last report, so that a long step shows activity.
    func tick() { report(done, total) }
}
