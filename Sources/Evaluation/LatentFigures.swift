import FeatureCatalog
import Indexing
import LinearAlgebra
import SparseCoding

/// Figures about the latents of a dictionary: how often they fire, and how near they are to one another.
///
/// Names and formulas are those of SAEBench's core (Karvonen et al. 2025, arXiv 2503.09532, `sae_bench/evals/core`),
/// but for `dead_share`, which is 1 − `frac_alive`.
struct LatentFigures {
    /// Metric and value; nil where it is undefined.
    let values: [(metric: String, value: Double?)]

    /// Computes the figures.
    ///
    /// - Parameters:
    ///   - firings: samples that each latent fired on.
    ///   - samples: of the text.
    /// - Throws: `WorkflowError.interrupted`.
    /// - Complexity: latents² · D.
    init(
        firings: [Int], samples: Int, _ weights: DictionaryWeights, workers: Workers, cancelled: () -> Bool
    ) throws {
        let latents = Double(firings.count)
        func share(above percent: Int) -> Double { Double(firings.count { $0 * 100 > percent * samples }) / latents }
        values = [
            ("dead_share", Double(firings.count { $0 == 0 }) / latents),
            ("freq_over_1_percent", share(above: 1)), ("freq_over_10_percent", share(above: 10)),
            (
                "average_max_encoder_cosine_sim",
                try Self.meanLargestCosine(weights.encoder, workers: workers, cancelled: cancelled)
            ),
            (
                "average_max_decoder_cosine_sim",
                try Self.meanLargestCosine(weights.decoder, workers: workers, cancelled: cancelled)
            ),
        ]
    }

    /// The mean over rows of the largest cosine with another row; nil if no two rows have a direction.
    private static func meanLargestCosine(
        _ rows: Matrix, workers: Workers, cancelled: () -> Bool
    ) throws -> Double? {
        var (sum, count) = (0.0, 0)
        try NearestFeatures(decoder: rows, workers: workers).compute(count: 1, cancelled: cancelled) { neighbors in
            for neighbor in neighbors { sum += Double(neighbor.cosine) }
            count += neighbors.count
        }
        return count > 0 ? sum / Double(count) : nil
    }
}
