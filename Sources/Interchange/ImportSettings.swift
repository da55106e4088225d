package import DictionaryExchange
package import Vocabulary

/// What to import, and what its files do not say; the configuration of an `import` run.
package struct ImportSettings: Sendable, Codable {
    /// A file or folder of another program.
    package var path: String
    /// The format; nil to recognise it.
    package var format: ForeignFormat?
    /// What the dictionary is called; nil for a name after its files. Of several each gets its layer behind it.
    package var name: String?
    /// The decoder layers it reads.
    package var layers: [Int]?
    /// The number of active latents of a token.
    package var k: Int?
    /// The architecture of an author's state dict.
    package var architecture: Architecture?
    /// The routing of an author's state dict.
    package var routing: RoutingMode?
    /// The router's input of an author's state dict.
    package var aggregation: RouterAggregation?
    /// The rules of an author's state dict.
    package var fidelity: Fidelity?
    /// Folder of the language model whose residual streams the dictionary reads; nil leaves it unknown.
    package var model: String?

    /// Describes an import.
    package init(
        path: String, format: ForeignFormat? = nil, name: String? = nil, layers: [Int]? = nil, k: Int? = nil,
        architecture: Architecture? = nil, routing: RoutingMode? = nil, aggregation: RouterAggregation? = nil,
        fidelity: Fidelity? = nil, model: String? = nil
    ) {
        self.path = path
        self.format = format
        self.name = name
        self.layers = layers
        self.k = k
        self.architecture = architecture
        self.routing = routing
        self.aggregation = aggregation
        self.fidelity = fidelity
        self.model = model
    }

    private enum CodingKeys: String, CodingKey {
        case path, from, name, layers, k, architecture, routing, aggregation, fidelity, model
    }

    /// Decodes what `encode` writes.
    ///
    /// - Throws: `DecodingError`.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            path: values.decode(String.self, forKey: .path),
            format: values.decodeIfPresent(String.self, forKey: .from).flatMap(ForeignFormat.init(rawValue:)),
            name: values.decodeIfPresent(String.self, forKey: .name),
            layers: values.decodeIfPresent([Int].self, forKey: .layers),
            k: values.decodeIfPresent(Int.self, forKey: .k),
            architecture: values.decodeIfPresent(Architecture.self, forKey: .architecture),
            routing: values.decodeIfPresent(RoutingMode.self, forKey: .routing),
            aggregation: values.decodeIfPresent(RouterAggregation.self, forKey: .aggregation),
            fidelity: values.decodeIfPresent(Fidelity.self, forKey: .fidelity),
            model: values.decodeIfPresent(String.self, forKey: .model))
    }

    /// Encodes what is given, under the names of the options.
    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(path, forKey: .path)
        try values.encodeIfPresent(format?.rawValue, forKey: .from)
        try values.encodeIfPresent(name, forKey: .name)
        try values.encodeIfPresent(layers, forKey: .layers)
        try values.encodeIfPresent(k, forKey: .k)
        try values.encodeIfPresent(architecture, forKey: .architecture)
        try values.encodeIfPresent(routing, forKey: .routing)
        try values.encodeIfPresent(aggregation, forKey: .aggregation)
        try values.encodeIfPresent(fidelity, forKey: .fidelity)
        try values.encodeIfPresent(model, forKey: .model)
    }

    /// The request to the readers of formats.
    var request: ForeignRequest {
        ForeignRequest(
            format: format, layers: layers, k: k, architecture: architecture, routing: routing,
            aggregation: aggregation, fidelity: fidelity)
    }
}
