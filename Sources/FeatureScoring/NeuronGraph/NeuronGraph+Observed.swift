import Vocabulary

extension NeuronGraph {
    /// Builds the graph from observed n-grams alone, for activations without their model.
    ///
    /// The explain contexts take the place of the model. A suffix *keeps* the mean activation
    /// that is observed wherever it occurs in them, firing or not; a token becomes a wildcard where at least two
    /// different tokens are observed in its position and the mean over all of them leaves more than `wildcardShare`.
    /// Tokens never observed to differ stay as they are, so fewer patterns are general than with a model.
    ///
    /// - Parameters:
    ///   - contexts: one feature's contexts; only those of the split `explain` are used.
    ///   - configuration: `maximumSuffix` and the two shares apply.
    package init(observing contexts: [ScoringContext], configuration: NeuronToGraphConfiguration = .standard) {
        let observed = ObservedText(contexts.filter { $0.split == .explain })
        var patterns: [NeuronPattern] = []
        var unreduced = 0
        for index in observed.contexts.indices where observed.contexts[index].peakActivation > 0 {
            let (pattern, isReduced) = observed.pattern(ofContext: index, configuration)
            patterns.append(pattern)
            if !isReduced { unreduced += 1 }
        }
        self.init(patterns: patterns, unreducedContexts: unreduced)
    }
}

/// The explain contexts of one feature, with the positions of each token.
private struct ObservedText {
    let contexts: [ScoringContext]
    private let places: [Int32: [Place]]

    private struct Place {
        let context: Int
        let index: Int
    }

    init(_ contexts: [ScoringContext]) {
        self.contexts = contexts
        var places: [Int32: [Place]] = [:]
        for (context, excerpt) in contexts.enumerated() {
            for (index, token) in excerpt.tokens.enumerated() {
                places[token, default: []].append(Place(context: context, index: index))
            }
        }
        self.places = places
    }

    func pattern(
        ofContext index: Int,
        _ configuration: NeuronToGraphConfiguration
    ) -> (pattern: NeuronPattern, isReduced: Bool) {
        let context = contexts[index]
        let window = Array(context.tokens[...context.peakIndex].suffix(configuration.maximumSuffix))
        let needed = Double(configuration.keptShare) * Double(context.peakActivation)
        var matches = places[window[window.count - 1]] ?? []
        var length = 1
        while mean(matches) < needed, length < window.count {
            length += 1
            matches.removeAll { token(at: $0, back: length - 1) != window[window.count - length] }
        }

        let isReduced = mean(matches) >= needed
        let suffix = Array(window.suffix(length))
        var tokens: [Int32?] = suffix
        if isReduced {
            let limit = Double(configuration.wildcardShare) * mean(matches)
            for back in 1..<max(length, 1) where isWildcard(back: back, in: suffix, above: limit) {
                tokens[length - 1 - back] = nil
            }
        }
        return (NeuronPattern(tokens: tokens, activation: context.peakActivation), isReduced)
    }

    /// Whether the suffix, with any token `back` positions before its end, still has a mean activation above `limit`.
    private func isWildcard(back: Int, in suffix: [Int32], above limit: Double) -> Bool {
        var variants: Set<Int32> = []
        let matches = (places[suffix[suffix.count - 1]] ?? []).filter { place in
            guard place.index + 1 >= suffix.count else { return false }
            return (1..<suffix.count).allSatisfy {
                $0 == back || token(at: place, back: $0) == suffix[suffix.count - 1 - $0]
            }
        }
        for place in matches {
            if let token = token(at: place, back: back) { variants.insert(token) }
        }
        return variants.count > 1 && mean(matches) > limit
    }

    private func token(at place: Place, back: Int) -> Int32? {
        place.index >= back ? contexts[place.context].tokens[place.index - back] : nil
    }

    private func mean(_ places: [Place]) -> Double {
        guard !places.isEmpty else { return 0 }
        return places.reduce(0) { $0 + Double(contexts[$1.context].activations[$1.index]) } / Double(places.count)
    }
}
