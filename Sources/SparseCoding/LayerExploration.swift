import RandomNumbers

/// Exploration by a hard router in training: a share of the tokens is read at a layer drawn uniformly instead of the
/// router's choice, so that the dictionary learns layers that the router leaves aside.
///
/// Whether a token is explored, and the layer, depend on its draw key and the step alone: neither threads nor resuming
/// change them, and a token that comes again is drawn anew.
package struct LayerExploration: Sendable, Equatable {
    /// ε, the share of the tokens, 0 … 1.
    package let share: Float
    /// The training step, counted from 0.
    package let step: Int

    /// Describes the exploration of one step.
    package init(share: Float, step: Int) {
        (self.share, self.step) = (share, step)
    }

    /// The layer drawn for a token, as an index into `layers` layers; nil where the router chooses.
    ///
    /// - Parameter key: the token's draw key.
    package func layer(for key: UInt64, of layers: Int) -> Int? {
        func draw(_ number: UInt64) -> UInt64 {
            SplitMix64.hash(seed: Self.seed, key, UInt64(truncatingIfNeeded: step), number)
        }
        guard Float(draw(0) >> 40) * 0x1p-24 < share else { return nil }
        return Int(draw(1).multipliedFullWidth(by: UInt64(layers)).high)
    }

    /// Keeps these draws apart from others by the same keys.
    private static let seed: UInt64 = 0x6578_706C_6F72_6521
}
