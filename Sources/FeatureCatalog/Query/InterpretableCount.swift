/// How many features count as interpretable by the protocol of the RouteSAE paper (arXiv 2503.08200, its code at
/// `swei2001/RouteSAEs`, `src/utils.py`).
public struct InterpretableCount: Equatable, Sendable {
    /// The counts for features that peak in one layer.
    public struct Layer: Equatable, Sendable {
        /// The layer in which the features fire most.
        public let layer: Int
        /// Features with enough contexts and few enough token classes.
        public let withClassRule: Int
        /// Features with enough contexts.
        public let withoutClassRule: Int

        /// Describes a layer's counts.
        public init(layer: Int, withClassRule: Int, withoutClassRule: Int) {
            self.layer = layer
            self.withClassRule = withClassRule
            self.withoutClassRule = withoutClassRule
        }
    }

    /// Token classes that a feature may have at most.
    public static let maximumClassCount = 32
    /// Kept contexts (two a class at most) that a feature needs.
    public static let minimumContextCount = 5

    /// Activations count only above this.
    public let threshold: Double
    /// Features with enough contexts and few enough token classes.
    public let withClassRule: Int
    /// Features with enough contexts.
    public let withoutClassRule: Int
    /// The same by the layer in which features fire most; layers without any are left out.
    public let byLayer: [Layer]

    /// Describes counts.
    public init(threshold: Double, withClassRule: Int, withoutClassRule: Int, byLayer: [Layer]) {
        self.threshold = threshold
        self.withClassRule = withClassRule
        self.withoutClassRule = withoutClassRule
        self.byLayer = byLayer
    }
}
