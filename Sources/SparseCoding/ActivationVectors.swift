package import LinearAlgebra

/// The numbers by latent that the activation function of a penalised dictionary reads: of all latents, or of some,
/// gathered.
///
/// Valid as long as the `PenalisedActivation` or the matrix that they are of.
package struct ActivationVectors {
    /// b_lat; of a gated dictionary b_gate.
    package let bias: UnsafePointer<Float>
    /// exp(r_mag) of a gated dictionary, θ of one with thresholds; nil for the others.
    package let scale: UnsafePointer<Float>?
    /// b_mag of a gated dictionary; nil for the others.
    package let offset: UnsafePointer<Float>?

    /// Those of `count` latents, one after another.
    ///
    /// - Parameter room: at least 3 rows of `count` columns, which hold them.
    package func gathered(_ latents: UnsafePointer<Int32>, count: Int, into room: Matrix) -> ActivationVectors {
        func gather(_ values: UnsafePointer<Float>?, _ row: Int) -> UnsafePointer<Float>? {
            guard let values else { return nil }
            let target = room.row(row)
            for entry in 0..<count { target[entry] = values[Int(latents[entry])] }
            return UnsafePointer(target)
        }
        return ActivationVectors(bias: gather(bias, 0) ?? bias, scale: gather(scale, 1), offset: gather(offset, 2))
    }
}
