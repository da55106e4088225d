/// The shape and the rules of one RouteSAE dictionary; checked when made and never changed.
///
/// Wei et al. 2025, "Route Sparse Autoencoder to Interpret Large Language Models" (arXiv 2503.08200), section 3. With a
/// single layer the router is idle and the dictionary is a TopK autoencoder (Gao et al. 2024, arXiv 2406.04093).
public struct RouteConfiguration: Sendable, Codable, Equatable {
    /// Width of the residual stream.
    public let dModel: Int
    /// Number of latents, m.
    public let latents: Int
    /// Number of active latents of a token.
    public let k: Int
    /// The routed decoder layers, counted from 0, ascending; the router's output i stands for `layers[i]`.
    public let layers: [Int]
    /// Hard or soft routing.
    public let routing: RoutingMode
    /// The router's input.
    public let aggregation: RouterAggregation
    /// Whose rules hold.
    public let fidelity: Fidelity

    /// Whether kept latents below zero are set to zero. The authors' code keeps them; Gao et al. (section 2.3) do not,
    /// and an activation below zero cannot be read as a feature being present.
    public var rectified: Bool { fidelity == .corrected }

    /// Whether hard routing multiplies the chosen activation by its probability, as the authors' code does.
    public var scalesByProbability: Bool { fidelity == .reference && routing == .hard }

    /// Checks and makes a configuration.
    ///
    /// - Throws: `SparseCodingError.setting` naming the first setting out of range.
    public init(
        dModel: Int,
        latents: Int,
        k: Int,
        layers: [Int],
        routing: RoutingMode = .hard,
        aggregation: RouterAggregation = .sum,
        fidelity: Fidelity = .corrected
    ) throws(SparseCodingError) {
        func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws(SparseCodingError) {
            guard range.contains(value) else {
                throw .setting(
                    name: name, found: String(value), allowed: "\(range.lowerBound) … \(range.upperBound)")
            }
        }
        try check("the width of the residual stream (d-model)", dModel, 2...1_048_576)
        try check("the number of latents", latents, 1...16_777_216)
        try check("k, the number of active latents,", k, 1...latents)
        let unique = Set(layers)
        guard !layers.isEmpty, unique.count == layers.count, layers == layers.sorted(), layers[0] >= 0,
            layers[layers.count - 1] < 100_000
        else {
            throw .setting(
                name: "the layer list", found: "\(layers)", allowed: "ascending layer numbers from 0, each once")
        }
        self.dModel = dModel
        self.latents = latents
        self.k = k
        self.layers = layers
        self.routing = routing
        self.aggregation = aggregation
        self.fidelity = fidelity
    }

    /// Reads a configuration, by the same rules as it is made.
    ///
    /// - Throws: `DecodingError` for a missing or ill-typed key; as the other initialiser for a setting out of range.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            dModel: values.decode(Int.self, forKey: .dModel),
            latents: values.decode(Int.self, forKey: .latents),
            k: values.decode(Int.self, forKey: .k),
            layers: values.decode([Int].self, forKey: .layers),
            routing: values.decode(RoutingMode.self, forKey: .routing),
            aggregation: values.decode(RouterAggregation.self, forKey: .aggregation),
            fidelity: values.decode(Fidelity.self, forKey: .fidelity))
    }

    /// The layers the paper routes over for a model of n decoder layers: `hidden_states[n/4 … 3n/4]` in Hugging Face's
    /// counting, which are the outputs of decoder layers n/4 − 1 … 3n/4 − 1 (for n = 16: 3 … 11).
    public static func routedLayers(ofModelWith decoderLayers: Int) -> [Int] {
        let first = max(decoderLayers / 4 - 1, 0)
        return Array(first...max(3 * decoderLayers / 4 - 1, first))
    }
}
