import Evaluation
import LinearAlgebra

/// Latents drawn at random.
struct PlantedLatents {
    let rows: LatentRows
    /// The same, dense: `[tokens][latents]`.
    private(set) var dense: [[Float]] = []

    /// Draws `active` different latents with activations between 0.5 and 2 for each token.
    init(tokens: Int, latents: Int, active: Int, seed: UInt64) {
        rows = LatentRows(latents: latents)
        var generator = CounterGenerator(seed: seed, stream: "planted latents")
        for _ in 0..<tokens {
            var chosen: Set<Int> = []
            while chosen.count < active { chosen.insert(generator.index(below: latents)) }
            var row = Array(repeating: Float(0), count: latents)
            for latent in chosen.sorted() { row[latent] = 0.5 + 1.5 * generator.uniform() }
            append(row)
        }
    }

    /// Starts without tokens.
    init(latents: Int) {
        rows = LatentRows(latents: latents)
    }

    /// Appends a token's latents.
    mutating func append(_ row: [Float], layer: Int = 0) {
        rows.append(row.enumerated().filter { $0.element != 0 }.map { ($0.offset, $0.element) }, layer: layer)
        dense.append(row)
    }
}
