public import LinearAlgebra

/// The weights of one RouteSAE dictionary. Updated in place while training.
public final class RouteWeights: Sendable {
    /// W_r `[layers × d]`: the router, no bias.
    public let router: Matrix
    /// b_pre `[1 × d]`: subtracted before encoding and added after decoding.
    public let preBias: Matrix
    /// b_lat `[1 × latents]`: added to the pre-activations.
    public let latentBias: Matrix
    /// W_enc `[latents × d]`: row j is latent j's encoder direction.
    public let encoder: Matrix
    /// W_decᵀ `[latents × d]`: row j is latent j's decoder direction. Weight files hold the transpose `[d × latents]`;
    /// here one feature's direction lies in one piece.
    public let decoder: Matrix

    /// Makes weights of zeros.
    public init(_ configuration: RouteConfiguration) {
        router = Matrix(rows: configuration.layers.count, columns: configuration.dModel)
        preBias = Matrix(rows: 1, columns: configuration.dModel)
        latentBias = Matrix(rows: 1, columns: configuration.latents)
        encoder = Matrix(rows: configuration.latents, columns: configuration.dModel)
        decoder = Matrix(rows: configuration.latents, columns: configuration.dModel)
    }
}
