package import Vocabulary

/// What a person says beside the path of other programs' dictionaries.
///
/// An option fills in what the files do not say; one that contradicts them is an error. Where a folder holds several
/// dictionaries, `layers` chooses among them.
package struct ForeignRequest: Sendable {
    /// `--from`; nil to recognise the format by the files.
    package var format: ForeignFormat?
    /// `--layer` or `--layers`: decoder layers, counted from 0.
    package var layers: [Int]?
    /// `--k`: the number of active latents.
    package var k: Int?
    /// The architecture, where the tensors leave it open; only `routesae-pytorch`.
    package var architecture: Architecture?
    /// Hard or soft routing; only `routesae-pytorch`.
    package var routing: RoutingMode?
    /// The router's input; only `routesae-pytorch`.
    package var aggregation: RouterAggregation?
    /// The rules; only `routesae-pytorch`, whose own are `.reference`.
    package var fidelity: Fidelity?

    /// Makes a request that says as much as is given.
    package init(
        format: ForeignFormat? = nil, layers: [Int]? = nil, k: Int? = nil, architecture: Architecture? = nil,
        routing: RoutingMode? = nil, aggregation: RouterAggregation? = nil, fidelity: Fidelity? = nil
    ) {
        (self.format, self.layers, self.k) = (format, layers, k)
        (self.architecture, self.routing) = (architecture, routing)
        (self.aggregation, self.fidelity) = (aggregation, fidelity)
    }
}
