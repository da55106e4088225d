/// The number of interpretable features by `CountingProtocol`.
package struct InterpretableCount: Equatable, Sendable {
    /// The counts for features that peak in one layer.
    package struct Layer: Equatable, Sendable {
        /// The layer in which the features fire most.
        package let layer: Int
        /// Features with enough contexts and few enough token classes.
        package let withClassRule: Int
        /// Features with enough contexts.
        package let withoutClassRule: Int

        /// Describes a layer's counts.
        package init(layer: Int, withClassRule: Int, withoutClassRule: Int) {
            self.layer = layer
            self.withClassRule = withClassRule
            self.withoutClassRule = withoutClassRule
        }
    }

    /// The activation threshold.
    package let threshold: Double
    /// Features with enough contexts and few enough token classes.
    package let withClassRule: Int
    /// Features with enough contexts.
    package let withoutClassRule: Int
    /// The same by the layer in which features fire most; layers without any are left out.
    package let byLayer: [Layer]

    /// Describes counts.
    package init(threshold: Double, withClassRule: Int, withoutClassRule: Int, byLayer: [Layer]) {
        self.threshold = threshold
        self.withClassRule = withClassRule
        self.withoutClassRule = withoutClassRule
        self.byLayer = byLayer
    }
}
