package import Vocabulary

/// The architecture, sizes and rules of one dictionary; validated when made, immutable.
package struct DictionaryConfiguration: Sendable, Codable, Equatable {
    /// The architecture.
    package let architecture: Architecture
    /// Width of the residual stream, d.
    package let dModel: Int
    /// Number of latents, m.
    package let latents: Int
    /// Number of active latents of a token, if fixed; nil for an architecture with a sparsity penalty, and where one
    /// threshold decides.
    package let k: Int?
    /// The decoder layers it reads, counted from 0, ascending; a router's output i stands for `layers[i]`.
    package let layers: [Int]
    /// Hard or soft routing; only `route` uses it.
    package let routing: RoutingMode
    /// The router's input; only `route` uses it.
    package let aggregation: RouterAggregation
    /// Corrected rules, or the reference's.
    package let fidelity: Fidelity
    /// What is done to a residual stream before it is encoded.
    package let input: InputNormalization
    /// Whether b_pre is subtracted from the input before encoding, besides being added after decoding.
    package let subtractsPreBias: Bool
    /// Which latents are kept where there is a k.
    package let selection: LatentSelection
    /// The meaning of the thresholds of a `jumprelu`; `shared` also for a `route` or `random` that has one threshold
    /// instead of a k, as BatchTopK leaves it; nil for all others, which have none.
    package let thresholdForm: ThresholdForm?

    /// Checks and makes a configuration.
    ///
    /// - Parameters:
    ///   - subtractsPreBias: nil for the architecture's own way.
    ///   - thresholdForm: nil for the fidelity's own: logarithms if corrected, values in the reference.
    /// - Throws: `SparseCodingError.setting` naming the first setting out of range.
    package init(
        architecture: Architecture = .route,
        dModel: Int,
        latents: Int,
        k: Int? = nil,
        layers: [Int],
        routing: RoutingMode = .hard,
        aggregation: RouterAggregation = .sum,
        fidelity: Fidelity = .corrected,
        input: InputNormalization = .standardised,
        subtractsPreBias: Bool? = nil,
        selection: LatentSelection = .activation,
        thresholdForm: ThresholdForm? = nil
    ) throws(SparseCodingError) {
        try Allowed.within(2...1_048_576).check(dModel, "the width of the residual stream (d-model)")
        try Allowed.upTo(16_777_216).check(latents, "the number of latents")
        let sharesThreshold = thresholdForm == .shared && [.route, .random].contains(architecture)
        if sharesThreshold {
            try Allowed("corrected with one threshold for all latents") { $0 == .corrected }.check(
                fidelity, "the fidelity")
        }
        switch (architecture.activeLatents, k) {
        case (_, let k?) where sharesThreshold:
            throw .setting(
                name: "k, the number of active latents,", found: "\(k)",
                allowed: "none for \(architecture) with one threshold for all latents")
        case (.fixed, nil) where sharesThreshold: break
        case (.fixed, nil):
            throw .setting(
                name: "k, the number of active latents,", found: "not given",
                allowed: "1 … \(latents) for \(architecture)")
        case (.penalised, let k?):
            throw .setting(
                name: "k, the number of active latents,", found: "\(k)",
                allowed: "none for \(architecture), which a penalty keeps sparse")
        case (_, let k?): try Allowed.upTo(latents).check(k, "k, the number of active latents,")
        case (_, nil): break
        }

        let unique = Set(layers)
        guard !layers.isEmpty, unique.count == layers.count, layers == layers.sorted(), layers[0] >= 0,
            layers[layers.count - 1] < 100_000
        else {
            throw .setting(
                name: "the layer list", found: "\(layers)", allowed: "ascending layer numbers from 0, each once")
        }
        guard layers.count == 1 || !architecture.readsOneLayer else {
            throw .setting(name: "the layer list", found: "\(layers)", allowed: "one layer for \(architecture)")
        }
        try input.check()
        if selection != .activation, architecture != .topk {
            throw .setting(
                name: "the selection of latents", found: selection.rawValue, allowed: "activation for \(architecture)")
        }
        if selection == .groups, let k, !latents.isMultiple(of: k) {
            throw .setting(
                name: "k, the number of groups of latents,", found: "\(k)",
                allowed: "a divisor of \(latents), the latents")
        }
        if thresholdForm != nil, architecture != .jumprelu, !sharesThreshold {
            throw .setting(
                name: "the form of the thresholds", found: thresholdForm?.rawValue ?? "",
                allowed: "none for \(architecture)")
        }
        self.architecture = architecture
        self.dModel = dModel
        self.latents = latents
        self.k = k
        self.layers = layers
        self.routing = routing
        self.aggregation = aggregation
        self.fidelity = fidelity
        self.input = input
        self.subtractsPreBias = subtractsPreBias ?? architecture.subtractsPreBias(fidelity)
        self.selection = selection
        self.thresholdForm = thresholdForm ?? architecture.thresholdForm(fidelity)
    }

    /// Decodes a configuration, by the same rules. One without an architecture, from a catalog of version
    /// 0.1, is a `topk` of one layer or a `route` of several.
    ///
    /// - Throws: `DecodingError` for a missing or ill-typed key; as the other initialiser for a setting out of range.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let layers = try values.decode([Int].self, forKey: .layers)
        try self.init(
            architecture: values.decodeIfPresent(Architecture.self, forKey: .architecture)
                ?? (layers.count == 1 ? .topk : .route),
            dModel: values.decode(Int.self, forKey: .dModel),
            latents: values.decode(Int.self, forKey: .latents),
            k: values.decodeIfPresent(Int.self, forKey: .k),
            layers: layers,
            routing: values.decode(RoutingMode.self, forKey: .routing),
            aggregation: values.decode(RouterAggregation.self, forKey: .aggregation),
            fidelity: values.decode(Fidelity.self, forKey: .fidelity),
            input: values.decodeIfPresent(InputNormalization.self, forKey: .input) ?? .standardised,
            subtractsPreBias: values.decodeIfPresent(Bool.self, forKey: .subtractsPreBias),
            selection: values.decodeIfPresent(LatentSelection.self, forKey: .selection) ?? .activation,
            thresholdForm: values.decodeIfPresent(ThresholdForm.self, forKey: .thresholdForm))
    }

    /// Encodes it; what is as the architecture has it by itself is left out, so that the configurations of dictionaries
    /// trained here read as they did before other programs' dictionaries could be read.
    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(architecture, forKey: .architecture)
        try values.encode(dModel, forKey: .dModel)
        try values.encode(latents, forKey: .latents)
        try values.encodeIfPresent(k, forKey: .k)
        try values.encode(layers, forKey: .layers)
        try values.encode(routing, forKey: .routing)
        try values.encode(aggregation, forKey: .aggregation)
        try values.encode(fidelity, forKey: .fidelity)
        if input != .standardised { try values.encode(input, forKey: .input) }
        if subtractsPreBias != architecture.subtractsPreBias(fidelity) {
            try values.encode(subtractsPreBias, forKey: .subtractsPreBias)
        }
        if selection != .activation { try values.encode(selection, forKey: .selection) }
        if thresholdForm != architecture.thresholdForm(fidelity) {
            try values.encodeIfPresent(thresholdForm, forKey: .thresholdForm)
        }
    }

    private enum CodingKeys: String, CodingKey {
        case architecture, dModel, latents, k, layers, routing, aggregation, fidelity
        case input, subtractsPreBias, selection, thresholdForm
    }

    /// The same dictionary as an MLSAE, which reads every layer of a token separately.
    ///
    /// - Parameter k: its active latents of a sample.
    package func readingEveryLayer(k: Int) -> DictionaryConfiguration {
        DictionaryConfiguration(as: .mlsae, k: k, self)
    }

    private init(as architecture: Architecture, k: Int, _ other: DictionaryConfiguration) {
        self.architecture = architecture
        self.k = k
        (dModel, latents, layers) = (other.dModel, other.latents, other.layers)
        (routing, aggregation, fidelity) = (other.routing, other.aggregation, other.fidelity)
        (input, subtractsPreBias) = (other.input, other.subtractsPreBias)
        (selection, thresholdForm) = (other.selection, nil)
    }

    /// The layers the paper routes over for a model of n decoder layers: `hidden_states[n/4 … 3n/4]` in Hugging Face's
    /// counting, which are the outputs of decoder layers n/4 − 1 … 3n/4 − 1 (for n = 16: 3 … 11).
    package static func routedLayers(ofModelWith decoderLayers: Int) -> [Int] {
        let first = max(decoderLayers / 4 - 1, 0)
        return Array(first...max(3 * decoderLayers / 4 - 1, first))
    }
}
