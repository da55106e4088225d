import CKernels

extension NormKind {
    /// Normalises rows of `width` floats that lie one behind the other; `target` may be `rows`.
    ///
    /// - Parameters:
    ///   - weight: `[width]`; a layer norm may have none.
    ///   - bias: `[width]`; a root-mean-square norm has none.
    func apply(
        _ rows: UnsafePointer<Float>, rows count: Int, width: Int, weight: UnsafePointer<Float>?,
        bias: UnsafePointer<Float>?, epsilon: Float, into target: UnsafeMutablePointer<Float>
    ) {
        let (width, count) = (Int64(width), Int64(count))
        switch self {
        case .rootMeanSquare:
            guard let weight else { preconditionFailure("a root-mean-square norm has a weight") }
            rsae_rms_norm(rows, width, count, width, weight, epsilon, target, width)
        case .layer:
            rsae_layer_norm(rows, width, count, width, weight, bias, epsilon, target, width)
        }
    }
}

extension FeedForwardActivation {
    /// Its number in the kernels.
    var kernel: Int32 {
        switch self {
        case .silu: Int32(RSAE_SILU)
        case .gelu: Int32(RSAE_GELU)
        case .geluTanh: Int32(RSAE_GELU_TANH)
        case .relu: Int32(RSAE_RELU)
        }
    }
}
