import FeatureCatalog

extension LinePlot {
    /// A run's curve; nil for one of a single point, or of steps that cannot be.
    init?(_ curve: RunCurve) {
        guard curve.count > 1, curve.firstStep < curve.lastStep else { return nil }
        self.init(name: curve.name, values: curve.means, steps: curve.firstStep...curve.lastStep)
    }
}
