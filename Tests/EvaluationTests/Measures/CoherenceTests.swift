import Evaluation
import LinearAlgebra
import Testing

/// Coherence of features that mean the same at two layers, mean something else at the second, or are read at one.
@Suite struct CoherenceTests {
    /// A text in which every feature fires 20 times at each of its layers.
    ///
    /// - Parameter features: the token class that each fires on, by layer; nil where it is not read.
    private func coherence(_ features: [[Int32?]]) -> Coherence {
        var latents = PlantedLatents(latents: features.count)
        var classes: [Int32] = []
        for repetition in 0..<20 {
            for (feature, byLayer) in features.enumerated() {
                for (layer, own) in byLayer.enumerated() {
                    guard let own else { continue }
                    var row = Array(repeating: Float(0), count: features.count)
                    row[feature] = 1 + Float(repetition % 7) / 7
                    latents.append(row, layer: layer)
                    classes.append(own)
                }
            }
        }
        return Coherence(latents.rows, layers: features[0].count, classes: classes, seed: 1)
    }

    @Test("Features of one meaning agree, and those of two do not") func tellsApart() {
        let found = coherence([[1, 1, nil], [2, nil, 3], [4, nil, nil], [5, 5, 5], [nil, 6, 7]])
        #expect(found.overlaps == [1, 0, 1, 0])
        let figures = found.figures(resamples: 100, seed: 1)
        #expect(figures.first { $0.metric == "coherence" }?.value == 0.5)
        #expect(figures.first { $0.metric == "coherence_baseline" }?.value == 0)
        #expect(figures.first { $0.metric == "spanning_share" }?.value == 4.0 / 5)
        #expect(figures.first { $0.metric == "coherence" }?.low != nil)
    }

    @Test("Features that all fire on one class agree no more than the baseline") func theBaselineShows() {
        let figures = coherence([[1, 1], [1, 1], [1, 1]]).figures(resamples: 100, seed: 1)
        #expect(figures.first { $0.metric == "coherence" }?.value == 1)
        #expect(figures.first { $0.metric == "coherence_baseline" }?.value == 1)
    }

    @Test("Only the strongest contexts count") func onlyTheStrongestCount() {
        var latents = PlantedLatents(latents: 1)
        var classes: [Int32] = []
        for layer in 0..<2 {
            for firing in 0..<40 {
                // 16 strong ones of the same class at both layers, weak ones of another class at each.
                let isStrong = firing % 5 < 2
                latents.append([isStrong ? 3 : 1], layer: layer)
                classes.append(isStrong ? 7 : Int32(layer))
            }
        }
        let found = Coherence(latents.rows, layers: 2, classes: classes, seed: 1)
        #expect(found.overlaps == [1] && found.baselines.isEmpty)
    }
}
