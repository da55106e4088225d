import FeatureCatalog

/// What an export of features wrote.
package struct FeatureExportResult: Sendable {
    /// The dictionary's name.
    package let name: String
    /// The layers that there are files of.
    package let layers: [Int]
    /// Features that fired, in any layer.
    package let featureCount: Int
    /// Lines for a person: what is left out or approximate.
    package let remarks: [String]
}

/// What is counted while features are exported.
struct FeatureExportCounts {
    /// Features that fired.
    private(set) var firing = 0
    private var dead = 0
    private var withoutLogits = 0

    mutating func add(_ feature: ExportedFeature) {
        if feature.record.firedCount == 0 {
            dead += 1
        } else {
            firing += 1
            if feature.logits == nil { withoutLogits += 1 }
        }
    }

    /// What is left out or approximate.
    ///
    /// - Parameters:
    ///   - logarithmic: features whose activations are known in logarithmic bins only.
    ///   - leavesOutDead: whether the export has no files of features that never fired.
    func remarks(of catalog: Catalog, logarithmic: Int, leavesOutDead: Bool) -> [String] {
        var lines: [String] = []
        if leavesOutDead, dead > 0 { lines.append("\(catalog.path): \(dead) features that never fired are left out") }
        if logarithmic > 0 {
            lines.append(
                "\(catalog.path): indexed by an earlier version: the histograms of \(logarithmic) features are drawn from "
                    + "logarithmic bins; index again for exact ones")
        }
        if withoutLogits > 0 {
            lines.append(
                "\(catalog.path): \(withoutLogits) features have no histogram of logits; index again with a model that "
                    + "has an unembedding")
        }
        return lines
    }
}
